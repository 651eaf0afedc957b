package alerting

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// What is rounded is what a reader of the JSON sees.
func TestRoundIsWhatIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAlert.Draw(t, "alert")
		read, err := ParseAlert(a.AppendJSON(nil))
		if err != nil {
			t.Fatal(err)
		}
		a.Round()
		for name, pair := range map[string][2]any{
			"observed": {a.Observed, read.Observed}, "expected": {a.Expected, read.Expected},
			"share_new": {a.ShareNew, read.ShareNew}, "top": {fmt.Sprint(a.Top), fmt.Sprint(read.Top)}, "evidence": {a.Evidence, read.Evidence},
		} {
			if !reflect.DeepEqual(pair[0], pair[1]) {
				t.Fatalf("%s rounded %+v\nread    %+v", name, pair[0], pair[1])
			}
		}
	})
}
