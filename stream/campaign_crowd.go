package stream

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors"
)

// crowdGroup names the members of one dimension behind the traits of another, as
// detectors.Crowd knows them.
func (c *Correlate) crowdGroup(member, trait int) string {
	return c.cfg.Dimensions[member] + "\x00" + c.cfg.Dimensions[trait] + "\x00"
}

// judgeCrowd holds the weak evidence of a bin, summed by trait, against the rest
// of the fleet, and opens campaigns of those whose sum is strong.
func (c *Correlate) judgeCrowd(bin int64, all []heard, n *news) {
	traits := &c.sums[bin].traits
	if traits.Empty() {
		return
	}
	keys := slices.DeleteFunc(traits.keys(), func(k memberTrait) bool {
		return k.member < 0 || k.member >= len(c.cfg.Dimensions) || k.Dimension < 0 || k.Dimension >= len(c.cfg.Dimensions)
	})
	sums := make([]detectors.CrowdSum, len(keys))
	for i, k := range keys {
		of, every := traits.traits[k], traits.All(k.member)
		sums[i] = detectors.CrowdSum{
			Group: c.crowdGroup(k.member, k.Dimension), Trait: k.Identity, N: float64(of.N), AllN: float64(every.N),
			Weak: float64(of.Weak) / traitUnit, Linear: float64(of.Linear) / traitUnit,
			AllLinear: float64(every.Linear) / traitUnit, Over: of.Over,
		}
	}
	perDay := float64(24*hourMS) / float64(c.cfg.Grid.Bin)
	evidence := c.crowd.Close(bin, perDay, c.cfg.Budget, sums)
	c.crowded = true
	for i, k := range keys {
		if ev := &evidence[i]; ev.Log >= ev.Threshold-detectors.EpisodeMargin {
			c.gatherCrowd(bin, k, traits.traits[k], ev, all, n)
		}
	}
}

// gatherCrowd opens a campaign of a trait, or tells of one that is open that it
// goes on.
func (c *Correlate) gatherCrowd(bin int64, k memberTrait, sum *TraitSum, ev *detectors.CrowdEvidence, all []heard, n *news) {
	x := cause{Kind: byTrait, Dimension: c.cfg.Dimensions[k.Dimension], Identity: k.Identity, Log: ev.Log, Threshold: ev.Threshold}
	id := episodeID{alerting.CampaignDimension, x.name()}
	if ev.Log < ev.Threshold && !c.isOpen(id) {
		return
	}
	x.Crowd = &crowd{Bin: bin, Member: c.cfg.Dimensions[k.member], Over: int64(sum.Over),
		Observed: float64(sum.Observed), Expected: float64(sum.Expected) / traitUnit}
	for _, m := range sum.Top {
		x.Crowd.Top = append(x.Crowd.Top, m.Identity)
	}
	var ids []episodeID
	for _, m := range c.free() {
		if m.share(k.Dimension, k.Identity) >= joinShare {
			ids = append(ids, m.id)
		}
	}
	c.open(x, ids, n)
	file := c.files[id]
	if was := file.Cause.Crowd; was == nil || was.Bin != bin || cmp.Compare(x.Crowd.Over, was.Over) > 0 {
		file.Cause.Crowd = x.Crowd
	}
	if i, ok := slices.BinarySearchFunc(all, episodeID{x.Dimension, x.Identity}, func(h heard, id episodeID) int { return h.id.compare(id) }); ok {
		e := all[i].exposed()
		file.Through = &e
	}
}
