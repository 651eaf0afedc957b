package alerting

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// What is rounded is what a reader of the JSON sees.
func TestRoundIsWhatIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkRound(t, anyAlert.Draw(t, "alert")) })
}

// A top without lists is none, though it says since when it would count.
func TestRoundOfNoTop(t *testing.T) {
	a := example()
	a.Top = Top{Since: 1}
	checkRound(t, a)
}

// checkRound reports where a rounded alert is not what is read of it.
func checkRound(t rapid.TB, a *Alert) {
	t.Helper()
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
}
