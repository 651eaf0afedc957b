package score

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
)

// This file is the tests' traffic: negative-binomial counts of a company with
// office hours, weekends, absences, batches and newcomers. Faults that showed in
// these companies were mended in the engine (newcomers, off-hours work, services
// around the clock, the tail of a young fleet), so they are not an independent
// judge of it.

// gamma draws from the Gamma distribution of a shape and mean 1 (Marsaglia and
// Tsang 2000).
func gamma(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(rng, shape+1) * (shape + 1) / shape * math.Pow(rng.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	for {
		x := rng.NormFloat64()
		v := math.Pow(1+x/math.Sqrt(9*d), 3)
		if v > 0 && math.Log(rng.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v / shape
		}
	}
}

// poisson draws a count; large means by the normal approximation.
func poisson(rng *rand.Rand, mean float64) float64 {
	if mean > 200 {
		return max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64()))
	}
	n, p, limit := 0.0, 1.0, math.Exp(-mean)
	for {
		if p *= rng.Float64(); p <= limit {
			return n
		}
		n++
	}
}

// negBinomial draws a count of the given mean and dispersion.
func negBinomial(rng *rand.Rand, mean, k float64) float64 {
	return poisson(rng, mean*gamma(rng, k))
}

// someone is one simulated identity. work returns the mean of the given hour:
// day 0 is a Monday.
type someone struct {
	name    string
	state   State
	rng     *rand.Rand
	k       float64
	novelty float64 // share of first touches
	from    int     // first day
	work    func(rng *rand.Rand, day, hour int) float64
	leak    func(hour int) float64                           // factor on the mean, by absolute hour
	newLeak bool                                             // what the leak adds is all first touch
	script  func(rng *rand.Rand, day, hour int) fleet.Counts // instead of all that
	group   string                                           // what it works with; empty: nothing is known
}

func (s *someone) counts(day, hour int) fleet.Counts {
	if s.script != nil {
		return s.script(s.rng, day, hour)
	}
	mean := s.work(s.rng, day, hour)
	own := 0.0
	if mean > 0 {
		own = negBinomial(s.rng, mean, s.k)
	}
	extra := 0.0
	if s.leak != nil {
		if f := s.leak(day*24 + hour); f > 1 && mean > 0 {
			extra = negBinomial(s.rng, mean*(f-1), s.k)
		}
	}
	fresh := 0.0
	for range int(min(own, 1000)) {
		if s.rng.Float64() < s.novelty {
			fresh++
		}
	}
	fresh *= max(1, own/1000)
	if s.newLeak {
		fresh += extra
	}
	return fleet.Counts{fleet.Distinct: own + extra, fleet.FirstTouch: fresh}
}

// clerk works office hours on working days, with a frailty of each day, some
// days off, now and then an evening or a weekend shift.
func clerk(seed uint64, level float64) func(*rand.Rand, int, int) float64 {
	traits := rand.New(rand.NewPCG(seed, 7))
	start, long := 7+traits.IntN(4), 7+traits.IntN(3)
	today, factor, evening := -1, 0.0, false
	return func(rng *rand.Rand, day, hour int) float64 {
		if day != today {
			today, factor, evening = day, gamma(rng, 5), rng.Float64() < 0.02
			if off := rng.Float64(); off < 0.08 || (day%7 >= 5 && off < 0.97) {
				factor = 0
			}
		}
		if hour >= start && hour < start+long || evening && hour >= 20 && hour < 22 {
			return level * factor
		}
		return 0
	}
}

// steady works around the clock; nightly at one hour a day; weekly at one hour
// of one day.
func steady(level float64) func(*rand.Rand, int, int) float64 {
	return func(*rand.Rand, int, int) float64 { return level }
}

func nightly(level float64) func(*rand.Rand, int, int) float64 {
	return func(_ *rand.Rand, _, hour int) float64 {
		if hour == 3 {
			return level
		}
		return 0
	}
}

func weekly(level float64) func(*rand.Rand, int, int) float64 {
	return func(_ *rand.Rand, day, hour int) float64 {
		if day%7 == 6 && hour == 4 {
			return level
		}
		return 0
	}
}

