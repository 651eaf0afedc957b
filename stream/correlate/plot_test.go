package correlate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream"
)

// plot is a random story: some who drift, some for whom facts hold, some who share what
// they come through, floods of minted names, rules, verdicts and restores.
type plot struct {
	*desk
	dice        *rand.Rand
	actors      []actor
	sent        []alerting.Alert
	hidden      []Suppressed
	strong      map[episode.ID]int64 // end of the first tick in which each reached a threshold
	facts       map[episode.ID]map[fact.Name]bool
	named, held int // how many records of hidden a message stood for, and something else
}

// actor is somebody who does something for a while.
type actor struct {
	dimension, identity string
	from, to            int // ticks
	log                 float64
	exposed, grows      float64 // records, and by how much a tick multiplies them
	traits              []campaign.TraitShare
	fact                fact.Name
	factFrom            int
	second              fact.Name // a further fact, ten ticks later; empty: none
}

var plotFacts = []fact.Name{fact.UnissuedToken, fact.RetiredKey, fact.ActedAfterLeave, fact.DormantWoke}

// destinationsOf sends what is grave to the pager, facts to the crypto team, those who woke
// to the staff's, users to the help desk, and the rest to the log.
func destinationsOf(c *alerting.Class) (out []string) {
	if c.Kind == alerting.KindFact {
		out = append(out, "crypto")
	}
	if c.Fact == fact.DormantWoke {
		out = append(out, "staff")
	}
	if c.Dimension == "user" {
		out = append(out, "desk")
	}
	if c.Severity >= episode.High {
		out = append(out, "pager")
	}
	if len(out) == 0 {
		out = []string{"log"}
	}
	return out
}

func newPlot(t *testing.T, seed uint64) *plot {
	dice := rand.New(rand.NewPCG(seed, 15))
	always := [7]bool{true, true, true, true, true, true, true}
	rules := []Expectation{
		{Name: "clients", Dimension: "client", Identity: "c*", AtMost: 400},
		{Name: "night", Dimension: "user", Identity: "u1*", Weekly: []Weekly{{Days: always, Start: 12 * 60, End: 16 * 60}}},
		{Name: "campaigns", Dimension: "campaign", Identity: "network *", AtMost: 800},
		{Name: "known", Dimension: "key", Identity: "k*", Facts: plotFacts[1:2], AtMost: 5000},
	}
	dice.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
	rules = rules[:dice.IntN(len(rules)+1)]
	for i := range rules {
		rules[i].Owner, rules[i].Reason = "owner", "reason"
	}
	p := &plot{desk: newDesk(t, rules...), dice: dice, strong: map[episode.ID]int64{}, facts: map[episode.ID]map[fact.Name]bool{}}
	p.cfg.Reaches = destinationsOf
	p.desk.restore()
	for range 2 + dice.IntN(12) {
		p.addLeak()
	}
	for range dice.IntN(3) {
		p.addFlood()
	}
	return p
}

// addLeak adds one leak: an actor, and perhaps others of other dimensions that show
// the same events.
func (p *plot) addLeak() {
	dims := []string{"user", "client", "key", "network"}
	p.dice.Shuffle(len(dims), func(i, j int) { dims[i], dims[j] = dims[j], dims[i] })
	n := p.dice.IntN(20)
	name := func(dim string) string { return fmt.Sprint(dim[:1], n) }
	dims = dims[:1+p.dice.IntN(3)]
	for _, dim := range dims {
		a := p.actor(dim, name(dim))
		for _, other := range dims {
			if other != dim {
				a.traits = append(a.traits, through(p.t, other, name(other), p.dice.Float64()))
			}
		}
		if dim == "user" && p.dice.IntN(2) == 0 {
			a.traits = append(a.traits, through(p.t, "network", fmt.Sprint("shared", p.dice.IntN(2)), 0.9))
		}
		p.actors = append(p.actors, a)
	}
}

func (p *plot) actor(dim, name string) actor {
	a := actor{dimension: dim, identity: name, from: p.dice.IntN(60), log: 10 + 20*p.dice.Float64(),
		exposed: float64(1 + p.dice.IntN(900)), grows: 1 + p.dice.Float64()*p.dice.Float64()/8}
	a.to = a.from + 1 + p.dice.IntN(80)
	if p.dice.IntN(3) == 0 {
		a.fact, a.factFrom = plotFacts[p.dice.IntN(len(plotFacts))], a.from+p.dice.IntN(30)
		if p.dice.IntN(3) == 0 {
			a.second = plotFacts[p.dice.IntN(len(plotFacts))]
		}
	}
	return a
}

// addFlood adds many minted clients for which one fact holds, or many that drift.
func (p *plot) addFlood() {
	model := p.actor("client", "")
	for i := range 15 + p.dice.IntN(30) {
		a := model
		a.identity = fmt.Sprint("minted", i)
		a.from += p.dice.IntN(15)
		a.to = a.from + 1 + p.dice.IntN(10)
		a.factFrom = a.from
		p.actors = append(p.actors, a)
	}
}

// play lets twelve hours pass in which people do things, and four quiet days.
func (p *plot) play() {
	kinds := []VerdictKind{Acknowledged, Expected, Expected, Confirmed, Reopened}
	for tick := range 144 {
		candidates, facts := p.at(tick)
		if p.dice.IntN(15) == 0 && len(p.sent) > 0 {
			p.verdict(kinds[p.dice.IntN(len(kinds))], p.sent[p.dice.IntN(len(p.sent))].DedupKey)
		}
		if p.dice.IntN(40) == 0 {
			p.desk.restore()
		}
		p.keep(p.next(candidates, facts, nil))
	}
	for range 4 {
		p.tick += 287
		p.keep(p.next(nil, nil, nil))
	}
}

func (p *plot) keep(found Findings) {
	p.sent = append(p.sent, found.Alerts...)
	p.hidden = append(p.hidden, found.Suppressed...)
}

// at returns what is found in a tick.
func (p *plot) at(tick int) (candidates []stream.Candidate, facts []stream.FactCandidate) {
	seen := map[episode.ID]bool{}
	for i := range p.actors {
		a := &p.actors[i]
		id := episode.ID{Dimension: a.dimension, Identity: a.identity}
		if tick < a.from || tick >= a.to || seen[id] || p.dice.IntN(4) == 0 {
			continue
		}
		seen[id] = true
		a.exposed *= a.grows
		log := a.log - 4*p.dice.Float64()
		reaches := log >= deskThreshold
		candidates = append(candidates, p.candidate(a.dimension, a.identity, log, int64(a.exposed), a.traits...))
		if a.fact != "" && tick >= a.factFrom {
			facts = append(facts, factOf(dimension(p.t, a.dimension), a.identity, a.fact, int64(a.exposed)))
			p.factsOf(id)[a.fact] = true
			reaches = true
		}
		if a.second != "" && tick >= a.factFrom+10 {
			facts = append(facts, factOf(dimension(p.t, a.dimension), a.identity, a.second, int64(a.exposed)))
			p.factsOf(id)[a.second] = true
		}
		if _, known := p.strong[id]; reaches && !known {
			p.strong[id] = p.cfg.Grid.TickEnd(p.tick + 1)
		}
	}
	return candidates, facts
}

// factsOf returns the facts that held for somebody.
func (p *plot) factsOf(id episode.ID) map[fact.Name]bool {
	if p.facts[id] == nil {
		p.facts[id] = map[fact.Name]bool{}
	}
	return p.facts[id]
}
