package correlate

import (
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/eventtime"
)

// crowdGroup names the members of one dimension behind the traits of another, as
// campaign.Crowd knows them.
func (c *Task) crowdGroup(member, trait int) string {
	return c.cfg.Dimensions[member] + "\x00" + c.cfg.Dimensions[trait] + "\x00"
}

// judgeCrowd holds the weak evidence of a bin, summed by trait, against the rest
// of the fleet, and opens campaigns of those whose sum is strong.
func (c *Task) judgeCrowd(bin int64, all []tickInput, n *tickActions) {
	traits := &c.sums[bin].traits
	if traits.Empty() {
		return
	}
	keys := slices.DeleteFunc(traits.Keys(), func(k campaign.MemberTrait) bool {
		return k.Member < 0 || k.Member >= len(c.cfg.Dimensions) || k.Dimension < 0 || k.Dimension >= len(c.cfg.Dimensions)
	})
	sums := make([]campaign.CrowdSum, len(keys))
	for i, k := range keys {
		of, every := traits.Traits[k], traits.All(k.Member)
		sums[i] = campaign.CrowdSum{
			Group: c.crowdGroup(k.Member, k.Dimension), Trait: k.Identity, N: float64(of.N), AllN: float64(every.N),
			Weak: float64(of.Weak) / campaign.TraitUnit, Linear: float64(of.Linear) / campaign.TraitUnit,
			AllLinear: float64(every.Linear) / campaign.TraitUnit, Over: of.Over,
		}
	}
	perDay := float64(eventtime.Day) / float64(c.cfg.Grid.Bin)
	evidence := c.crowd.Close(bin, perDay, c.cfg.Budget, sums)
	c.crowded = true
	for i, k := range keys {
		c.gatherCrowd(bin, k, traits.Traits[k], &evidence[i], all, n)
	}
}

// gatherCrowd opens a campaign of a trait whose evidence is strong, or tells of
// one that is open that it goes on. A campaign that is open for another reason
// learns in any case who else there shows something.
func (c *Task) gatherCrowd(bin int64, k campaign.MemberTrait, sum *campaign.TraitSum, ev *campaign.CrowdEvidence, all []tickInput, n *tickActions) {
	x := cause{Kind: byTrait, Dimension: c.cfg.Dimensions[k.Dimension], Identity: k.Identity, Log: ev.Log, Threshold: ev.Threshold}
	id := episodeID{alerting.CampaignDimension, x.name()}
	open := c.isOpen(id)
	if ev.Log < ev.Threshold && !open {
		return
	}
	now := &crowd{Bin: bin, Strong: ev.Log >= ev.Threshold-episode.EpisodeMargin, Member: c.cfg.Dimensions[k.Member],
		Over: int64(sum.Over), Observed: float64(sum.Observed), Expected: float64(sum.Expected) / campaign.TraitUnit}
	for _, m := range sum.Top {
		now.Top = append(now.Top, m.Identity)
	}
	if now.Strong {
		c.open(x, c.through(k.Trait), n)
	}
	file := c.files[id]
	c.changed[id] = true
	if was := file.Cause.Crowd; was == nil || !was.beats(now) {
		file.Cause.Crowd = now
	}
	if i, ok := slices.BinarySearchFunc(all, episodeID{x.Dimension, x.Identity}, func(h tickInput, id episodeID) int { return h.id.compare(id) }); ok {
		e := all[i].exposed()
		file.Through = &e
	}
}

// beats reports whether a crowd says more than another of the same bin.
func (w *crowd) beats(o *crowd) bool {
	return w.Bin == o.Bin && (w.Strong && !o.Strong || w.Strong == o.Strong && w.Over >= o.Over)
}

// through returns the episodes without a campaign that come through a trait.
func (c *Task) through(t trait.Trait) (ids []episodeID) {
	for _, m := range c.free() {
		if m.share(t.Dimension, t.Identity) >= joinShare {
			ids = append(ids, m.id)
		}
	}
	return ids
}
