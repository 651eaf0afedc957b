package campaign

import (
	"slices"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/trait"
)

// WeakGroup is what the identities of one dimension behind one trait show
// together in a bin.
type WeakGroup struct {
	Trait trait.Trait
	Cause Cause // of the campaign that it is, or would be
}

// Opens reports whether the group is a campaign by itself.
func (g *WeakGroup) Opens() bool { return g.Cause.Log >= g.Cause.Threshold }

// crowdGroup names the members of one dimension behind the traits of another.
func crowdGroup(member, behind string) string { return member + "\x00" + behind + "\x00" }

// Weigh takes in the weak evidence of a finished bin, summed by trait, and holds
// it against the rest of the fleet. names are the dimensions in the order of the
// configuration; traits of others are passed over. See Close for the rest.
func (c *Crowd) Weigh(bin int64, perDay, budget float64, names []string, traits *TraitSums) []WeakGroup {
	known := func(dimension int) bool { return dimension >= 0 && dimension < len(names) }
	keys := slices.DeleteFunc(traits.Keys(), func(k MemberTrait) bool { return !known(k.Member) || !known(k.Dimension) })
	sums := make([]CrowdSum, len(keys))
	for i, k := range keys {
		of, every := traits.Traits[k], traits.All(k.Member)
		sums[i] = CrowdSum{
			Group: crowdGroup(names[k.Member], names[k.Dimension]), Trait: k.Identity, N: float64(of.N), AllN: float64(every.N),
			Weak: float64(of.Weak) / TraitUnit, Linear: float64(of.Linear) / TraitUnit,
			AllLinear: float64(every.Linear) / TraitUnit, Over: of.Over, AllOver: every.Over,
			Observed: float64(of.Observed), AllObserved: float64(every.Observed),
		}
	}
	out := make([]WeakGroup, len(keys))
	for i, ev := range c.Close(bin, perDay, budget, sums) {
		k := keys[i]
		of := traits.Traits[k]
		weak := &WeakMembers{
			Bin: bin, Strong: ev.Log >= ev.Threshold-episode.Margin, Dimension: names[k.Member],
			Count: int64(of.Over), Observed: float64(of.Observed), Expected: ev.Expected,
		}
		for _, m := range of.Top {
			weak.Top = append(weak.Top, m.Identity)
		}
		out[i] = WeakGroup{k.Trait, Cause{Kind: ByTrait, Dimension: names[k.Dimension], Identity: k.Identity, Log: ev.Log, Threshold: ev.Threshold, Weak: weak}}
	}
	return out
}
