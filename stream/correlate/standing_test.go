package correlate

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
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
	playStories(t, 1458, 1) // one is to be named by a message for which another stands
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
		if played := seed - first + 1; played%1000 == 0 {
			t.Logf("%d stories are played", played)
		}
	}
	t.Logf("%d stories: %d messages, %d records that a message stood for, %d that a rule or a verdict held", stories, sent, named, held)
	if stories >= 60 && (sent < 1000 || named < 500 || held < 200) {
		t.Error("the stories say too little to tell anything")
	}
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
	for id, facts := range p.facts {
		for f := range facts {
			if !p.states(id, f) {
				p.t.Errorf("%s %s: the fact %s is in no message and no record of what was held back", id.Dimension, id.Identity, f)
			}
		}
	}
}

// states reports whether an alert of an episode, told or held back, states a fact.
func (p *plot) states(id episode.ID, f fact.Name) bool {
	in := func(a *alerting.Alert) bool {
		return a.Dimension == id.Dimension && a.Identity == id.Identity && slices.Contains(strings.Split(statedBy(a), ","), string(f))
	}
	return slices.ContainsFunc(p.sent, func(a alerting.Alert) bool { return in(&a) }) ||
		slices.ContainsFunc(p.hidden, func(s Suppressed) bool { return in(&s.Alert) })
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
// open, or though a rule or a verdict holds it back in that tick.
func (p *plot) checkLeader(s *Suppressed) {
	var last *alerting.Alert
	for i := range p.sent {
		if m := &p.sent[i]; m.DedupKey == s.By.Name && m.Time <= s.Alert.Time {
			last = m
		}
	}
	held := slices.ContainsFunc(p.hidden, func(o Suppressed) bool {
		return o.Alert.DedupKey == s.By.Name && o.Alert.Time == s.Alert.Time && o.By.Kind != ByCampaign
	})
	if last == nil || last.Status == alerting.Close || held {
		p.t.Errorf("%s %s at %s: %s stands for it, which people do not have open, or which is held back itself", s.Alert.Dimension, s.Alert.Identity, s.Alert.Time, s.By.Name)
	}
}

// tells reports whether a message is about what was held back, or names it in time: at all
// its destinations, as grave and as sure, and stating the same facts.
func (p *plot) tells(m *alerting.Alert, s *Suppressed) bool {
	a := &s.Alert
	if m.DedupKey == a.DedupKey {
		return m.Time >= a.Time && m.Severity >= a.Severity
	}
	if m.DedupKey != s.By.Name || m.Members == nil || m.Severity < a.Severity || m.Confidence.Compare(a.Confidence) < 0 {
		return false
	}
	facts, within := statedBy(a), alerting.Time(namedWithin)
	if facts != "" || a.Severity >= episode.High {
		within = 0 // it is named in the tick in which it is known
	}
	if m.Time > a.Time+within || facts != "" && statedBy(m) != facts {
		return false
	}
	return covers(reachedBy(m.Classes()), reachedBy(a.Classes())) &&
		slices.ContainsFunc(m.Members.Named(), func(n alerting.Member) bool { return n.DedupKey == a.DedupKey })
}

// statedBy returns the facts that a message states, sorted, with commas between.
func statedBy(a *alerting.Alert) string {
	if f, ok := strings.CutPrefix(a.Identity, "fact "); ok && a.Kind == alerting.KindCampaign {
		return f
	}
	var facts []string
	for _, f := range append(slices.Clone(a.AlsoKnown), a.Fact) {
		if f != "" {
			facts = append(facts, string(f))
		}
	}
	slices.Sort(facts)
	return strings.Join(facts, ",")
}

// reachedBy returns the destinations of some classes.
func reachedBy(classes []alerting.Class) (out []string) {
	for i := range classes {
		out = append(out, destinationsOf(&classes[i])...)
	}
	return out
}

// heldLater reports whether a rule or a verdict came to hold back what waited to be
// named.
func (p *plot) heldLater(s *Suppressed) bool {
	return slices.ContainsFunc(p.hidden, func(o Suppressed) bool {
		return o.Alert.DedupKey == s.Alert.DedupKey && o.Alert.Time >= s.Alert.Time && o.By.Kind != ByCampaign
	})
}
