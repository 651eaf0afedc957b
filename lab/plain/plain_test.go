package plain

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/lab/exact"
)

// day gives a detector one hour of a day with so many records.
func day(d *Detector, s *State, n int64, records float64, teach bool) float64 {
	c := exact.Counts{}
	c.Day[exact.Distinct], c.Hour[exact.Distinct] = records, records
	return d.Judge(s, 24*n+9, &c, teach)
}

func TestDrift(t *testing.T) {
	d := New(1)
	s := d.NewState(0)
	for n := range int64(30) {
		if log := day(d, s, n, 20, false); log > 3 {
			t.Fatalf("evidence of the usual on day %d: %.1f", n, log)
		}
	}
	first := day(d, s, 30, 100, false)
	second := day(d, s, 31, 100, false)
	if first < 3 || second < first+1 {
		t.Errorf("five times the usual: %.1f after a day, %.1f after two", first, second)
	}
}

// The mean of the likelihood ratio is one under the null, which the statistic
// rests on.
func TestRatio(t *testing.T) {
	s := &State{days: youth, factor: 1}
	s.means[0][exact.Distinct] = 12
	var sum [len(Rates)]float64
	for c := range 5000 {
		s.counts[exact.Distinct] = float64(c)
		for i, v := range s.step(0, int(exact.Distinct)) {
			a, _ := math.Lgamma(float64(c) + dispersion)
			b, _ := math.Lgamma(dispersion)
			f, _ := math.Lgamma(float64(c) + 1)
			p := a - b - f + dispersion*math.Log(dispersion/(dispersion+12)) + float64(c)*math.Log(12/(dispersion+12))
			sum[i] += math.Exp(v + p)
		}
	}
	for i, v := range sum {
		if math.Abs(v-1) > 1e-6 {
			t.Errorf("rate %v: the mean ratio is %v, want 1", Rates[i], v)
		}
	}
}

func TestCommonFactor(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	d := New(1)
	all := make([]*State, 40)
	for i := range all {
		all[i] = d.NewState(0)
	}
	worst := 0.0
	for n := range int64(60) {
		times := 1.0
		if n == 50 {
			times = 4 // a campaign
		}
		for range 2 { // two hours: the second knows what the first said
			worst = 0
			for _, s := range all {
				worst = max(worst, day(d, s, n, math.Round(times*(15+10*rng.Float64())), true))
			}
			d.EndHour()
		}
		if n == 50 && worst > 5 {
			t.Errorf("a day on which all do four times the usual gives evidence of %.1f", worst)
		}
	}
	alone := d.NewState(0)
	for n := range int64(50) {
		day(New(1), alone, n, 20, false)
	}
	if log := day(New(1), alone, 50, 80, false); log < 2.5 {
		t.Errorf("four times the usual by one alone: evidence %.1f", log)
	}
}

// Nothing is said of an identity in its first days, and a slow mean does not
// follow what is new at once.
func TestYouthAndLag(t *testing.T) {
	d := New(1)
	s := d.NewState(0)
	for n := range int64(silent) {
		if log := day(d, s, n, 1000, false); log != 0 {
			t.Errorf("day %d of an identity: evidence %v", n, log)
		}
	}
	s = d.NewState(0)
	for n := range int64(20) {
		day(d, s, n, 10, false)
	}
	for n := int64(20); n < 25; n++ {
		day(d, s, n, 30, false)
	}
	day(d, s, 25, 30, false)
	if fast, slow := s.means[0][exact.Distinct], s.means[1][exact.Distinct]; fast < 20 || slow > 10.01 {
		t.Errorf("after five days at thrice the usual the means are %.1f and %.1f", fast, slow)
	}
}
