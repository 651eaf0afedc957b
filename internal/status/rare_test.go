package status

import (
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream/kafka/position"
)

// What correlate says of how rare the rare was is told by dimension and group, and what
// nothing is known of is left out.
func TestRare(t *testing.T) {
	r := reader{status: &Status{Dimensions: []Dimension{{Name: "user"}, {Name: "key"}}}}
	user := make([][3]float64, score.NumGroups)
	user[score.Burst], user[score.Volume] = [3]float64{41_200, 31.4, 26}, [3]float64{900, 0.7, 1}
	r.takeCorrelate(&position.Correlate{Rare: [][][3]float64{user, make([][3]float64, score.NumGroups)}})
	if got := r.status.Dimensions[0].Rare; len(got) != 2 || got["burst"] != (Rare{Judged: 41_200, Expected: 31.4, Counted: 26}) {
		t.Errorf("rare %+v", got)
	}
	var text strings.Builder
	if err := r.status.Print(&text, time.UTC); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"burst 26 of 31, volume 1 of 1\n", "key        0           not told yet  not told yet\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	for _, c := range []struct {
		expected, counted float64
		want              string
	}{
		{4.9, 40, "too few to tell yet"},
		{31.4, 26, "about as rare as was said (0.8 times)"},
		{20, 8, "0.4 times as often as was said: on the safe side"},
		{20, 50, "2.5 times as often as was said: evidence says too much"},
	} {
		if got := (Rare{Expected: c.expected, Counted: c.counted}).Words(); got != c.want {
			t.Errorf("%v of %v: %q, want %q", c.counted, c.expected, got, c.want)
		}
	}
}
