package correlate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream"
)

// The table in docs/episodes.md is the table of the code.
func TestStandingTableIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/episodes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(doc), "| # | a message stands for an episode if |\n|---|---|\n")
	if !found {
		t.Fatal("docs/episodes.md has no table of who may stand for whom")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var want []string
	for i := range standingRules {
		want = append(want, fmt.Sprintf("| %d | %s |", i+1, standingRules[i].text))
	}
	if want := strings.Join(want, "\n"); table != want {
		t.Errorf("docs/episodes.md says\n%s\nthe code says\n%s", table, want)
	}
}

// Each row of the table is asked: a message that breaks one alone stands for nobody.
func TestEachRuleOfStanding(t *testing.T) {
	spoil := []func(lead *leader, m *mention, of *standee){
		func(lead *leader, _ *mention, _ *standee) { lead.open = false },
		func(_ *leader, m *mention, _ *standee) { m.by = "another" },
		func(_ *leader, _ *mention, of *standee) { of.reaches = []string{"chat", "pager"} },
		func(_ *leader, _ *mention, of *standee) { of.severity = episode.Critical },
		func(_ *leader, _ *mention, of *standee) { of.confidence = episode.Certain },
		func(_ *leader, _ *mention, of *standee) { of.facts = "unissued_token" },
		func(_ *leader, _ *mention, of *standee) { of.exposed = 201 },
	}
	if len(spoil) != len(standingRules) {
		t.Fatalf("%d rules, tests of %d", len(standingRules), len(spoil))
	}
	for i := -1; i < len(spoil); i++ {
		lead := leader{key: "weir-1", open: true, exposed: 100}
		m := mention{by: "weir-1", severity: episode.High, confidence: episode.Likely, reached: []string{"chat"}}
		of := standee{severity: episode.High, confidence: episode.Likely, exposed: 200, reaches: []string{"chat"}}
		if i >= 0 {
			spoil[i](&lead, &m, &of)
		}
		if got := standsFor(&lead, &m, &of); got != (i < 0) {
			t.Errorf("rule %d broken: stands for it: %v", i+1, got)
		}
		for j := range standingRules {
			if holds := standingRules[j].holds(&lead, &m, &of); holds != (i != j) {
				t.Errorf("rule %d broken: rule %d holds: %v", i+1, j+1, holds)
			}
		}
	}
}

// Whatever happens, every episode that reached a threshold is, by the end, told at its
// routes, or named in a message that was, or held by a rule or verdict that is listed
// with its author.
func TestNobodyDisappears(t *testing.T) {
	if testing.Short() {
		playStories(t, 0, 10)
		return
	}
	playStories(t, 0, 60)
}

// TestSoakNobodyDisappears plays 10,000 stories.
func TestSoakNobodyDisappears(t *testing.T) {
	if os.Getenv("WEIR_SOAK") == "" {
		t.Skip("plays 10,000 stories: WEIR_SOAK=1 runs it")
	}
	playStories(t, 1000, 10_000)
}

func playStories(t *testing.T, first, stories uint64) {
	t.Helper()
	var sent, named, held int
	for seed := first; seed < first+stories; seed++ {
		s := newPlot(t, seed)
		s.play()
		s.check()
		if t.Failed() {
			t.Fatalf("in story %d", seed)
		}
		sent, named, held = sent+len(s.sent), named+s.named, held+s.held
	}
	t.Logf("%d stories: %d messages, %d records that a message stood for, %d that a rule or a verdict held", stories, sent, named, held)
	if stories >= 60 && (sent < 1000 || named < 500 || held < 200) {
		t.Error("the stories say too little to tell anything")
	}
}

// plot is a random story: some who drift, some for whom facts hold, some who share what
// they come through, floods of minted names, rules, verdicts and restores.
type plot struct {
	*desk
	dice        *rand.Rand
	actors      []actor
	sent        []alerting.Alert
	hidden      []Suppressed
	strong      map[episode.ID]int64 // end of the first tick in which each reached a threshold
	named, held int                  // how many records of hidden a message stood for, and something else
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
}

var plotFacts = []fact.Name{fact.UnissuedToken, fact.RetiredKey, fact.ActedAfterLeave, fact.DormantWoke}

