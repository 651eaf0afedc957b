package correlate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/stream"
)

// Wherever correlate is killed and restored, it says the same, byte for byte.
func TestRestoreSaysTheSame(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		calm, killed := randomStory(t, seed, false), randomStory(t, seed, true)
		for i := range min(len(calm), len(killed)) {
			if calm[i] != killed[i] {
				t.Fatalf("seed %d, line %d: killed and restored\n%s\nwant\n%s", seed, i, killed[i], calm[i])
			}
		}
		if len(calm) != len(killed) {
			t.Fatalf("seed %d: %d lines, want %d", seed, len(killed), len(calm))
		}
		if len(calm) < 30 {
			t.Fatalf("seed %d: only %d lines: too few to tell anything", seed, len(calm))
		}
	}
}

// randomStory plays four days of candidates, facts, weak evidence and verdicts by
// a dice, and returns all that is said.
func randomStory(t *testing.T, seed uint64, kills bool) (out []string) {
	dice, fate := rand.New(rand.NewPCG(seed, 5)), rand.New(rand.NewPCG(seed, 6))
	d := newDesk(t, Expectation{Name: "x", Dimension: "user", Identity: "u1*", AtMost: 500, Owner: "o", Reason: "r",
		Weekly: []Weekly{{Days: [7]bool{true, true, true, true, true, true, true}, Start: 22 * 60, End: 6 * 60}}})
	networks := []string{"office", "a", "b", "c"}
	kinds := []VerdictKind{Acknowledged, Expected, Confirmed, Reopened}
	for range 4 * 24 * 12 {
		var candidates []stream.Candidate
		var facts []stream.FactCandidate
		if dice.IntN(6) == 0 {
			candidates = d.randomUsers(dice, networks)
		}
		if dice.IntN(40) == 0 {
			candidates = append(candidates, d.candidate("network", networks[dice.IntN(4)], 12, 300, through(t, "user", fmt.Sprintf("u%02d", dice.IntN(20)), 1)))
			facts = append(facts, factOf(dimension(t, "key"), "kid-2", fact.RetiredKey, int64(dice.IntN(3000))))
		}
		if dice.IntN(30) == 0 && len(d.alerts) > 0 {
			d.verdict(kinds[dice.IntN(4)], d.alerts[dice.IntN(len(d.alerts))].DedupKey)
		}
		var traits *campaign.TraitSums
		if d.endsBin() {
			weak := dice.IntN(10) == 0
			traits = company(t, 40, func(i int, m *campaign.ActiveIdentity) {
				if weak && i < 8 {
					m.Log = 4
					m.Traits = append(m.Traits, trait.Trait{Dimension: dimension(t, "network"), Identity: networks[1+dice.IntN(2)]})
				}
			})
		}
		if kills && fate.IntN(5) == 0 {
			d.restore() // what came since the last commit comes again
		}
		out = append(out, written(d.next(candidates, facts, traits))...)
	}
	return out
}

func (d *desk) randomUsers(dice *rand.Rand, networks []string) (out []stream.Candidate) {
	for range 1 + dice.IntN(6) {
		user, network := fmt.Sprintf("u%02d", dice.IntN(20)), networks[dice.IntN(4)]
		out = append(out, d.candidate("user", user, 3+12*dice.Float64(), int64(dice.IntN(40))*int64(dice.IntN(700)),
			through(d.t, "network", network, dice.Float64()), through(d.t, "client", "curl", dice.Float64())))
	}
	slices.SortFunc(out, func(a, b stream.Candidate) int { return strings.Compare(a.Identity, b.Identity) })
	return slices.CompactFunc(out, func(a, b stream.Candidate) bool { return a.Identity == b.Identity })
}

// written returns findings as they are written to their topics.
func written(found Findings) (out []string) {
	for i := range found.Alerts {
		out = append(out, string(found.Alerts[i].AppendJSON(nil)))
	}
	for i := range found.Suppressed {
		out = append(out, string(found.Suppressed[i].AppendJSON(nil)))
	}
	for _, e := range found.Effects {
		out = append(out, fmt.Sprint(e.Time, e.Verdict))
	}
	if p := found.Parameters; p != nil {
		out = append(out, string(p.AppendBinary(nil)))
	}
	return out
}
