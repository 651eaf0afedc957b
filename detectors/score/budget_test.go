package score

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/internal/eventtime"
)

// perWeek turns openings a day into means by week.
func perWeek(perDay []int) (w []float64) {
	for i, n := range perDay {
		if i%7 == 0 {
			w = append(w, 0)
		}
		w[len(w)-1] += float64(n) / 7
	}
	return w
}

// TestBudget plays six weeks of companies without a leak: clerks with office
// hours, day frailty, absences and evening shifts, services around the clock,
// batches by night and by week, newcomers. The budget is two a day.
func TestBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of CPU: months of a company")
	}
	const budget, seeds = 2.0, 4
	later := 0.0
	for seed := uint64(1); seed <= seeds; seed++ {
		c := newCompany(budget, staff(seed, 150))
		opened := c.run(42)
		weeks := perWeek(opened)
		d := &c.params.Dimensions[0]
		t.Logf("seed %d: openings a day by week %.2f, threshold %.1f (formula %.1f, tail %.1f)", seed, weeks, d.Threshold, d.Formula, d.Tail)
		for day, n := range opened[:7] {
			if n > 4 {
				t.Errorf("seed %d: %d openings on day %d, a flood", seed, n, day)
			}
		}
		for _, w := range weeks[1:] {
			later += w / seeds / float64(len(weeks)-1)
			if w > 1.5*budget {
				t.Errorf("seed %d: a week at %.2f a day", seed, w)
			}
		}
	}
	t.Logf("from the second week on: %.2f a day", later)
	if later > budget {
		t.Errorf("%.2f openings a day from the second week on, with a budget of %g", later, budget)
	}
}

// TestBudgetFollows: a tenth of the budget leads to fewer alerts, ten times the
// budget to more. Chance is given two standard deviations.
func TestBudgetFollows(t *testing.T) {
	last := -1.0
	for _, budget := range []float64{0.2, 2, 20} {
		opened := newCompany(budget, staff(5, 100)).run(35)
		total := 0.0
		for _, n := range opened[7:] {
			total += float64(n) / 28
		}
		t.Logf("budget %g: %.2f openings a day", budget, total)
		if total > 1.5*budget+2*math.Sqrt(budget/28) || total < last {
			t.Errorf("budget %g: %.2f openings a day, after %.2f", budget, total, last)
		}
		last = total
	}
}

// TestSameAlways: two runs give the same openings and the same fleet, bit for
// bit.
func TestSameAlways(t *testing.T) {
	a, b := newCompany(2, staff(6, 40)), newCompany(2, staff(6, 40))
	a.run(12)
	b.run(12)
	if string(a.fleet.AppendBinary(nil)) != string(b.fleet.AppendBinary(nil)) {
		t.Fatal("the fleets differ")
	}
	for i := range a.people {
		if string(a.people[i].state.AppendBinary(nil)) != string(b.people[i].state.AppendBinary(nil)) {
			t.Fatalf("the states of %s differ", a.people[i].name)
		}
	}
}

// TestNewcomers: twenty people and five services who all start on one day of
// the fourth week do not alert because they are new.
func TestNewcomers(t *testing.T) {
	people := staff(7, 80)
	started := map[*someone]bool{}
	for _, s := range staff(70, 20) {
		s.name = "new " + s.name
		s.from = 21
		people = append(people, s)
		started[s] = true
	}
	c := newCompany(2, people)
	n := 0
	c.onAlert = func(who *someone, hour int, _ episode.Decision, _ fleet.Evidence) {
		if started[who] && hour < 28*24 {
			n++
		}
	}
	c.run(28)
	t.Logf("%d openings by %d newcomers in their first week", n, len(started))
	if n > 4 {
		t.Errorf("%d openings by %d newcomers in their first week", n, len(started))
	}
}

// TestCampaign: on two days on which everyone does three times the usual, the
// common mode keeps the company from alerting as one.
func TestCampaign(t *testing.T) {
	people := staff(8, 150)
	for _, s := range people {
		s.leak = func(hour int) float64 {
			if day := hour / 24; day == 29 || day == 30 {
				return 3
			}
			return 1
		}
	}
	c := newCompany(2, people)
	mode := 0.0
	alerted := map[*someone]bool{}
	c.onAlert = func(who *someone, hour int, _ episode.Decision, ev fleet.Evidence) {
		if hour >= 29*24 && hour < 31*24 {
			alerted[who] = true
			mode = max(mode, ev.Measures[fleet.Distinct].Mode)
		}
	}
	c.run(31)
	t.Logf("%d of %d alert on the campaign's days; mode up to %.1f", len(alerted), len(people), mode)
	if len(alerted) > len(people)/5 {
		t.Errorf("%d of %d alert on the campaign's days", len(alerted), len(people))
	}
}