// destinationsOf sends what is grave to the pager, facts to the crypto team, users to
// the help desk, and the rest to the log.
func destinationsOf(c *alerting.Class) (out []string) {
	if c.Kind == alerting.KindFact {
		out = append(out, "crypto")
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
	p := &plot{desk: newDesk(t, rules...), dice: dice, strong: map[episode.ID]int64{}}
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
			reaches = true
		}
		if _, known := p.strong[id]; reaches && !known {
			p.strong[id] = p.cfg.Grid.TickEnd(p.tick + 1)
		}
	}
	return candidates, facts
}

// check holds all that was said against what happened.
func (p *plot) check() {
	said := map[episode.ID]int64{} // when something was said of each first
	note := func(a *alerting.Alert) {
		id := episode.ID{Dimension: a.Dimension, Identity: a.Identity}
		if at, ok := said[id]; !ok || int64(a.Time) < at {
			said[id] = int64(a.Time)
		}
	}
	for i := range p.sent {
		note(&p.sent[i])
	}
	for i := range p.hidden {
		note(&p.hidden[i].Alert)
	}
	for id, at := range p.strong {
		if first, ok := said[id]; !ok || first != at {
			p.t.Errorf("%s %s reached a threshold at %s; something was said of it first at %s", id.Dimension, id.Identity, alerting.Time(at), alerting.Time(first))
		}
	}
	for i := range p.hidden {
		p.checkHidden(&p.hidden[i])
	}
}

func (p *plot) checkHidden(s *Suppressed) {
	switch s.By.Kind {
	case ByConfig, ByVerdict:
		p.held++
		if s.By.Owner == "" || s.By.Name == "" || s.By.Reason == "" {
			p.t.Errorf("held back by %+v, and nobody has said so", s.By)
		}
		return
	}
	p.named++
	if s.By.Reason == "" {
		p.checkLeader(s)
	}
	if !slices.ContainsFunc(p.sent, func(m alerting.Alert) bool { return p.tells(&m, s) }) && !p.heldLater(s) {
		p.t.Errorf("%s %s %s (%s, %s, fact %q) at %s: nobody was told of it, and nothing is listed but %+v",
			s.Alert.Status, s.Alert.Dimension, s.Alert.Identity, s.Alert.Severity, s.Alert.Confidence, s.Alert.Fact, s.Alert.Time, s.By)
	}
}

// checkLeader reports a message that stands for another though people do not have it
// open.
func (p *plot) checkLeader(s *Suppressed) {
	var last *alerting.Alert
	for i := range p.sent {
		if m := &p.sent[i]; m.DedupKey == s.By.Name && m.Time <= s.Alert.Time {
			last = m
		}
	}
	if last == nil || last.Status == alerting.Close {
		p.t.Errorf("%s %s at %s: %s stands for it, which people do not have open", s.Alert.Dimension, s.Alert.Identity, s.Alert.Time, s.By.Name)
	}
}

// tells reports whether a message is about what was held back, or names it: at all its
// destinations, as grave and as sure, with its fact.
func (p *plot) tells(m *alerting.Alert, s *Suppressed) bool {
	a := &s.Alert
	if m.DedupKey == a.DedupKey {
		return m.Time >= a.Time && m.Severity >= a.Severity
	}
	if m.DedupKey != s.By.Name || m.Members == nil || m.Severity < a.Severity || m.Confidence.Compare(a.Confidence) < 0 {
		return false
	}
	if a.Fact != "" && m.Fact != a.Fact && m.Identity != "fact "+string(a.Fact) {
		return false
	}
	var reached []string
	for _, c := range m.Classes() {
		reached = append(reached, destinationsOf(&c)...)
	}
	class := a.Class()
	return covers(reached, destinationsOf(&class)) &&
		slices.ContainsFunc(m.Members.Named(), func(n alerting.Member) bool { return n.DedupKey == a.DedupKey })
}

// heldLater reports whether a rule or a verdict came to hold back what waited to be
// named.
func (p *plot) heldLater(s *Suppressed) bool {
	return slices.ContainsFunc(p.hidden, func(o Suppressed) bool {
		return o.Alert.DedupKey == s.Alert.DedupKey && o.Alert.Time >= s.Alert.Time && o.By.Kind != ByCampaign
	})
}
