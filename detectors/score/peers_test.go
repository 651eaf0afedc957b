package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
)

// shop makes customers, who come twice a week, and agents, by what they work
// with. Novelty is that of people who revisit records.
func shop(seed uint64, customers, agents int) []*someone {
	rng := rand.New(rand.NewPCG(seed, 11))
	var people []*someone
	add := func(name, group string, novelty float64, work func(*rand.Rand, int, int) float64) {
		people = append(people, &someone{
			name: name, group: group, k: 2.5, novelty: novelty, work: work, rng: rand.New(rand.NewPCG(seed, uint64(1000+len(people)))),
		})
	}
	for i := range customers {
		add(fmt.Sprintf("customer%04d", i), "GET /me/orders", 0.3, steady(0.012*math.Exp(rng.NormFloat64()/2)))
	}
	for i := range agents {
		add(fmt.Sprintf("agent%03d", i), "GET /care/customer", 0.5, clerk(seed*1000+uint64(i), 8*math.Exp(rng.NormFloat64()/2)))
	}
	return people
}

// openings runs days and returns on which day, and how often, each of some names
// opened.
func (c *company) openings(days int) map[string][]int {
	out := map[string][]int{}
	c.onAlert = func(who *someone, hour int, _ episode.Decision, _ fleet.Evidence) {
		out[who.name] = append(out[who.name], hour/24)
	}
	c.run(days)
	return out
}

// TestThiefAmongFive: one of a group of five reads five times what he used to,
// all of it new. He is no excuse for himself: he is caught within a day.
func TestThiefAmongFive(t *testing.T) {
	const start = 28
	for seed := uint64(1); seed <= 3; seed++ {
		people := shop(seed, 500, 60)
		for i := range 5 {
			people = append(people, &someone{
				name: fmt.Sprintf("analyst%d", i), group: "POST /bi/query", k: 2.5, novelty: 0.5,
				work: clerk(seed*33+uint64(i), 6), rng: rand.New(rand.NewPCG(seed, uint64(5000+i))),
			})
		}
		thief := people[len(people)-1]
		thief.newLeak = true
		thief.leak = func(hour int) float64 {
			if hour >= start*24 {
				return 5
			}
			return 1
		}
		days := newCompany(2, people).openings(start + 7)[thief.name]
		if !slices.Contains(days, start) {
			t.Errorf("seed %d: opens on days %v, want the first, %d", seed, days, start)
		}
	}
}

// TestGroupsLearn: what agents and customers are like is learned apart, and a
// group too small to know is near its dimension.
func TestGroupsLearn(t *testing.T) {
	people := shop(4, 3000, 60)
	for i := range 2 {
		people = append(people, &someone{
			name: fmt.Sprintf("night%d", i), group: "GET /ops", k: 2.5, novelty: 0.5,
			work: func(_ *rand.Rand, _, hour int) float64 { return map[bool]float64{true: 5}[hour < 4] }, rng: rand.New(rand.NewPCG(4, uint64(7000+i))),
		})
	}
	c := newCompany(2, people)
	c.run(21)
	d := &c.params.Dimensions[0]
	by := map[string]*fleet.Dimension{}
	for i := range d.Groups {
		by[d.Groups[i].Peers] = &d.Groups[i]
	}
	agents, customers, few := by["GET /care/customer"], by["GET /me/orders"], by["GET /ops"]
	if agents == nil || customers == nil || few == nil {
		t.Fatalf("the groups are %v", by)
	}
	if m := agents.Prior[fleet.Distinct].Mean; m < 1 || m > 6 {
		t.Errorf("agents: level %.2f an hour, of some who read 8 in a third of the hours of a working day", m)
	}
	if m := customers.Prior[fleet.Distinct].Mean; m > 0.05 {
		t.Errorf("customers: level %.3f, of some who read twice a week", m)
	}
	if day, night := agents.HourFactor(24+11), agents.HourFactor(24+3); day < 2 || night > 0.3 {
		t.Errorf("agents on Tuesdays: factor %.2f at 11:00 and %.2f at 3:00", day, night)
	}
	if day, night := customers.HourFactor(24+11), customers.HourFactor(24+3); day > 1.7 || night < 0.5 {
		t.Errorf("customers on Tuesdays: factor %.2f at 11:00 and %.2f at 3:00", day, night)
	}
	if agents.Threshold != d.Threshold || agents.Live != d.Live {
		t.Error("a group has a threshold of its own")
	}
	if f, w := few.Prior[fleet.Distinct].Strength, agents.Prior[fleet.Distinct].Strength; f > w {
		t.Errorf("of a group of two more is known (%.2f) than of one of sixty (%.2f)", f, w)
	}
}

// TestVotes: a group is what most bins worked with; a newcomer's is known at
// once; and whoever changes has new peers in the end.
func TestVotes(t *testing.T) {
	care, shop, ops := fleet.GroupToken("care"), fleet.GroupToken("shop"), fleet.GroupToken("ops")
	var s State
	s.Lean(care)
	s.Lean(shop)
	if s.Group() != shop {
		t.Error("a newcomer's first bin does not count as it stands")
	}
	for i := range 500 {
		s.Vote([]uint32{care, shop, care, ops, care}[i%5])
	}
	s.Lean(ops)
	s.Vote(0)
	if s.Group() != care {
		t.Error("three of five bins are not the majority")
	}
	for range 1000 {
		s.Vote(care)
	}
	n := 0
	for ; s.Group() != ops; n++ {
		s.Vote(ops)
	}
	if n > mostVotes {
		t.Errorf("a change of roles shows after %d bins, want at most %d", n, mostVotes)
	}
}

// TestLargestGroups: which groups are kept is a matter of their size, whatever
// the order in which they come.
func TestLargestGroups(t *testing.T) {
	for _, reverse := range []bool{false, true} {
		e := NewEngine(Config{Dimensions: []string{"user"}})
		f := e.NewFleet()
		var p *fleet.Parameters
		for bin := int64(monday); bin < monday+48; bin++ {
			var sums fleet.Sums
			for i := range 400 {
				n := i
				if reverse {
					n = 399 - i
				}
				if bin < monday+24 && n >= 390 {
					continue // the largest come a day later
				}
				name := fmt.Sprintf("group %d", n)
				sums.Name(0, name)
				g := sums.Dim(0).Group(fleet.GroupToken(name))
				if (bin-monday)%24 == 0 {
					g.Fresh = uint64(1 + n)
				}
				sums.Dim(0).Scored++
			}
			p = e.CloseBin(f, bin, &sums)
		}
		groups := p.Dimensions[0].Groups
		if len(groups) != fleet.MaxGroups {
			t.Fatalf("%d groups, want %d", len(groups), fleet.MaxGroups)
		}
		for i := range groups {
			var n int
			if _, err := fmt.Sscanf(groups[i].Peers, "group %d", &n); err != nil || n < 400-fleet.MaxGroups {
				t.Errorf("reverse %v: %q is among the %d largest of 400", reverse, groups[i].Peers, fleet.MaxGroups)
			}
		}
	}
}
