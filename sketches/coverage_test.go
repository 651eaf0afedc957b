package sketches

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The figures in docs/sketches.md are of 10,000 trials, more than a test run
// can afford: make bench-sketches prints them.
var trials = flag.Int("trials", 100, "trials of each interval")

// tallyOf sums up trials of an estimate whose truth is known.
type tallyOf struct {
	trials, below, above int     // above: the truth is above the interval
	bias, square         float64 // of the relative error
}

func (c *tallyOf) add(e Estimate, truth float64) {
	c.trials++
	if truth < e.Low {
		c.below++
	}
	if truth > e.High {
		c.above++
	}
	off := (e.N - truth) / math.Max(truth, 1)
	c.bias += off
	c.square += off * off
}

func (c *tallyOf) coverage() float64 { return 1 - float64(c.below+c.above)/float64(c.trials) }

func (c *tallyOf) rms() float64 { return math.Sqrt(c.square / float64(c.trials)) }

func (c *tallyOf) mean() float64 { return c.bias / float64(c.trials) }

// check fails if the interval holds the truth in fewer than 94 %, or, where it
// must not be wider than needed, in more than 96 % of trials, by so much that
// chance does not explain it: three and a half standard deviations.
func (c *tallyOf) check(t *testing.T, what string, tight bool) {
	t.Helper()
	n := float64(c.trials)
	t.Logf("%-44s rms %7.2f %%  mean %+6.2f %%  held in %6.2f %%  (below %.2f, above %.2f)", what, 100*c.rms(), 100*c.mean(),
		100*c.coverage(), 100*float64(c.below)/n, 100*float64(c.above)/n)
	if c.coverage() < 0.94-3.5*math.Sqrt(0.94*0.06/n) {
		t.Errorf("%s: held in %.2f %% of %d trials", what, 100*c.coverage(), c.trials)
	}
	if tight && c.coverage() > 0.96+3.5*math.Sqrt(0.96*0.04/n) {
		t.Errorf("%s: too wide: held in %.2f %% of %d trials", what, 100*c.coverage(), c.trials)
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

func dice(n int) *rand.Rand { return rand.New(rand.NewPCG(uint64(n), 4)) }

// Cells that are thrown are distributed as those of records that are inserted:
// in the mean and the variance of the cells of each rank, and in the mean of
// the estimate.
func TestThrowIsInsert(t *testing.T) {
	const draws = 1500
	for _, n := range []int{40, 1025, 6000} {
		var sum, square [2][maxRanks + 2]float64
		rng := dice(n)
		for k := range uint64(draws) {
			direct, th := newMatrix(StatePrecision), newThrown(StatePrecision)
			for i := range uint64(n) {
				direct.insert(NewEntry(mix(k<<40|i), day0))
			}
			th.add(rng, n)
			var seen tally
			direct.count([]uint32{stored(day0)}, &seen)
			for side, cells := range []perRank{seen[0], th.perRank()} {
				for r := 1; r <= ranks(StatePrecision); r++ {
					sum[side][r] += float64(cells[r])
					square[side][r] += float64(cells[r]) * float64(cells[r])
				}
				e := distinct(&cells, StatePrecision).N
				sum[side][maxRanks+1] += e
				square[side][maxRanks+1] += e * e
			}
		}
		for r := range sum[0] {
			var mean, variance [2]float64
			for side := range mean {
				mean[side] = sum[side][r] / draws
				variance[side] = square[side][r]/draws - mean[side]*mean[side]
			}
			if apart := math.Abs(mean[0] - mean[1]); apart > 4.5*math.Sqrt((variance[0]+variance[1])/draws)+1e-9 {
				t.Errorf("%d records, rank %d: %.3f cells inserted, %.3f thrown", n, r, mean[0], mean[1])
			}
			if ratio := variance[0] / variance[1]; variance[1] > 1 && math.Abs(math.Log(ratio)) > 4.5*2/math.Sqrt(draws) {
				t.Errorf("%d records, rank %d: variances %.3f and %.3f", n, r, variance[0], variance[1])
			}
		}
	}
}

// A window of a matrix holds the cells of the records seen in it, whatever else
// the matrix holds, so its estimate has the distribution of a matrix of those
// records alone: this is the table for every window. TestWindowIntervals looks
// at windows themselves.
func TestCountIntervals(t *testing.T) {
	for _, p := range []uint8{StatePrecision, PartialPrecision} {
		for _, n := range []int{1, 2, 3, 10, 30, 100, 300, 1024, 1025, 1500, 3000, 10_000, 30_000, 100_000, 1_000_000, 10_000_000} {
			var c tallyOf
			rng, th := dice(n), newThrown(p)
			for range *trials {
				clear(th.cells)
				th.add(rng, n)
				seen := th.perRank()
				c.add(distinct(&seen, p), float64(n))
			}
			what := fmt.Sprintf("p=%d, %d records", p, n)
			c.check(t, what, n > ExactLimit)
			c.unbiased(t, what)
		}
	}
}

// Six windows of one state that was built from ticks, in which records come
// again, and whose oldest part has expired.
func TestWindowIntervals(t *testing.T) {
	const records, minutes = 6000, 60_000
	last := [6]uint32{15, 60, 360, 1440, 10080, 40_000}
	var c [len(last)]tallyOf
	for k := range *trials {
		var w Window
		seen := map[uint64]uint32{}
		for tick := range uint32(60) {
			var batch []Entry
			for i := range uint64(records / 20) {
				x := mix(uint64(k)<<40 | uint64(tick)<<20 | i)
				// Half the touches of a tick are in its last minutes, so that
				// the short windows have something to count.
				record, minute := x%records, day0+tick*1000+uint32(x>>32%1000)
				if x>>60 < 8 {
					minute = day0 + tick*1000 + 985 + uint32(x>>32%15)
				}
				seen[record] = max(seen[record], minute)
				batch = append(batch, NewEntry(mix(record^uint64(k)<<40), minute))
			}
			partial := From(PartialPrecision, batch)
			w.Expire(day0 + tick*1000 - 43_200)
			w.Merge(&partial)
		}
		var since [len(last)]uint32
		var out [len(last)]Estimate
		for i, m := range last {
			since[i] = day0 + minutes - m
		}
		w.Counts(since[:], out[:])
		for i, s := range since {
			truth := 0
			for _, minute := range seen {
				if minute >= s {
					truth++
				}
			}
			c[i].add(out[i], float64(truth))
		}
	}
	for i := range c {
		c[i].check(t, fmt.Sprintf("window of %d minutes", last[i]), false)
	}
}

// A tick brings records of which some are new to a state that is a matrix.
func TestFirstTouchIntervals(t *testing.T) {
	for _, c := range []struct {
		state, tick, fresh int
	}{
		{2000, 1, 0}, {2000, 1, 1}, {2000, 10, 5}, {2000, 100, 0}, {2000, 100, 100},
		{20_000, 10, 1}, {20_000, 300, 100}, {20_000, 1000, 1000}, {20_000, 3000, 300},
		{20_000, 20_000, 10_000}, {100_000, 1000, 10}, {100_000, 20_000, 2000}, {200_000, 50_000, 50_000},
		{1_000_000, 1000, 900}, {1_000_000, 100_000, 20_000},
	} {
		var sum tallyOf
		rng := dice(c.state + c.tick)
		for range *trials {
			state, tick := drawFirstTouch(rng, c.state, c.tick, c.fresh)
			sum.add(state.FirstTouch(&tick), float64(c.fresh))
		}
		what := fmt.Sprintf("state %d, tick %d, new %d", c.state, c.tick, c.fresh)
		t.Logf("%-44s rms %7.2f records in %d trials", what, sum.rms()*math.Max(float64(c.fresh), 1), sum.trials)
		sum.check(t, what, false)
		if c.tick >= 2*c.fresh && c.fresh >= 100 && c.state <= 100_000 { // else the cap, the size of the tick, tells
			sum.unbiased(t, what)
		}
	}
}

// drawFirstTouch draws a state of n records and a tick that has some of them
// and some fresh ones.
func drawFirstTouch(rng *rand.Rand, n, tick, fresh int) (Window, Window) {
	known := newThrown(PartialPrecision)
	if tick > ExactLimit {
		known.add(rng, tick-fresh)
		state := newThrown(StatePrecision)
		state.add(rng, n-(tick-fresh))
		state = state.with(known.folded(StatePrecision))
		known.add(rng, fresh)
		return state.window(), known.window()
	}
	state, list := newThrown(StatePrecision), []Entry(nil)
	touch := func() (reg, rank uint32) {
		e := NewEntry(rng.Uint64(), day0)
		list = append(list, e)
		return split(e.key(), StatePrecision)
	}
	for range tick - fresh {
		reg, rank := touch()
		state.cells[reg] |= 1 << (rank - 1)
	}
	for range fresh {
		touch()
	}
	state.add(rng, n-(tick-fresh))
	return state.window(), From(PartialPrecision, list)
}

func TestExposureIntervals(t *testing.T) {
	for _, n := range []int{1025, 1500, 3000, 20_000, 100_000, 1_000_000, 10_000_000} {
		var fine tallyOf
		rng, th := dice(n), newThrown(PartialPrecision)
		for range *trials {
			clear(th.cells)
			th.add(rng, n)
			fine.add(estimateRegisters(th.registers()), float64(n))
		}
		fine.check(t, fmt.Sprintf("exposure of %d", n), true)
	}
	// What the state knew when the episode began overlaps what ticks brought.
	for _, c := range []struct{ fine, both, coarse int }{
		{1000, 500, 300}, {3000, 1000, 1000}, {40_000, 20_000, 10_000}, {100_000, 10_000, 100_000}, {500_000, 100_000, 10_000}, {2_000, 1000, 300_000},
	} {
		var mixed tallyOf
		rng := dice(c.fine + c.coarse)
		for range *trials {
			both, fine, coarse := newThrown(PartialPrecision), newThrown(PartialPrecision), newThrown(StatePrecision)
			both.add(rng, c.both)
			fine.add(rng, c.fine)
			coarse.add(rng, c.coarse)
			ticks, state := both.with(fine).window(), coarse.with(both.folded(StatePrecision)).window()
			var x Exposure
			x.AddWindow(&state, 0)
			x.AddWindow(&ticks, 0)
			mixed.add(x.Estimate(), float64(c.fine+c.both+c.coarse))
		}
		what := fmt.Sprintf("exposure of %d, %d known coarsely only", c.fine+c.both+c.coarse, c.coarse)
		mixed.check(t, what, true)
		mixed.unbiased(t, what)
	}
}

// Ticks of few and of many records bring some that are new to a state that is a
// matrix, and grow it. The sum of what is missing is right in the mean, and as wide
// of the truth as Shown says.
func TestSumsOfFirstTouches(t *testing.T) {
	const fresh = 300
	for _, c := range []struct{ state, tick, fresh int }{
		{1025, 1, 1}, {1025, 5, 3}, {2000, 30, 30}, {2000, 1500, 300}, {5000, 1, 1}, {5000, 5, 5}, {5000, 300, 30},
		{20_000, 5, 1}, {20_000, 30, 30}, {20_000, 1500, 1500}, {100_000, 5, 5}, {100_000, 300, 150},
	} {
		var sum tallyOf
		rng := dice(c.state + c.tick)
		for range *trials / 2 {
			th := newThrown(StatePrecision)
			th.add(rng, c.state)
			state := th.window()
			old := make([]Entry, c.tick-c.fresh)
			for i := range old {
				old[i] = NewEntry(rng.Uint64(), day0)
				state.matrix.insert(old[i])
			}
			truth, total := 0, 0.0
			for ; truth < fresh; truth += c.fresh {
				batch := slices.Clone(old)
				for range c.fresh {
					batch = append(batch, NewEntry(rng.Uint64(), day0))
				}
				tick := From(PartialPrecision, batch)
				total += state.Missing(&tick, 0)
				state.Merge(&tick)
			}
			n, shown := float64(truth), state.Shown()
			bars := z95 * math.Sqrt(n*(1-shown)/shown)
			sum.add(Estimate{total, total - bars, total + bars}, n)
		}
		what := fmt.Sprintf("state %d, ticks of %d, new %d", c.state, c.tick, c.fresh)
		sum.check(t, what, false)
		sum.unbiased(t, what)
	}
}
