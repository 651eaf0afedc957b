package score

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
)

// tale is one identity whose counts a test writes by hand, in a small company of
// clerks and services.
type tale struct {
	name   string
	counts func(rng *rand.Rand, day, hour int) fleet.Counts // day 0 is a Monday
}

// openings plays the identity among 20 clerks, at a budget of so many openings a
// day, and returns the days on which an episode of it opens.
func (p *tale) openings(seed uint64, days int, budget float64, loc *time.Location) (opened []int) {
	c := newCompany(budget, staff(seed, 20))
	if loc != nil {
		c.engine = NewEngine(Config{Budget: budget, Dimensions: []string{"user"}, Location: loc})
	}
	who := &someone{name: p.name, rng: rand.New(rand.NewPCG(seed, 77)), script: p.counts}
	c.people = append(c.people, who)
	c.onAlert = func(s *someone, hour int, _ episode.Decision, _ fleet.Evidence) {
		if s == who {
			opened = append(opened, hour/24)
		}
	}
	c.run(days)
	return opened
}

// office is a clerk's day with its own frailty: the mean at an hour.
func office(level float64) func(rng *rand.Rand, day, hour int) float64 {
	today, factor := -1, 0.0
	return func(rng *rand.Rand, day, hour int) float64 {
		if day != today {
			today, factor = day, gamma(rng, 3)
		}
		if day%7 < 5 && hour >= 8 && hour < 17 {
			return level * factor
		}
		return 0
	}
}

// Fresh splits a count into first touches of a share.
func fresh(rng *rand.Rand, n, share float64) fleet.Counts {
	f := 0.0
	for range int(min(n, 1000)) {
		if rng.Float64() < share {
			f++
		}
	}
	return fleet.Counts{fleet.Distinct: n, fleet.FirstTouch: math.Round(f * max(1, n/1000))}
}

// benignBudget is that of the tales of benign life: an opening in five days among
// the 28 of the small company is one in three each in six weeks.
const benignBudget = 0.2

// TestBenignLife plays what happens in every company and is no leak. Each may
// open an episode at most as often as the table says, over six weeks and three
// seeds.
func TestBenignLife(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of CPU: months of a company")
	}
	one := func(level, share float64, factor func(day, hour int) float64) func(*rand.Rand, int, int) fleet.Counts {
		work := office(level)
		return func(rng *rand.Rand, day, hour int) fleet.Counts {
			mean := work(rng, day, hour) * factor(day, hour)
			if mean == 0 {
				return fleet.Counts{}
			}
			return fresh(rng, negBinomial(rng, mean, 5), share)
		}
	}
	usual := func(int, int) float64 { return 1 }
	clerkly, late := office(10), office(20)
	night := func(rng *rand.Rand, day, hour int) float64 { return late(rng, day, hour-5) }
	for _, c := range []struct {
		tale
		from int // day from which openings count
		may  int
	}{
		{tale{"a vacation of two weeks", one(12, 0.5, func(day, _ int) float64 {
			if day >= 21 && day < 35 {
				return 0
			}
			return 1
		})}, 35, 1},
		{tale{"two weeks after a new role: twice the work, at other hours, for good", func(rng *rand.Rand, day, hour int) fleet.Counts {
			mean := night(rng, day, hour)
			if day < 21 {
				mean = clerkly(rng, day, hour)
			}
			if mean == 0 {
				return fleet.Counts{}
			}
			return fresh(rng, negBinomial(rng, mean, 5), 0.5)
		}}, 35, 1},
		{tale{"a monthly batch", func(rng *rand.Rand, day, hour int) fleet.Counts {
			if day%28 == 3 && hour == 2 {
				return fresh(rng, negBinomial(rng, 20000, 20), 0.3)
			}
			return fleet.Counts{}
		}}, 0, 1},
		{tale{"a batch round all customers: all new for three weeks, then none", func(rng *rand.Rand, day, hour int) fleet.Counts {
			if hour != 1 {
				return fleet.Counts{}
			}
			share := 1.0
			if day%42 >= 21 {
				share = 0
			}
			return fresh(rng, negBinomial(rng, 9000, 50), share)
		}}, 0, 1},
		{tale{"a nightly batch that breaks off and runs again", func(rng *rand.Rand, day, hour int) fleet.Counts {
			switch {
			case hour == 1, hour == 4 && day%15 == 11:
				return fresh(rng, negBinomial(rng, 5000, 50), 0.3)
			}
			return fleet.Counts{}
		}}, 0, 1},
		{tale{"an engineer on call", func(rng *rand.Rand, day, hour int) fleet.Counts {
			begin := int(rand.New(rand.NewPCG(uint64(day), 3)).Uint64() % 20)
			if day%5 == 2 && hour >= begin && hour < begin+3 {
				return fresh(rng, negBinomial(rng, 40, 3), 0.8)
			}
			return fleet.Counts{}
		}}, 0, 2},
		{tale{"a service that grows by a percent a day, through as many more actors", func(rng *rand.Rand, day, _ int) fleet.Counts {
			grown := math.Pow(1.01, float64(day))
			n := fresh(rng, negBinomial(rng, 300*grown, 10), 0.2)
			n[fleet.Subjects] = math.Round(100 * grown)
			return n
		}}, 0, 1},
		{tale{"many reads of the same customers", one(12, 0.3, func(day, _ int) float64 {
			if day >= 28 {
				return 1.5
			}
			return 1
		})}, 0, 1},
		{tale{"a weekly report of 200,000 rows", func(_ *rand.Rand, day, hour int) fleet.Counts {
			if day%7 == 0 && hour == 6 {
				return fleet.Counts{fleet.RowsRead: 200_000}
			}
			return fleet.Counts{}
		}}, 0, 0},
		{tale{"an analyst's exports of 500 to 5,000 rows", func(rng *rand.Rand, day, hour int) fleet.Counts {
			n := one(10, 0.5, usual)(rng, day, hour)
			if n[fleet.Distinct] > 0 && rng.IntN(10) == 0 {
				n[fleet.RowsRead] = float64(500 + rng.IntN(4500))
			}
			return n
		}}, 0, 1},
		{tale{"a clerk who deletes now and then", func(rng *rand.Rand, day, hour int) fleet.Counts {
			n := one(14, 0.84, usual)(rng, day, hour)
			n[fleet.Destructive] = min(n[fleet.Distinct], poisson(rng, 0.05*n[fleet.Distinct]))
			return n
		}}, 0, 1},
	} {
		total := 0
		for seed := uint64(1); seed <= 3; seed++ {
			opened := c.openings(seed, 42, benignBudget, nil)
			total += len(opened)
			opened = slices.DeleteFunc(opened, func(day int) bool { return day < c.from })
			if len(opened) > c.may {
				t.Errorf("%s, seed %d: opens on days %v, may %d times", c.name, seed, opened, c.may)
			}
		}
		t.Logf("%s: %d openings in 18 weeks", c.name, total)
	}
}

