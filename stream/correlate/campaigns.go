package correlate

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
)

// campaigns asks package campaign who belongs together, and acts on it.
//
// A campaign is an episode of its own, of the dimension "campaign", whose
// identity is what its members share: it opens, is updated and closes like any
// other, under one key and with one message, and its members' own messages are
// held back. In the same way an episode of another dimension that shows the
// same events as one that people have been told of is folded into that.
type campaigns struct {
	store        *episodeStore
	grid         eventtime.Grid
	search       campaign.Search
	crowdChanged bool // since the last Snapshot
}

func newCampaigns(cfg *Config, store *episodeStore) campaigns {
	return campaigns{store: store, grid: cfg.Grid, search: campaign.Search{
		Dimensions: cfg.Dimensions, Budget: cfg.Budget.Budget, Crowd: &campaign.Crowd{},
	}}
}

// find gathers open episodes at the end of a tick in which one has opened.
func (c *campaigns) find(end int64) {
	plan := c.search.Find(end, c.subjects(), c.existing())
	for _, j := range plan.Joins {
		c.store.join(j.ID, j.Key)
		c.store.assure(c.store.records[j.ID])
	}
	for i := range plan.New {
		c.gather(&plan.New[i].Cause, plan.New[i].Members, end)
	}
}

// shared returns the traits that identities can share: names are one person's.
func (c *campaigns) shared(traits []campaign.TraitShare) []campaign.TraitShare {
	names := func(t campaign.TraitShare) bool { return t.Dimension >= len(c.search.Dimensions) }
	if !slices.ContainsFunc(traits, names) {
		return traits
	}
	return slices.DeleteFunc(slices.Clone(traits), names)
}

// subjects returns the open episodes that stand in nothing that is open, by the
// order of dimensions in the configuration and identity, sources last.
func (c *campaigns) subjects() (out []campaign.Subject) {
	for _, ep := range c.store.episodes.All() {
		record := c.store.records[ep.ID()]
		if ep.Closed != 0 || record.campaign != nil {
			continue
		}
		if lead, ok := c.store.byKey[record.lead]; ok && c.store.isOpen(lead) {
			continue
		}
		order := slices.Index(c.search.Dimensions, ep.Dimension)
		if order < 0 {
			order = campaign.NotConfigured
		}
		out = append(out, campaign.Subject{
			ID: ep.ID(), Key: record.key, Order: order, Opened: ep.Opened, Exposed: ep.Exposed,
			Facts: ep.Facts, Fact: record.fact, Announced: record.announced, Traits: c.shared(record.traits), Excess: record.excess,
		})
	}
	last := func(s *campaign.Subject) int {
		if s.Order == campaign.NotConfigured {
			return len(c.search.Dimensions)
		}
		return s.Order
	}
	slices.SortStableFunc(out, func(a, b campaign.Subject) int { return cmp.Compare(last(&a), last(&b)) })
	return out
}

// existing returns the campaigns that are open, sorted.
func (c *campaigns) existing() (out []campaign.Existing) {
	for _, id := range c.store.campaigns() {
		if ep, ok := c.store.episodes.Get(id); ok && ep.Closed == 0 {
			record := c.store.records[id]
			out = append(out, campaign.Existing{Key: record.key, Cause: record.campaign.cause, Opened: ep.Opened})
		}
	}
	return out
}

// gather begins a campaign, or finds the one of the same cause, and has the
// members join it.
func (c *campaigns) gather(cause *campaign.Cause, members []episode.ID, end int64) *episodeRecord {
	id := episode.ID{Dimension: alerting.CampaignDimension, Identity: cause.Name()}
	record := c.store.records[id]
	if record == nil {
		own := *cause
		record = c.store.newRecord(id, end)
		record.reset(c.grid, end)
		record.campaign = &campaignRecord{cause: &own}
	}
	c.store.put(id, record)
	if known := record.campaign.cause; cause.Log > known.Log {
		known.Log, known.Threshold = cause.Log, cause.Threshold
	}
	for _, m := range members {
		c.store.join(m, record.key)
	}
	return record
}

// weigh holds the weak evidence of a bin, summed by trait, against the rest of
// the fleet. It begins campaigns of those whose sum is strong, and tells those
// that are open who else there shows something. inputs are what the bin's last
// tick brought, sorted.
func (c *campaigns) weigh(bin int64, traits *campaign.TraitSums, inputs []tickInput, end int64) {
	if traits.Empty() {
		return
	}
	perDay := float64(eventtime.Day) / float64(c.grid.Bin)
	groups := c.search.Crowd.Weigh(bin, perDay, c.search.Budget, c.search.Dimensions, traits)
	c.crowdChanged = true
	for i := range groups {
		c.gatherWeak(&groups[i], inputs, end)
	}
}

