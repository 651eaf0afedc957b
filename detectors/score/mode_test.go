package score

import (
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/detectors/fleet"
)

// twice plays 200 people with a few records an hour, whose days differ, for two
// weeks, and returns the mean common mode that was expected of the working hours
// of an ordinary day and of one on which all do twice as much. extra is what some
// of them read more on the latter, instead.
func twice(seed uint64, all float64, few int, extra float64) (calm, busy float64) {
	e := NewEngine(Config{Dimensions: []string{"user"}})
	f, p := e.NewFleet(), e.DefaultParameters()
	rng := rand.New(rand.NewPCG(seed, 12))
	people := make([]State, 200)
	factor := make([]float64, len(people))
	for hour := range 16 * 24 {
		day, hourOfDay := hour/24, hour%24
		if hourOfDay == 0 {
			for i := range factor {
				factor[i] = gamma(rng, 3)
			}
		}
		var sums fleet.Sums
		if day%7 < 5 && hourOfDay >= 8 && hourOfDay < 17 {
			for i := range people {
				mean := 4 * factor[i]
				if day == 15 {
					mean *= all
				}
				n := negBinomial(rng, mean, 2)
				if day == 15 && i < few {
					n += poisson(rng, extra)
				}
				if n > 0 {
					e.Close(&people[i], 0, monday+int64(hour), fleet.Counts{fleet.Distinct: n, fleet.FirstTouch: n}, p, &sums)
				}
			}
		}
		p = e.CloseBin(f, monday+int64(hour), &sums)
		if mode := p.Dimensions[0].Mode[fleet.Distinct]; hourOfDay >= 9 && hourOfDay < 16 {
			switch day {
			case 14:
				calm += mode / 7
			case 15:
				busy += mode / 7
			}
		}
	}
	return calm, busy
}

// TestModeOfManyWithLittle: where people read a few records an hour, most of what
// a busy day changes is how many of them read any; so the mode follows from what
// all do. A tenth of them who read a great deal more are no busy day.
func TestModeOfManyWithLittle(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		calm, busy := twice(seed, 2, 0, 0)
		_, leak := twice(seed, 1, 20, 40)
		t.Logf("seed %d: mode %.2f on an ordinary day, %.2f where all do twice as much, %.2f where a tenth reads ten times as much", seed, calm, busy, leak)
		if calm > 1.1 || busy < 1.6 || busy > 2.4 || leak > 1.2 {
			t.Errorf("seed %d: mode %.2f on an ordinary day, %.2f where all do twice as much, %.2f where a tenth reads ten times as much", seed, calm, busy, leak)
		}
	}
}
