package score

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
	"pgregory.net/rapid"
)

func oneDimension() (*Engine, *fleet.Parameters) {
	e := NewEngine(Config{Dimensions: []string{"user"}})
	return e, e.DefaultParameters()
}

// referenceNB is the log probability of the textbook.
func referenceNB(c, mu, k float64) float64 {
	a, _ := math.Lgamma(c + k)
	b, _ := math.Lgamma(k)
	f, _ := math.Lgamma(c + 1)
	return a - b - f + k*math.Log(k/(k+mu)) + c*math.Log(mu/(k+mu))
}

// TestRecursion holds the statistics against the definition: R_n is the sum
// over all bins j in which the change may have begun of ν_j times the product
// of likelihood ratios from j on, written out in densities.
func TestRecursion(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		mu := math.Exp(rng.NormFloat64() * 2)
		f := steadyForecast(mu, 0.1+9*rng.Float64())
		f.work, f.unlike = max(30, mu), 0.1*rng.Float64()
		if mu < 30.0/4 {
			f.stray = strayOffWork
		}
		nu := mu / (1 + mu)
		var stat [fleet.NumRates]float64
		var products [][fleet.NumRates]float64
		for range 30 {
			c := negBinomial(rng, 2*mu, f.k)
			if c > mu && f.gap(c) > wellExplained {
				c = math.Floor(mu) // TestBounded looks at these
			}
			ratios := f.ratios(c)
			step(&stat, &ratios, nu, 1, math.Inf(1))
			var ratio [fleet.NumRates]float64
			for i, r := range fleet.Rates {
				null := math.Exp(referenceNB(c, mu, f.k))
				if c > mu && !f.ordinary(c) {
					null = (1-f.stray)*null + f.stray*math.Exp(referenceNB(c, f.work, 1))
					null = (1-f.unlike)*null + f.unlike/(anySize*(c+1))
				}
				ratio[i] = math.Exp(referenceNB(c, r*mu, f.k)) / null
			}
			products = append(products, [fleet.NumRates]float64{1, 1, 1, 1, 1})
			for j := range products {
				for i := range ratio {
					products[j][i] *= ratio[i]
				}
			}
		}
		for i := range stat {
			want := 0.0
			for j := range products {
				want += nu * products[j][i]
			}
			if math.Abs(math.Log(stat[i]/want)) > 1e-6 {
				t.Fatalf("rate %g: recursion %g, definition %g (mu %g, k %g)", fleet.Rates[i], stat[i], want, mu, f.k)
			}
		}
	}
}

// TestMartingale checks what the false-alarm bound rests on: under the null,
// the mean of R after n bins is at most n.
func TestMartingale(t *testing.T) {
	for _, p := range [][2]float64{{0.2, 1}, {20, 5}, {300, 2}} {
		f := steadyForecast(p[0], p[1])
		for i, r := range fleet.Rates {
			mean := 0.0
			for c := 0.0; c < 6000; c++ {
				mean += math.Exp(referenceNB(c, f.null, f.k) + f.ratios(c)[i])
			}
			if mean > 1+1e-6 {
				t.Errorf("mean %g, k %g, rate %g: the likelihood ratio's expectation is %g, want at most 1", p[0], p[1], r, mean)
			}
		}
	}
}

// TestEarlyGrows: what a bin's count says grows as the count does, but for a dip
// of a fraction of a nat, so what is scored early is not taken back at the bin's
// end, and the last early score is that of the close.
func TestEarlyGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, p := oneDimension()
		mean := rapid.SampledFrom([]float64{0.2, 3, 20, 20000}).Draw(t, "mean")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var s State
		bin := int64(monday)
		for range rapid.IntRange(0, 400).Draw(t, "bins") {
			bin += int64(1 + rng.IntN(4)*rng.IntN(20))
			c := negBinomial(rng, mean, 2)
			e.Close(&s, 0, bin, fleet.Counts{c, math.Floor(c / 3)}, p, nil)
		}
		bin += int64(rapid.SampledFrom([]int{1, 2, 30, 200, 500}).Draw(t, "gap"))
		last := math.Inf(-1)
		var ev fleet.Evidence
		unread := s.Clone()
		if ev := e.Early(&unread, 0, bin, fleet.Counts{9, 9}, p); s.LastBin() != bin-1 && ev.Scored {
			t.Fatal("a bin was scored although silent bins before it are open")
		}
		if string(unread.AppendBinary(nil)) != string(s.AppendBinary(nil)) {
			t.Fatal("scoring early changed the state")
		}
		e.Advance(&s, 0, bin, p)
		before := string(s.AppendBinary(nil))
		c := fleet.Counts{}
		for range 6 {
			ev = e.Early(&s, 0, bin, c, p)
			if log := ev.Measures[fleet.Distinct].Log; last > 0 && log < last-0.5 {
				t.Fatalf("the evidence fell from %g to %g as the count grew to %v", last, log, c)
			} else {
				last = log
			}
			c[fleet.Distinct] += math.Round(mean * rng.Float64() * 3)
			c[fleet.FirstTouch] += math.Round(mean * rng.Float64())
		}
		if string(s.AppendBinary(nil)) != before {
			t.Fatal("scoring early changed the state")
		}
		early := e.Early(&s, 0, bin, c, p)
		if closed := e.Close(&s, 0, bin, c, p, nil); closed != early {
			t.Fatalf("early %+v, closed %+v", early, closed)
		}
	})
}