// company is a fleet in one dimension.
type company struct {
	engine *Engine
	fleet  *fleet.Fleet
	params *fleet.Parameters
	people []*someone
	log    episode.Episodes
	start  int64
	// onOver is called for each bin with evidence over the threshold, onAlert
	// for each opening.
	onScore func(who *someone, hour int, ev fleet.Evidence)
	onOver  func(who *someone, hour int)
	onAlert func(who *someone, hour int, v episode.Decision, ev fleet.Evidence)
}

// monday is the bin at which simulations begin: 2026-03-02 00:00 UTC.
const monday = 1772409600 / 3600

func newCompany(budget float64, people []*someone) *company {
	e := NewEngine(Config{Budget: budget, Dimensions: []string{"user"}})
	return &company{engine: e, fleet: e.NewFleet(), params: e.DefaultParameters(), people: people, start: monday}
}

// staff makes a company of n clerks and a few services; a tenth of the clerks
// and one service join later, one every other day from the second week on.
func staff(seed uint64, n int) []*someone {
	rng := rand.New(rand.NewPCG(seed, 1))
	var people []*someone
	add := func(name string, k, novelty float64, work func(*rand.Rand, int, int) float64) *someone {
		s := &someone{name: name, k: k, novelty: novelty, work: work, rng: rand.New(rand.NewPCG(seed, uint64(100+len(people))))}
		people = append(people, s)
		return s
	}
	for i := range n {
		level := 8 * math.Exp(rng.NormFloat64())
		s := add(fmt.Sprintf("clerk%03d", i), 2.5, 0.05+0.5*rng.Float64(), clerk(seed*1000+uint64(i), level))
		if i < n/10 {
			s.from = 7 + 2*i
		}
	}
	add("web", 10, 0.02, steady(20000))
	add("mobile", 10, 0.3, steady(3000))
	add("fraud", 3, 0.1, steady(200))
	add("probe", 1, 0.5, steady(0.2))
	add("export", 5, 0.05, nightly(5000))
	add("billing", 5, 0.5, nightly(300))
	add("report", 5, 0.1, weekly(2000))
	add("partner", 2, 0.3, steady(30)).from = 17
	return people
}

// close ends a bin of somebody who works with something.
func (c *company) close(s *someone, bin int64, n fleet.Counts, sums *fleet.Sums) fleet.Evidence {
	works := s.group != "" && n.Any()
	if works {
		s.state.Lean(fleet.GroupToken(s.group))
	}
	ev := c.engine.Close(&s.state, 0, bin, n, c.params, sums)
	if works {
		s.state.Vote(fleet.GroupToken(s.group))
		sums.Name(0, s.group)
	}
	return ev
}

// run plays days and returns the number of openings on each.
func (c *company) run(days int) []int { return c.play(0, days) }

// play plays the days from..to, the last one not included.
func (c *company) play(from, to int) []int {
	opened := make([]int, to)
	for hour := from * 24; hour < to*24; hour++ {
		bin := c.start + int64(hour)
		var sums fleet.Sums
		for _, s := range c.people {
			if hour/24 < s.from {
				continue
			}
			n := s.counts(hour/24, hour%24)
			if !n.Any() && !c.engine.Hot(&s.state, 0, c.params) {
				continue
			}
			ev := c.close(s, bin, n, &sums)
			if c.onScore != nil {
				c.onScore(s, hour, ev)
			}
			v := c.log.Judge(episode.Observation{Dimension: "user", Identity: s.name, Tick: c.engine.BinStart(bin + 1), Log: ev.Log, Threshold: c.params.Threshold(0), Exposed: int64(n[fleet.Distinct])})
			if v.Action == episode.Open {
				opened[hour/24]++
			}
			if ev.Log >= c.params.Threshold(0) && c.onOver != nil {
				c.onOver(s, hour)
			}
			if v.Action == episode.Open && c.onAlert != nil {
				c.onAlert(s, hour, v, ev)
			}
		}
		c.log.Expire(c.engine.BinStart(bin + 1))
		c.params = c.engine.CloseBin(c.fleet, bin, &sums)
	}
	return opened
}
