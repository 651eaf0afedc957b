package campaign

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/trait"
)

func state(identity string, records int64, s episode.Severity, open, active bool) MemberState {
	return MemberState{
		Member:  Member{Key: "key of " + identity, ID: episode.ID{Dimension: "user", Identity: identity}, Severity: s, Records: records},
		Exposed: episode.Exposed{Records: records, Low: records - 1, High: records + 1, Rows: 2}, Excess: episode.Excess{Records: records / 2, Low: records / 4, High: records}, Onset: 1000 - records, Open: open, Active: active,
	}
}

// What members expose together lies between the most exposed one and their sum;
// the gravest that is open counts, and those that are forgotten count too.
func TestSummarize(t *testing.T) {
	forgotten := Totals(nil).Add("user", &episode.Exposed{Records: 100, Low: 90, High: 110}, &episode.Excess{Records: 40, Low: 30, High: 50})
	network := state("office", 500, episode.Low, true, false)
	network.Dimension = "network"
	members := []MemberState{network}
	for i := range int64(7) {
		members = append(members, state(fmt.Sprint("u", i), 10*i, episode.Medium, true, i == 3))
	}
	members = append(members, state("closed", 5, episode.Critical, false, false))
	s := Summarize(forgotten, members)
	if got, want := s.Exposed(7), (episode.Exposed{Records: 500, Low: 499, High: 501, Since: 7, Rows: 16}); got != want {
		t.Errorf("exposed %+v, want %+v: the records of users may be those of the network", got, want)
	}
	if got, want := s.Excess(), (episode.Excess{Records: 250, Low: 125, High: 500}); got != want {
		t.Errorf("excess %+v, want %+v", got, want)
	}
	if s.Count() != 10 || s.Severity != episode.Medium || !s.Active || s.Onset != 500 {
		t.Errorf("%d members, %s, active %v, onset %d", s.Count(), s.Severity, s.Active, s.Onset)
	}
	if users := forgotten[0]; users.Count != 1 || users.Records != 100 {
		t.Errorf("the forgotten have changed: %+v", users)
	}
}

// What weighs comes first: a fact, then how sure it is, then how much was exposed.
// Those that no message has named are named beside the heaviest.
func TestNames(t *testing.T) {
	var members []MemberState
	add := func(identity string, records int64, c episode.Confidence, facts string) *MemberState {
		m := state(identity, records, episode.Medium, true, true)
		m.Confidence, m.Facts = c, facts
		members = append(members, m)
		return &members[len(members)-1]
	}
	add("loud", 900, episode.Possible, "")
	add("sure", 10, episode.VeryLikely, "").Unnamed = true
	add("known", 1, episode.Certain, "unissued_token")
	add("b", 5, episode.Likely, "").Unnamed = true
	add("a", 5, episode.Likely, "")
	add("last", 1, episode.Possible, "")
	add("new", 2, episode.Possible, "").Unnamed = true
	top, also := Names(members)
	if got := identities(top) + " and " + identities(also); got != "known sure a b loud and new" {
		t.Errorf("named %s", got)
	}
}

// Names that anybody can make fill no more than half of a message as long as others
// wait, however loud they are, and all of it when nobody does.
func TestMintedNamesLeaveRoom(t *testing.T) {
	var members []MemberState
	for i := range 2000 {
		m := state(fmt.Sprintf("m%04d", i), 5000, episode.High, true, true)
		m.Confidence, m.Minted, m.Unnamed = episode.Certain, true, true
		members = append(members, m)
	}
	if top, also := Names(members); len(top) != MaxNamed || len(also) != MaxAlso {
		t.Errorf("%d and %d of 2,000 are named", len(top), len(also))
	}
	for i := range 300 {
		m := state(fmt.Sprintf("thief%03d", i), 9, episode.Low, true, true)
		m.Confidence, m.Unnamed = episode.Possible, true
		members = append(members, m)
	}
	top, also := Names(members)
	if got := identities(top); got != "m0000 m0001 m0002 thief000 thief001" {
		t.Errorf("the heaviest are %s", got)
	}
	if n := strings.Count(identities(also), "thief"); n != MaxAlso/2 || len(also) != MaxAlso {
		t.Errorf("%d of %d others are no minted names, want half", n, len(also))
	}
}