func (c *campaigns) gatherWeak(g *campaign.WeakGroup, inputs []tickInput, end int64) {
	id := episode.ID{Dimension: alerting.CampaignDimension, Identity: g.Cause.Name()}
	if !g.Opens() && !c.store.isOpen(id) {
		return
	}
	weak := g.Cause.Weak
	if weak.Strong {
		c.gather(&g.Cause, c.behindTrait(g, end), end)
	}
	record := c.store.records[id]
	c.store.changed[id] = true
	if was := record.campaign.cause.Weak; was == nil || !was.Outweighs(weak) {
		record.campaign.cause.Weak = weak
	}
	behind := episode.ID{Dimension: g.Cause.Dimension, Identity: g.Cause.Identity}
	if i, ok := slices.BinarySearchFunc(inputs, behind, func(in tickInput, id episode.ID) int { return in.id.Compare(id) }); ok {
		exposed := inputs[i].exposed()
		record.campaign.through = &exposed
	}
}

// behindTrait returns the episodes that stand in nothing and come through the trait of
// a group. One that has been open for a day when the group stands out is another matter.
func (c *campaigns) behindTrait(g *campaign.WeakGroup, end int64) (ids []episode.ID) {
	subjects := c.subjects()
	for i := range subjects {
		if s := &subjects[i]; end-s.Opened < eventtime.Day && s.ComesThrough(g.Trait.Dimension, g.Trait.Identity) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// follow judges the campaigns by what was seen of their members in a tick.
func (c *campaigns) follow(acts *tickActions) {
	for _, id := range c.store.campaigns() {
		record := c.store.records[id]
		cause := record.campaign.cause
		sum := campaign.Summarize(record.campaign.forgotten, c.store.memberStates(record.key, acts.end))
		weak := cause.Weak != nil && cause.Weak.Strong && cause.Weak.Bin == c.grid.BinOf(acts.end-1)
		if _, known := c.store.episodes.Get(id); known && !sum.Active && !weak {
			continue
		}
		record.describe(&sum)
		d := c.store.episodes.Judge(episode.Observation{
			Dimension: id.Dimension, Identity: id.Identity, Tick: acts.end,
			Log: cause.Log, Threshold: cause.Threshold, Exposed: record.exposed.Records, Excess: record.through.Records,
			Floor: sum.Severity, Members: record.campaign.count,
		})
		if d.Action == episode.Open {
			key := c.store.secret.Key(id.Dimension, id.Identity, d.Episode.First)
			if !d.Reopened && record.key != key {
				c.store.rekey(id, key)
			}
		}
		acts.add(id, d.Action)
		c.store.changed[id] = true
	}
}

// describe keeps what is known of a campaign by the sum of its members.
func (r *episodeRecord) describe(sum *campaign.Summary) {
	cause := r.campaign.cause
	if sum.Onset != 0 {
		r.began(sum.Onset, sum.Onset, sum.Onset)
	}
	if e := sum.Exposed(r.onset); e.Records+e.Rows >= r.exposed.Records+r.exposed.Rows {
		r.exposed = e
	}
	if x := sum.Excess(); x.Records >= r.through.Records {
		r.through = x
	}
	if through := r.campaign.through; through != nil && through.Since <= r.onset && through.Records >= r.exposed.Records {
		r.exposed = *through // what is followed anew from a later time on is not all of it
	}
	r.evidence.log, r.evidence.threshold = cause.Log, cause.Threshold
	r.campaign.count, r.surest = sum.Count(), sum.Confidence
	weak := cause.Weak
	if weak == nil {
		return
	}
	r.evidence.bin, r.evidence.observed, r.evidence.expected = weak.Bin, weak.Observed, weak.Expected
	r.campaign.count = max(r.campaign.count, weak.Count)
	if r.exposed.High == 0 { // nobody is followed yet: what they touched in the bin, each counted alone
		r.exposed.Records, r.exposed.High = int64(weak.Observed), int64(weak.Observed)
		r.through = episode.ExcessOf(weak.Observed, weak.Observed, weak.Observed, weak.Expected, 0)
	}
}

// weakMembers returns the identities that a campaign's message names though they are
// no episodes, where the members that are leave room.
func (c *campaignRecord) weakMembers(top []campaign.Member) (out []alerting.Member) {
	if c.cause.Weak == nil {
		return nil
	}
	for _, name := range c.cause.Weak.Top {
		id := episode.ID{Dimension: c.cause.Weak.Dimension, Identity: name}
		named := slices.ContainsFunc(top, func(m campaign.Member) bool { return m.ID == id })
		if !named && len(top)+len(out) < campaign.MaxNamed {
			out = append(out, alerting.Member{Dimension: id.Dimension, Identity: name, Severity: episode.Low})
		}
	}
	return out
}
