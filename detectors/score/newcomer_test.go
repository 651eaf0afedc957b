package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/detectors/fleet"
)

// TestThiefFromDayOne: nine thousand customers and a hundred agents, and some
// hundreds of new accounts. A customer's account made today that reads forty
// records, half of what an agent reads in a day, is caught on that day; new
// customers and new agents who are like the others open nothing.
func TestThiefFromDayOne(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of CPU: months of a company")
	}
	const start = 14
	for seed := uint64(1); seed <= 2; seed++ {
		people := shop(seed, 9000, 100)
		joined := map[string]bool{}
		add := func(name, group string, from int, work func(*rand.Rand, int, int) float64) {
			people = append(people, &someone{name: name, group: group, k: 2.5, novelty: 1, from: from, work: work, rng: rand.New(rand.NewPCG(seed, uint64(len(people))))})
			joined[name] = true
		}
		for i := range 8 {
			add(fmt.Sprintf("new agent %d", i), "GET /care/customer", start, clerk(seed*77+uint64(i), 8))
		}
		for i := range 600 {
			add(fmt.Sprintf("new customer %d", i), "GET /me/orders", i/30, steady(0.012))
		}
		thief := &someone{name: "thief", group: "GET /me/orders", from: start}
		thief.script = func(_ *rand.Rand, day, hour int) fleet.Counts {
			if day == start && hour >= 9 && hour < 19 {
				return fleet.Counts{fleet.Distinct: 4, fleet.FirstTouch: 4}
			}
			return fleet.Counts{}
		}
		c := newCompany(2, append(people, thief))
		opened := c.openings(start + 7)
		if days := opened["thief"]; len(days) == 0 || days[0] != start {
			t.Errorf("seed %d: the new customer who reads 40 records opens on days %v, want the first, %d", seed, days, start)
		}
		for name, days := range opened {
			if joined[name] {
				t.Errorf("seed %d: %s opens on days %v", seed, name, days)
			}
		}
		for _, g := range c.params.Dimensions[0].Groups {
			p := g.Prior[fleet.Newcomer]
			t.Logf("seed %d: newcomers of %s: %.1f records, variance of the logs %.1f", seed, g.Peers, p.Mean, p.InverseK)
		}
	}
}

// TestNewcomerIsTold: as long as what a newcomer read in its first two days
// stands as evidence, its total is told, not the count of a later bin.
func TestNewcomerIsTold(t *testing.T) {
	e := NewEngine(Config{Dimensions: []string{"user"}})
	p := e.DefaultParameters()
	s := new(State)
	for bin := int64(0); bin < 40; bin++ {
		e.Close(s, 0, bin, fleet.Counts{fleet.Distinct: 5000, fleet.FirstTouch: 5000}, p, nil)
	}
	for bin := int64(40); bin < 60; bin++ {
		ev := e.Close(s, 0, bin, fleet.Counts{}, p, nil)
		if m := ev.Measures[fleet.Newcomer]; !m.Judged || m.Observed != 200_000 {
			t.Fatalf("bin %d: %g records are told (judged: %v), want all 200000", bin, m.Observed, m.Judged)
		}
	}
}

// TestNewcomerRatio: what the statistic rests on: under the null, which is the
// log-normal with its contamination, its expectation is at most one.
func TestNewcomerRatio(t *testing.T) {
	for _, w := range []rowsOf{{1, 0.3}, {math.Log(10), 9}, {5, 1}} {
		const step = 0.001
		for i, r := range fleet.Rates {
			mean := 0.0
			for x := -20.0; x < anyRows; x += step {
				z := x - w.mean
				null := (1-fleet.StrangeNewcomers)*math.Exp(-z*z/2/w.variance)/math.Sqrt(2*math.Pi*w.variance) + fleet.StrangeNewcomers/anyRows
				if drift := math.Exp(w.against(math.Exp(x), fleet.StrangeNewcomers)[i]); x-w.mean < rowsReach {
					mean += step * null * drift
				}
			}
			if mean > 1.001 {
				t.Errorf("%+v, rate %g: expectation %g", w, r, mean)
			}
		}
	}
}

// TestSuccessors: who takes over a predecessor's load opens nothing, however
// large that is: a rotated signing key, the old one fading for a day; a renamed
// service; a release under another name.
func TestSuccessors(t *testing.T) {
	const start = 21*24 + 10
	rise := func(hour, hours int) float64 { return min(max(float64(hour-start+1)/float64(hours), 0), 1) }
	for name, c := range map[string]struct {
		mean  float64
		hours int
	}{
		"a signing key is rotated":     {600, 24},
		"a large one is":               {100_000, 24},
		"a service is renamed":         {2000, 1},
		"an app has a new family name": {20_000, 48},
	} {
		for seed := uint64(1); seed <= 4; seed++ {
			var list []*someone
			add := func(name string, mean float64, share func(hour int) float64) {
				list = append(list, &someone{name: name, group: "GET /internal/customers", rng: rand.New(rand.NewPCG(seed, uint64(len(list)))),
					script: func(rng *rand.Rand, day, hour int) fleet.Counts {
						n := negBinomial(rng, mean*share(day*24+hour), 30)
						return fleet.Counts{fleet.Distinct: n, fleet.FirstTouch: math.Floor(0.3 * n), fleet.Subjects: poisson(rng, n/3)}
					}})
			}
			for i, mean := range []float64{15, 20, 30, 60, 70, 150, 200, 400, 1000} {
				add(fmt.Sprint("steady", i), mean, func(int) float64 { return 1 })
			}
			add("old", c.mean, func(hour int) float64 { return 1 - rise(hour, c.hours) })
			add("new", c.mean, func(hour int) float64 { return rise(hour, c.hours) })
			list[len(list)-1].from = 21
			if days := newCompany(2, list).openings(28)["new"]; len(days) > 0 {
				t.Errorf("%s, seed %d: the new one opens on days %v", name, seed, days)
			}
		}
	}
}