// Names that were made up long ago have a history, and can be loud: of many clients none
// keeps those of another dimension waiting.
func TestDimensionsTakeTurns(t *testing.T) {
	var members []MemberState
	add := func(dimension, identity string, records int64) {
		m := state(identity, records, episode.High, true, true)
		m.Dimension, m.Unnamed = dimension, true
		members = append(members, m)
	}
	for i := range 20_000 {
		add("client", fmt.Sprintf("m%05d", i), 5000)
	}
	for i := range 100 {
		add("user", fmt.Sprintf("thief%02d", i), 9)
	}
	add("key", "mobile-k1", 5)
	_, also := Names(members)
	if got := identities(also[:3]); got != "m00005 thief00 mobile-k1" {
		t.Errorf("the first are %s", got)
	}
	if n := strings.Count(identities(also), "thief"); n != 100 || len(also) != MaxAlso {
		t.Errorf("%d of 100 users are among the %d", n, len(also))
	}
}

func identities(list []Member) string {
	var out []string
	for i := range list {
		out = append(out, list[i].Identity)
	}
	return strings.Join(out, " ")
}

// Chernoff's bounds are never below what they bound.
func TestTails(t *testing.T) {
	for _, c := range []struct{ k, m, p, want float64 }{
		{2, 2, 0.1, 2 * math.Log(10)}, {1, 2, 0.5, 0}, {1, 4, 0.9, 0}, {3, 3, 0, 3 * math.Log(1e6)},
	} {
		if got := binomialTail(c.k, c.m, c.p); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v of %v at %v: %v, want %v", c.k, c.m, c.p, got, c.want)
		}
	}
	for _, c := range []struct{ n, mean float64 }{{5, 1}, {20, 10}, {30, 12}} {
		exact, term := 0.0, math.Exp(-c.mean)
		for k := 0.0; k < c.n; k++ {
			exact += term
			term *= c.mean / (k + 1)
		}
		if bound := math.Exp(-poissonTail(c.n, c.mean)); bound < 1-exact {
			t.Errorf("%v or more where %v are expected: probability %v, bound %v", c.n, c.mean, 1-exact, bound)
		}
	}
	if poissonTail(3, 3) != 0 || poissonTail(3, 0) != 0 {
		t.Error("no more than expected, and nothing expected, is no evidence")
	}
}

// Weak evidence behind a trait comes with those who show it.
func TestWeigh(t *testing.T) {
	names := []string{"user", "network"}
	hour := func(c *Crowd, bin int64, strong bool) []WeakGroup {
		sums := new(TraitSums)
		for i := range 40 {
			m := &ActiveIdentity{Identity: fmt.Sprintf("u%02d", i), Log: -1, Observed: 14, Traits: []trait.Trait{{Dimension: 1, Identity: fmt.Sprint("n", i%5)}, {Dimension: 9, Identity: "unknown"}}}
			if strong && i%5 == 2 {
				m.Log, m.Observed = 5, 20
			}
			sums.Add(m)
		}
		return c.Weigh(bin, 24, 2, names, sums)
	}
	var c Crowd
	for bin := range int64(5 * 24) {
		for _, g := range hour(&c, bin, false) {
			if g.Opens() || g.Cause.Weak.Strong {
				t.Fatalf("a calm hour: %+v", g)
			}
		}
	}
	groups := hour(&c, 5*24, true)
	if len(groups) != 5 {
		t.Fatalf("%d groups, want one a network; of a dimension that is not configured none", len(groups))
	}
	for i := range groups {
		g := &groups[i]
		if g.Opens() != (g.Trait.Identity == "n2") {
			t.Errorf("%s: %.1f of %.1f", g.Cause.Name(), g.Cause.Log, g.Cause.Threshold)
		}
	}
	w := groups[2].Cause.Weak
	if w.Count != 8 || len(w.Top) != 5 || w.Top[0] != "u02" || w.Observed != 8*20 || w.Expected != 8*14 || w.Dimension != "user" || !w.Strong {
		t.Errorf("behind n2: %+v", w)
	}
	weaker := *w
	weaker.Count--
	if !w.Outweighs(&weaker) || weaker.Outweighs(w) || w.Outweighs(&WeakMembers{Bin: w.Bin + 1}) {
		t.Error("of one bin the group with more members counts, of two the later")
	}
}