// TestModeOfFew: four keys are too few to tell of a common mode, but two hundred
// people who come through them are not: their mode is that of the keys, too. A
// key that does more by itself makes no mode.
func TestModeOfFew(t *testing.T) {
	e := NewEngine(Config{Dimensions: []string{"user", "key"}})
	f, p := e.NewFleet(), e.DefaultParameters()
	rng := rand.New(rand.NewPCG(11, 1))
	people, keys := make([]State, 200), make([]State, 4)
	var days, alone float64
	for bin := int64(0); bin < 12*24; bin++ {
		all, key := 1.0, 1.0
		switch bin / 24 {
		case 9:
			all, key = 2, 2
		case 11:
			key = 2
		}
		var sums fleet.Sums
		for i := range people {
			n := poisson(rng, 10*all)
			e.Close(&people[i], 0, bin, fleet.Counts{fleet.Distinct: n, fleet.FirstTouch: n}, p, &sums)
		}
		for i := range keys {
			n := poisson(rng, 500*key)
			if bin/24 == 11 && i > 0 {
				n = poisson(rng, 500)
			}
			e.Close(&keys[i], 1, bin, fleet.Counts{fleet.Distinct: n, fleet.FirstTouch: n}, p, &sums)
		}
		p = e.CloseBin(f, bin, &sums)
		mode := p.Dimensions[1].Mode[fleet.Distinct]
		switch bin / 24 {
		case 9:
			days = max(days, mode)
		case 11:
			alone = max(alone, mode)
		}
	}
	if days < 1.5 {
		t.Errorf("on the day on which all do twice as much, the common mode of the keys is %g", days)
	}
	if alone > 1.05 {
		t.Errorf("on the day on which one key does twice as much, the common mode of the keys is %g", alone)
	}
}

// TestShapeLearned: after three weeks the fleet knows office hours and weekends.
func TestShapeLearned(t *testing.T) {
	c := newCompany(2, staff(9, 100))
	c.run(22)
	d := &c.params.Dimensions[0]
	mean := 0.0
	for h := range d.Shape {
		mean += d.HourFactor(h) / eventtime.HoursOfWeek
	}
	if math.Abs(mean-1) > 0.01 {
		t.Errorf("the shape's mean is %g, want 1", mean)
	}
	for name, q := range map[string]struct{ hour, low, high float64 }{
		"Tuesday 11:00":  {24 + 11, 2, 5},
		"Tuesday 02:00":  {24 + 2, 0, 0.4},
		"Saturday 11:00": {5*24 + 11, 0, 0.8},
	} {
		if v := d.HourFactor(int(q.hour)); v < q.low || v > q.high {
			t.Errorf("%s: factor %.2f, want %.1f to %.1f", name, v, q.low, q.high)
		}
	}
	if k := 1 / d.Prior[fleet.Distinct].InverseK; k > 5 || k < 0.3 {
		t.Errorf("the peers' k is %.2f, of clerks with 2.5 within a day and 5 between days", k)
	}
}

// TestEmptyBinsAreCheap: a year of nothing is passed over, and leaves shape and
// thresholds as they were.
func TestEmptyBinsAreCheap(t *testing.T) {
	c := newCompany(2, staff(9, 30))
	c.run(14)
	before := c.params.Dimensions[0]
	p := c.engine.CloseBin(c.fleet, c.fleet.Bin()+365*24, new(fleet.Sums))
	after := p.Dimensions[0]
	for h := range before.Shape {
		if math.Abs(before.HourFactor(h)-after.HourFactor(h)) > 0.5 {
			t.Errorf("hour %d: factor %.2f became %.2f", h, before.HourFactor(h), after.HourFactor(h))
		}
	}
	if again := c.engine.CloseBin(c.fleet, c.fleet.Bin()-3, new(fleet.Sums)); again.Bin != p.Bin {
		t.Error("an old bin was folded in")
	}
}

func TestTailThreshold(t *testing.T) {
	exponential := func(n, scale float64) (tail [fleet.TailCells]float64) {
		for i := range tail {
			tail[i] = n * math.Exp(-float64(i)*fleet.TailStep/scale)
		}
		return tail
	}
	for _, c := range []struct {
		name                  string
		n, scale, days, spend float64
		low, high             float64
	}{
		{"too few to say", 9, 1, 30, 1, 0, 0},
		{"within what was counted", 1000, 1, 10, 2, fleet.TailFrom + math.Log(50) - 0.01, fleet.TailFrom + math.Log(50) + fleet.TailStep},
		{"beyond what was counted", 1000, 1, 10, 0.02, fleet.TailFrom + math.Log(5000) - 1, fleet.TailFrom + math.Log(5000) + 1},
		{"a heavier tail", 1000, 3, 10, 0.02, fleet.TailFrom + 3*math.Log(5000) - 6, fleet.TailFrom + 3*math.Log(5000) + 3},
	} {
		tail := exponential(c.n, c.scale)
		got := fleet.TailThreshold(&tail, c.days, c.spend)
		if got < c.low || got > c.high {
			t.Errorf("%s: %.2f, want %.2f to %.2f", c.name, got, c.low, c.high)
		}
	}
}

func TestFormula(t *testing.T) {
	e := NewEngine(Config{Budget: 2, Dimensions: []string{"user"}})
	for _, c := range []struct {
		growth float64
		dims   int
		want   float64
	}{
		{24, 1, fleet.MinThreshold},
		{1000 * 24, 1, math.Log(1000 * 24 / 2)},
		{1e6 * 24, 5, math.Log(1e6 * 24 / 0.4)},
	} {
		if got := e.Formula(c.growth, c.dims); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("evidence of %g a day in %d dimensions: %g, want %g", c.growth, c.dims, got, c.want)
		}
	}
}
