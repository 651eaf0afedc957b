package score

import (
	"testing"

	"github.com/weirhq/weir/detectors/fleet"
)

// A leak hardly becomes normal while it is weighed; work that stays as it is now
// does, in weeks.
func TestSuspicionSlowsLearning(t *testing.T) {
	w := newWorker()
	w.work(30*24, 20)
	w.work(3*24, 60)
	if after := w.expected(); after > 28 {
		t.Errorf("after three days at 60 an hour instead of 20, %.1f are expected", after)
	}
	w.work(6*7*24, 60)
	if after := w.expected(); after < 50 {
		t.Errorf("after six weeks more, %.1f are expected", after)
	}
}

// In its first two weeks an identity is learned of whatever it does.
func TestTheYoungAreLearnedOf(t *testing.T) {
	w := newWorker()
	w.work(5*24, 20)
	w.work(7*24, 60)
	if after := w.expected(); after < 40 {
		t.Errorf("a week after a newcomer's work grew from 20 an hour to 60, %.1f are expected", after)
	}
}

func TestTaught(t *testing.T) {
	for _, c := range []struct {
		evidence float64 // nats
		want     uint8
	}{{-69, 4}, {0, 4}, {2, 3}, {3, 2}, {4, 1}, {30, 1}} {
		if got := taught(fleet.Exp(c.evidence)); got != c.want {
			t.Errorf("at %g nats %d quarters are learned, want %d", c.evidence, got, c.want)
		}
	}
}

// A measure that is judged at some hours only is no reason to keep an episode
// open in all the others.
func TestWhatIsNotJudgedFades(t *testing.T) {
	var sc scores
	var l likelihood
	i := int(fleet.OffHours) - fleet.NumCore
	sc.kept[i], sc.extra[i] = true, [fleet.NumRates]float64{1e6, 1e6, 1e6, 1e6, 1e6}
	for range 24 {
		sc.step(&l, 0.8, 1e9)
	}
	if got := sc.rate(fleet.OffHours, 0); got > 1e4 {
		t.Errorf("after a day of hours in which it is not judged, 1e6 are %g", got)
	}
}