// TestSilenceCaughtUp: closing silent bins one by one, or all at once with the
// next count, is the same.
func TestSilenceCaughtUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, p := oneDimension()
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var lazy, eager State
		bin := int64(monday)
		for range rapid.IntRange(1, 100).Draw(t, "visits") {
			gap := int64(1 + rng.IntN(30))
			c := negBinomial(rng, 20, 2)
			c++
			for b := bin + 1; b < bin+gap && eager.Seen(); b++ {
				e.Close(&eager, 0, b, fleet.Counts{}, p, nil)
			}
			bin += gap
			a := e.Close(&lazy, 0, bin, fleet.Counts{c, 1}, p, nil)
			b := e.Close(&eager, 0, bin, fleet.Counts{c, 1}, p, nil)
			if a != b {
				t.Fatalf("lazy %+v, eager %+v", a, b)
			}
		}
		if string(lazy.AppendBinary(nil)) != string(eager.AppendBinary(nil)) {
			t.Fatal("the states differ")
		}
	})
}

// TestSilenceIsNotEvidence: a year of near silence gathers none.
func TestSilenceIsNotEvidence(t *testing.T) {
	e, p := oneDimension()
	var s State
	for day := range int64(365) {
		ev := e.Close(&s, 0, monday+day*24*5, fleet.Counts{1, 1}, p, nil)
		if ev.Log >= fleet.CandidateCut {
			t.Fatalf("one record every five days: log evidence %g after %d", ev.Log, day)
		}
	}
}

// TestCoolsDown: after the largest evidence there is, an identity that returns
// to its usual work is calm within three days, and stays hot for the six hours
// that closing takes.
func TestCoolsDown(t *testing.T) {
	e, p := oneDimension()
	s, bin := warm(e, p, 20)
	for range 48 {
		e.Close(&s, 0, bin, fleet.Counts{400, 400}, p, nil)
		bin++
	}
	if s.Log() < p.Threshold(0)+4 || !e.Hot(&s, 0, p) {
		t.Fatalf("two days at twenty times: log %g, hot %v", s.Log(), e.Hot(&s, 0, p))
	}
	rng := rand.New(rand.NewPCG(9, 9))
	below := 0
	for hour := 0; ; hour++ {
		c := negBinomial(rng, 20, 5)
		ev := e.Close(&s, 0, bin, fleet.Counts{c, c / 4}, p, nil)
		bin++
		if ev.Log < fleet.MinThreshold-episode.Margin {
			below++
			if below <= 6 && !e.Hot(&s, 0, p) {
				t.Fatalf("not hot %d hours after the evidence fell", below)
			}
		}
		if below > 6 {
			t.Logf("calm %d hours after the leak", hour)
			break
		}
		if hour > 72+24 {
			t.Fatalf("still %g after %d hours", ev.Log, hour)
		}
	}
}

// TestHostileCounts: nothing that a caller may hand in breaks the state.
func TestHostileCounts(t *testing.T) {
	e, p := oneDimension()
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -5, 1e300, 0.4} {
		var s State
		for i := range int64(100) {
			ev := e.Close(&s, 0, monday+i, fleet.Counts{v, v}, p, nil)
			if math.IsNaN(ev.Log) || math.IsInf(ev.Log, 0) || ev.Log > fleet.MaxLog+1e-6 {
				t.Fatalf("count %g: log evidence %g", v, ev.Log)
			}
		}
		if _, _, err := DecodeState(s.AppendBinary(nil)); err != nil {
			t.Fatalf("count %g: %v", v, err)
		}
	}
	var s State
	for _, bin := range []int64{-5, 0, 1, math.MaxInt64} {
		if ev := e.Close(&s, 0, bin, fleet.Counts{3, 1}, p, nil); math.IsNaN(ev.Log) {
			t.Fatalf("bin %d: %+v", bin, ev)
		}
	}
}

// TestBounded: one bin's evidence is bounded, however large the count, and large
// enough to alert a fleet of hundreds at once.
func TestBounded(t *testing.T) {
	f := steadyForecast(20, 5)
	f.unlike = 1e-4
	huge := f.ratios(1e6)
	for c := 20.0; c < 1e6; c *= 1.1 {
		at := f.ratios(math.Floor(c))
		for i := range at {
			if at[i] > huge[i]+0.3 {
				t.Fatalf("rate %g: %g at count %.0f, but %g at a million", fleet.Rates[i], at[i], c, huge[i])
			}
		}
	}
	if huge[4] < 8 {
		t.Errorf("a million where 20 are expected: %v", huge)
	}
	// A newcomer's first bin says next to nothing, whatever its size.
	e, p := oneDimension()
	for _, c := range []float64{1, 30, 1000, 1e6} {
		var s State
		if ev := e.Close(&s, 0, monday, fleet.Counts{c, c}, p, nil); ev.Log > 2 {
			t.Errorf("first bin of a newcomer, %g records: log evidence %g", c, ev.Log)
		}
	}
}
