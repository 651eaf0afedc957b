package theory

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/weirhq/weir/detectors/score"
)

// long reports whether the long form of a measurement is asked for: make lab.
func long() bool { return os.Getenv("WEIR_LAB") != "" }

var drifts = []float64{1.5, 2, 3, 5}

const year = 365 * 24 // bins

// TestLabTheory measures the delay of a drift in hourly counts of mean 20, at
// equal realised mean time between false alarms: 1,000 identity-years (in short
// runs, one).
func TestLabTheory(t *testing.T) {
	arl, bins, runs, ks := 1.0*year, 400_000, 200, []float64{5}
	if long() {
		arl, bins, runs, ks = 1000*year, 30_000_000, 1000, []float64{5, 1.7}
	}
	for _, k := range ks {
		n := NewNoise(20, k, drifts)
		floor := make([]float64, len(drifts))
		for i, r := range drifts {
			floor[i] = measure(NewCUSUM(n, r), n, r, arl, bins, runs)
		}
		t.Logf("k = %g, one false alarm in %.0f identity-years", k, arl/year)
		row(t, "CUSUM tuned to the drift (the floor)", floor, floor)
		known := each(NewMixture(n, score.Rates[:], n.Mean/(1+n.Mean)), n, arl, bins, runs)
		row(t, "mixture, baseline known", known, floor)
		for i, r := range drifts {
			if known[i] > 1.3*floor[i]+0.6 {
				t.Errorf("a drift to %g takes the mixture %.1f h, the floor is %.1f h", r, known[i], floor[i])
			}
		}
		if long() {
			row(t, "24 h window", each(NewWindow(n, 24), n, arl, bins, runs), floor)
			row(t, "1 h threshold", each(NewWindow(n, 1), n, arl, bins, runs), floor)
			row(t, "mean + c sd over 30 days", each(NewZScore(30*24), n, arl, bins, runs), floor)
			row(t, "EWMA, weight 0.1", each(NewEWMA(n, 0.1), n, arl, bins, runs), floor)
		}
	}
}

func measure(d Sequential, n *Noise, drift, arl float64, bins, runs int) float64 {
	rng := rand.New(rand.NewPCG(1, uint64(10*drift)))
	return Delay(d, n, rng, drift, Calibrate(d, n, rng, bins, arl), runs, 20_000)
}

func each(d Sequential, n *Noise, arl float64, bins, runs int) []float64 {
	rng := rand.New(rand.NewPCG(2, 2))
	threshold := Calibrate(d, n, rng, bins, arl)
	out := make([]float64, len(drifts))
	for i, r := range drifts {
		out[i] = Delay(d, n, rng, r, threshold, runs, 20_000)
	}
	return out
}

// row prints delays in hours and as multiples of the floor.
func row(t *testing.T, name string, delays, floor []float64) {
	var b strings.Builder
	for i, d := range delays {
		fmt.Fprintf(&b, "  %8.1f h (%.2f)", d, d/floor[i])
	}
	t.Logf("  %-40s%s", name, b.String())
}

// The counts have the mean and the dispersion asked for.
func TestNoise(t *testing.T) {
	n := NewNoise(20, 5, []float64{3})
	for _, r := range []float64{1, 3} {
		rng := rand.New(rand.NewPCG(1, 1))
		sum, square, runs := 0.0, 0.0, 200_000.0
		for range int(runs) {
			c := float64(n.Draw(rng, r))
			sum += c
			square += c * c
		}
		mean := sum / runs
		variance, want := square/runs-mean*mean, r*20+r*20*r*20/5
		if math.Abs(mean-r*20) > 0.02*r*20 || math.Abs(variance-want) > 0.04*want {
			t.Errorf("drift %g: mean %.2f, variance %.1f; want %g and %g", r, mean, variance, r*20, want)
		}
	}
}

// The threshold of a tail that is exponential is where theory has it, counted
// and extrapolated alike.
func TestThreshold(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	p := Peaks{Bins: 1_000_000}
	for range 100_000 {
		p.List = append(p.List, rng.ExpFloat64())
	}
	for _, arl := range []float64{100, 3000, 1e6, 1e8} {
		// 0.1 e^-h peaks a bin reach h.
		want := math.Log(0.1 * arl)
		if got := p.Threshold(arl); math.Abs(got-want) > 0.5 {
			t.Errorf("one in %g bins: %.2f, want %.2f", arl, got, want)
		}
	}
}

// Two crossings are one alarm as long as the statistic has not come to rest.
func TestPeaksAreExcursions(t *testing.T) {
	var p Peaks
	for _, v := range []float64{0, 3, 5, 2, 6, 0, 4, 0, 9} {
		p.Add(v, 1)
	}
	if fmt.Sprint(p.List) != "[6 4]" || p.Bins != 9 {
		t.Errorf("peaks %v in %d bins", p.List, p.Bins)
	}
}

// The rules of thumb say what they are said to say.
func TestRulesOfThumb(t *testing.T) {
	n := NewNoise(20, 5, nil)
	w := NewWindow(n, 3)
	w.Reset()
	for _, c := range []struct{ count, want int }{{20, 60}, {50, 90}, {50, 120}, {50, 150}, {0, 100}} {
		if got := w.Step(c.count); got != float64(c.want) {
			t.Errorf("after %d the window holds %g, want %d", c.count, got, c.want)
		}
	}
	z := NewZScore(4)
	for _, c := range []int{10, 20, 10, 20} {
		z.Step(c)
	}
	if got := z.Step(25); got != 2 { // mean 15, sd 5
		t.Errorf("25 is %g sd over 10, 20, 10, 20; want 2", got)
	}
	e := NewEWMA(n, 0.5)
	if got := e.Step(40); got != 30 {
		t.Errorf("EWMA from 20 to 40 by half is %g", got)
	}
}