// TestClockChange: people follow the clock on the wall, also on the morning after
// it was set forward.
func TestClockChange(t *testing.T) {
	berlin := mustZone(t, "Europe/Berlin")
	work := office(15)
	p := tale{"clerk", func(rng *rand.Rand, day, hour int) fleet.Counts {
		at := time.Unix((monday+int64(day*24+hour))*3600, 0).In(berlin) // from 2 March on; the clock changes on the 29th
		mean := work(rng, int(at.Weekday()+6)%7+7*(day/7), at.Hour())
		if mean == 0 {
			return fleet.Counts{}
		}
		return fresh(rng, negBinomial(rng, mean, 5), 0.5)
	}}
	for seed := uint64(1); seed <= 3; seed++ {
		for _, day := range p.openings(seed, 42, benignBudget, berlin) {
			if day >= 27 {
				t.Errorf("seed %d: opens on day %d, the clock changed on day 27", seed, day)
			}
		}
	}
}

// TestLeaks plays thefts that must be found, and says how long it takes.
func TestLeaks(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of CPU: months of a company")
	}
	const from = 28 // day, a Monday
	clerk := func(level, share, times float64) func(*rand.Rand, int, int) fleet.Counts {
		work := office(level)
		return func(rng *rand.Rand, day, hour int) fleet.Counts {
			mean := work(rng, day, hour)
			if mean == 0 {
				return fleet.Counts{}
			}
			n := fresh(rng, negBinomial(rng, mean, 6), share)
			if day >= from {
				stolen := poisson(rng, mean*(times-1))
				n[fleet.Distinct] += stolen
				n[fleet.FirstTouch] += stolen
			}
			return n
		}
	}
	for _, c := range []struct {
		tale
		within int // days
	}{
		{tale{"an agent at three times the usual, unread customers on top", clerk(11, 0.6, 3)}, 2},
		{tale{"an account manager at five times", clerk(6, 0.1, 5)}, 1},
		{tale{"one who reads as much as ever, but none of it again", func(rng *rand.Rand, day, hour int) fleet.Counts {
			n := clerk(10, 0.2, 1)(rng, day, hour)
			if day >= from {
				n[fleet.FirstTouch] = n[fleet.Distinct]
			}
			return n
		}}, 1},
		{tale{"a re-reader who reads as much as ever, but an eighth of it is new", func(rng *rand.Rand, day, hour int) fleet.Counts {
			n := clerk(25, 0.004, 1)(rng, day, hour)
			if day >= from {
				n = fresh(rng, n[fleet.Distinct], 0.12)
			}
			return n
		}}, 3},
		{tale{"one who has left, in the evening, from home", func(rng *rand.Rand, day, hour int) fleet.Counts {
			switch {
			case day < 21:
				return clerk(11, 0.6, 1)(rng, day, hour)
			case day >= from && hour >= 19 && hour < 23:
				return fresh(rng, poisson(rng, 45), 1)
			}
			return fleet.Counts{}
		}}, 2},
		{tale{"an export of 8.2 million rows, the first ever", func(rng *rand.Rand, day, hour int) fleet.Counts {
			n := clerk(10, 0.5, 1)(rng, day, hour)
			if day == from && hour == 18 {
				n[fleet.RowsRead] = 8_200_000
			}
			return n
		}}, 1},
		{tale{"an analyst whose file has half a million rows instead of some thousand", func(rng *rand.Rand, day, hour int) fleet.Counts {
			n := clerk(10, 0.5, 1)(rng, day, hour)
			if n[fleet.Distinct] > 0 && hour == 10 {
				n[fleet.RowsRead] = float64(500 + rng.IntN(4500))
			}
			if day == from && hour == 18 {
				n[fleet.RowsRead] = 500_000
			}
			return n
		}}, 1},
		{tale{"a dormant account that wakes, reads sixty an hour and deletes every fifth", func(rng *rand.Rand, day, hour int) fleet.Counts {
			switch {
			case day < 2 && hour == 10:
				return fleet.Counts{fleet.Distinct: 8, fleet.FirstTouch: 8}
			case day >= from && hour >= 20:
				n := fresh(rng, poisson(rng, 60), 1)
				n[fleet.Destructive] = math.Round(n[fleet.Distinct] / 5)
				return n
			}
			return fleet.Counts{}
		}}, 2},
		{tale{"a key through which tokens are read that nobody issued", func(rng *rand.Rand, day, _ int) fleet.Counts {
			n := fresh(rng, negBinomial(rng, 240, 8), 0.3)
			n[fleet.Subjects] = math.Round(n[fleet.Distinct] * 0.9)
			n[fleet.Unissued] = poisson(rng, 2)
			if day >= from {
				stolen := poisson(rng, 250)
				n[fleet.Distinct] += stolen
				n[fleet.FirstTouch] += stolen
				n[fleet.Unissued] += stolen
				n[fleet.Subjects] += stolen
			}
			return n
		}}, 1},
	} {
		for seed := uint64(1); seed <= 3; seed++ {
			found := -1
			for _, day := range c.openings(seed, from+7, 2, nil) {
				if day >= from && found < 0 {
					found = day - from
				}
			}
			t.Logf("%s, seed %d: found on day %d", c.name, seed, found)
			if found < 0 || found >= c.within {
				t.Errorf("%s, seed %d: found on day %d, want within %d", c.name, seed, found, c.within)
			}
		}
	}
}

