package score

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/detectors/fleet"
)

// TestFigures prints the figures of docs/detection.md and holds them within
// what is claimed there.
func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("figures for the pages: half a minute of CPU")
	}
	t.Run("theory", figuresTheory)
	t.Run("engine", figuresEngine)
}

// figuresTheory measures the delay of the bare mixture where the baseline is
// known: mean 20, k = 5, hourly, one false alarm in 1,000 identity-years by
// Pollak's bound.
func figuresTheory(t *testing.T) {
	const arl = 1000 * 365 * 24
	floor := map[float64]float64{1.5: 36, 2: 12, 3: 4.6, 5: 2.1} // the CUSUM told the drift, exact
	for _, r := range []float64{1.5, 2, 3, 5} {
		rng := rand.New(rand.NewPCG(11, uint64(10*r)))
		const runs = 2000
		total := 0.0
		for range runs {
			total += bareDelay(rng, 20, 5, r, math.Log(arl))
		}
		delay := total / runs
		t.Logf("drift %.1f: %.1f h; tuned CUSUM %.1f h; ratio %.2f", r, delay, floor[r], delay/floor[r])
		if delay > 1.15*floor[r]+0.6 {
			t.Errorf("drift %.1f takes %.1f h, more than claimed over the floor of %.1f h", r, delay, floor[r])
		}
	}
}

// steadyForecast is what is expected of an identity whose baseline is known and
// whose hours share nothing.
func steadyForecast(mean, k float64) forecast {
	f := forecast{null: mean, k: k, work: mean, stray: strayWork}
	for i, r := range fleet.Rates {
		f.drift[i] = r * mean
	}
	return f
}

// bareDelay returns the bins from a drift to the alarm, starting from calm.
func bareDelay(rng *rand.Rand, mean, k, drift, threshold float64) float64 {
	f := steadyForecast(mean, k)
	var stat [fleet.NumRates]float64
	for bin := -48; ; bin++ {
		m := mean
		if bin >= 0 {
			m *= drift
		}
		sum := 0.0
		for i, l := range f.ratios(negBinomial(rng, m, k)) {
			stat[i] = (stat[i] + 1) * math.Exp(l)
			sum += stat[i]
		}
		if bin >= 0 && math.Log(sum/fleet.NumRates) >= threshold {
			return float64(bin + 1)
		}
	}
}

// figuresEngine measures the shipped engine, with baselines that it has
// learned in six weeks, against leaks by a steady identity and by a clerk. All
// of it runs with -v; else a short form.
func figuresEngine(t *testing.T) {
	rates, seeds := []float64{3}, uint64(3)
	if testing.Verbose() {
		rates, seeds = []float64{1.5, 2, 3, 5}, 8
	}
	for _, kind := range []string{"steady, all known", "steady, leak unread", "clerk, leak unread"} {
		for _, r := range rates {
			var delays []float64
			missed := 0
			for seed := uint64(50); seed < 50+seeds; seed++ {
				d := engineDelay(seed, kind, r)
				if d < 0 {
					missed++
					continue
				}
				delays = append(delays, d)
			}
			sum := 0.0
			for _, d := range delays {
				sum += d
			}
			mean := sum / float64(max(len(delays), 1))
			t.Logf("%s, %.1f×: %.1f h on average, %d of %d not within two weeks", kind, r, mean, missed, seeds)
			if r >= 3 && (missed > 0 || mean > 12) {
				t.Errorf("%s, %.1f×: %.1f h on average, %d of %d missed; want all within hours", kind, r, mean, missed, seeds)
			}
		}
	}
}

// engineDelay plays six weeks of calm and two of a leak in a company of 60, and
// returns the hours, nights included, to evidence over the threshold; -1 for
// none.
func engineDelay(seed uint64, kind string, r float64) float64 {
	const leakDay = 42
	begin := leakDay*24 + 9
	people := staff(seed, 60)
	thief := &someone{name: "thief", k: 5, novelty: 0.1, work: steady(20), rng: rand.New(rand.NewPCG(seed, 3))}
	if kind == "clerk, leak unread" {
		thief.k, thief.work = 2.5, clerk(77, 20)
	}
	thief.newLeak = kind != "steady, all known"
	thief.leak = func(hour int) float64 {
		if hour >= begin {
			return r
		}
		return 1
	}
	c := newCompany(2, append(people, thief))
	found := -1.0
	c.onOver = func(who *someone, hour int) {
		if who == thief && hour >= begin && found < 0 {
			found = float64(hour - begin + 1)
		}
	}
	c.run(leakDay + 14)
	return found
}
