package score

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSlowGrowth says what a steady identity cannot hide: one
// that grows by 5 % a day is found before it has doubled.
func TestSlowGrowth(t *testing.T) {
	const calmDays = 28
	frog := &someone{name: "frog", k: 5, novelty: 0.1, work: steady(20), rng: rand.New(rand.NewPCG(31, 3))}
	frog.leak = func(hour int) float64 { return math.Exp(0.05 * max(0, float64(hour)/24-calmDays)) }
	c := newCompany(2, append(staff(31, 60), frog))
	day := -1
	c.onOver = func(who *someone, hour int) {
		if who == frog && day < 0 && hour >= calmDays*24 {
			day = hour/24 - calmDays
		}
	}
	c.run(calmDays + 14)
	t.Logf("found on day %d", day)
	if day < 0 {
		t.Error("not found in two weeks")
	}
}