// TestBoilingFrog: whoever takes one or two percent more each day, compounding,
// is found, though the short baseline goes along.
func TestBoilingFrog(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of CPU: months of a company")
	}
	const calm, days = 42, 150
	for _, growth := range []float64{0.01, 0.02} {
		for _, read := range []bool{true, false} {
			work := office(12)
			p := tale{"frog", func(rng *rand.Rand, day, hour int) fleet.Counts {
				mean := work(rng, day, hour)
				if mean == 0 {
					return fleet.Counts{}
				}
				n := fresh(rng, negBinomial(rng, mean, 6), 0.5)
				extra := poisson(rng, mean*(math.Pow(1+growth, max(0, float64(day-calm)))-1))
				n[fleet.Distinct] += extra
				if read {
					n[fleet.FirstTouch] += math.Round(extra / 2)
				} else {
					n[fleet.FirstTouch] += extra
				}
				return n
			}}
			for seed := uint64(1); seed <= 2; seed++ {
				found := -1
				for _, day := range p.openings(seed, calm+days, 2, nil) {
					if day >= calm+7 && found < 0 {
						found = day - calm
					}
				}
				t.Logf("+%.0f %% a day, unread %v, seed %d: found on day %d, at %.1f times the start", 100*growth, !read, seed, found, math.Pow(1+growth, float64(found)))
				if found < 0 {
					t.Errorf("+%.0f %% a day, unread %v, seed %d: not found in five months", 100*growth, !read, seed)
				}
			}
		}
	}
}
