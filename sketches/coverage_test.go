package sketches

import (
	"flag"
	"fmt"
	"math"
	"testing"
)

// trial draws n fresh records for trial number k.
func trial(k, n int, p uint8) Window {
	w := New(p)
	w.matrix = newMatrix(p) // also below the limit, as after expiry
	for i := range uint64(n) {
		w.matrix.insert(NewEntry(mix(uint64(k)<<40|i), day0))
	}
	return w
}

// tallyOf sums up trials of an estimate whose truth is known.
type tallyOf struct {
	trials, covered int
	bias, square    float64 // of the relative error
}

func (c *tallyOf) add(e Estimate, truth float64) {
	c.trials++
	if e.Low <= truth && truth <= e.High {
		c.covered++
	}
	off := (e.N - truth) / math.Max(truth, 1)
	c.bias += off
	c.square += off * off
}

func (c *tallyOf) coverage() float64 { return float64(c.covered) / float64(c.trials) }
func (c *tallyOf) rms() float64      { return math.Sqrt(c.square / float64(c.trials)) }
func (c *tallyOf) mean() float64     { return c.bias / float64(c.trials) }

// check fails if coverage is so far below 95 % that chance does not explain it
// (three and a half standard deviations of a binomial share at 94.5 %). Small numbers are covered nearly
// always, since intervals end at whole numbers.
func (c *tallyOf) check(t *testing.T, what string) {
	t.Helper()
	t.Logf("%-44s rms %6.2f %%  mean %+6.2f %%  coverage %5.1f %%", what, 100*c.rms(), 100*c.mean(), 100*c.coverage())
	n := float64(c.trials)
	if c.coverage() < 0.945-3.5*math.Sqrt(0.945*0.055/n) {
		t.Errorf("%s: covered in %.1f %% of %d trials", what, 100*c.coverage(), c.trials)
	}
}

// unbiased fails if the mean error cannot be chance.
func (c *tallyOf) unbiased(t *testing.T, what string) {
	t.Helper()
	n := float64(c.trials)
	if math.Abs(c.mean()) > 3.5*c.rms()/math.Sqrt(n)+0.002 {
		t.Errorf("%s: biased by %.2f %%", what, 100*c.mean())
	}
}

func TestCountIntervals(t *testing.T) {
	for _, p := range []uint8{StatePrecision, PartialPrecision} {
		for _, n := range []int{1, 10, 30, 100, 300, 1025, 3000, 10_000, 100_000} {
			var c tallyOf
			for k := range trials(n) {
				w := trial(k, n, p)
				c.add(w.Count(day0), float64(n))
			}
			what := fmt.Sprintf("%d records, p=%d", n, p)
			c.check(t, what)
			c.unbiased(t, what)
		}
	}
}

// trials is how many trials of n records the tests make. The figures in
// docs/sketches.md are of more than a test run can afford.
func trials(n int) int { return max(min(*most, *most*5_000/n), 20) }

var most = flag.Int("trials", 200, "trials of each interval")

// A tick brings records of which some are new to a state that is a matrix.
func TestFirstTouchIntervals(t *testing.T) {
	for _, c := range []struct {
		state, tick, fresh int
	}{
		{2000, 1, 0}, {2000, 1, 1}, {2000, 10, 5}, {2000, 100, 0}, {2000, 100, 100},
		{20_000, 10, 1}, {20_000, 300, 100}, {20_000, 1000, 1000},
		{20_000, 3000, 300}, {20_000, 20_000, 10_000}, {100_000, 1000, 10},
	} {
		var sum tallyOf
		for k := range trials(c.state + c.tick) {
			state := trial(k, c.state, StatePrecision)
			tick := New(PartialPrecision)
			for i := range uint64(c.tick) {
				// The last of the state's records, then fresh ones.
				tick.Insert(mix(uint64(k)<<40|(uint64(c.state-c.tick+c.fresh)+i)), day0)
			}
			sum.add(state.FirstTouch(&tick), float64(c.fresh))
		}
		what := fmt.Sprintf("state %d, tick %d, new %d", c.state, c.tick, c.fresh)
		t.Logf("%-44s rms %6.2f records", what, sum.rms()*math.Max(float64(c.fresh), 1))
		sum.check(t, what)
		if c.tick >= 2*c.fresh && c.fresh >= 100 { // else the cap, the size of the tick, tells
			sum.unbiased(t, what)
		}
	}
}

func TestExposureIntervals(t *testing.T) {
	for _, n := range []int{1025, 5000, 20_000, 100_000} {
		var fine, mixed tallyOf
		for k := range trials(4 * n) {
			w, old := trial(k, n, PartialPrecision), trial(k, n/2, StatePrecision)
			var x Exposure
			x.AddWindow(&w, 0)
			fine.add(x.Estimate(), float64(n))
			x = Exposure{}
			x.AddWindow(&old, 0)
			half := New(PartialPrecision)
			for i := range uint64(n) {
				half.Insert(mix(uint64(k)<<40|(i+uint64(n/4))), day0)
			}
			x.AddWindow(&half, 0)
			mixed.add(x.Estimate(), float64(n+n/4))
		}
		fine.check(t, fmt.Sprintf("exposure of %d", n))
		mixed.check(t, fmt.Sprintf("exposure of %d, a fifth known coarsely", n+n/4))
	}
}
