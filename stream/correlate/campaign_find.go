package correlate

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/eventtime"
)

// Bounds of what makes a campaign.
const (
	// joinShare is the part of what an episode did that must have come through
	// a trait for the episode to belong to it.
	joinShare = 0.3
	// mirrorShare is that part, both ways, from which two episodes of different
	// dimensions are taken to show the same events.
	mirrorShare = 0.5
	// chance is the probability below which sharing a trait, or a time, is no
	// accident: of one tick's search, all traits together.
	chance = 0.01
	// timeChance is the same for beginning at once.
	timeChance = 0.001
	// unknownShare is the part of the fleet that a trait is taken to have when
	// nothing is known of such traits, and newShare when all of them are known
	// but this one.
	unknownShare = 0.5
	newShare     = 0.01
	// flood is how many episodes of one fact in an hour become one campaign.
	flood = 20
	// many is the least number of episodes that begin at once.
	many = 5
)

// member is an open episode that belongs to nothing yet.
type member struct {
	id    episodeID
	order int
	ep    episode.Episode
	file  *episodeRecord
}

// campaign gathers open episodes into campaigns, and judges these.
func (c *Task) campaign(n *tickActions) {
	if n.opened {
		free := c.free()
		free = c.joinOpen(free)
		free = c.fold(free, n)
		free = c.openByTrait(free, n)
		free = c.openByFact(free, n)
		c.openByTime(free, n)
	}
	c.follow(n)
}

// free returns the open episodes that belong to no campaign, by the order of
// dimensions in the configuration and identity.
func (c *Task) free() []member {
	var out []member
	for _, ep := range c.episodes.All() {
		id := episodeID{ep.Dimension, ep.Identity}
		file := c.files[id]
		if ep.Closed != 0 || file.Cause != nil {
			continue
		}
		if lead, ok := c.keys[file.Campaign]; ok && c.isOpen(lead) {
			continue
		}
		out = append(out, member{id, c.dims[id.dimension], ep, file})
	}
	slices.SortStableFunc(out, func(a, b member) int { return cmp.Compare(uint(a.order), uint(b.order)) })
	return out
}

func (c *Task) isOpen(id episodeID) bool {
	ep, ok := c.episodes.Get(id.dimension, id.identity)
	return ok && ep.Closed == 0
}

// share returns which part of what an episode did came through an identity.
func (m *member) share(dimension int, identity string) float64 {
	if m.order == dimension && m.id.identity == identity {
		return 1
	}
	for _, t := range m.file.Traits {
		if t.Dimension == dimension && t.Identity == identity {
			return t.Share
		}
	}
	return 0
}

func (m *member) hasFact(f fact.Name) bool {
	return slices.Contains(strings.Split(m.ep.Facts, ","), string(f))
}

// joinOpen adds to campaigns that are open what shares their cause, and returns
// the rest.
func (c *Task) joinOpen(free []member) []member {
	for _, id := range c.campaigns() {
		if !c.isOpen(id) {
			continue
		}
		file := c.files[id]
		x := file.Cause
		lead, _ := c.episodes.Get(id.dimension, id.identity)
		dim, known := c.dims[x.Dimension]
		free = slices.DeleteFunc(free, func(m member) bool {
			belongs := false
			switch x.Kind {
			case byTrait:
				belongs = known && m.share(dim, x.Identity) >= joinShare
			case byFact:
				belongs = m.hasFact(x.Fact)
			case byTime:
				belongs = m.id.dimension == x.Dimension && m.ep.Facts == "" && m.ep.Opened-lead.Opened < eventtime.Day && !m.file.Told
			}
			if belongs {
				c.join(m.id, file.alert.DedupKey)
			}
			return belongs
		})
	}
	return free
}

// fold puts episodes of this tick into one of another dimension that shows the
// same events: each does most of what it does through the other, or the same
// fact holds for both. The first in the order of dimensions is told, unless one
// has been already.
func (c *Task) fold(free []member, n *tickActions) []member {
	var leads []member
	for _, m := range free {
		if m.file.Told || m.ep.Opened < n.end {
			leads = append(leads, m)
		}
	}
	return slices.DeleteFunc(free, func(m member) bool {
		if m.file.Told || m.ep.Opened < n.end {
			return false
		}
		for i := range leads {
			if lead := &leads[i]; sameEvents(lead, &m) {
				c.join(m.id, lead.file.alert.DedupKey)
				return true
			}
		}
		leads = append(leads, m)
		return false
	})
}

func sameEvents(a, b *member) bool {
	if a.order == b.order || a.order < 0 || b.order < 0 {
		return false
	}
	there, back := a.share(b.order, b.id.identity), b.share(a.order, a.id.identity)
	if a.ep.Facts != "" && a.ep.Facts == b.ep.Facts {
		return max(there, back) >= joinShare || len(a.file.Traits)+len(b.file.Traits) == 0 && a.ep.Opened == b.ep.Opened
	}
	return min(there, back) >= mirrorShare && b.ep.Exposed <= outgrown*max(a.ep.Exposed, 1)
}

// candidateCause is a trait and those who come through it.
type candidateCause struct {
	trait   trait.Trait
	members []int // of the free episodes
	log     float64
}

// openByTrait finds the traits that open episodes share and that so few others
// share that it is no chance, the least likely first.
func (c *Task) openByTrait(free []member, n *tickActions) []member {
	for {
		best := c.bestTrait(free)
		if best == nil {
			return free
		}
		var ids []episodeID
		gone := map[int]bool{}
		for _, i := range best.members {
			ids = append(ids, free[i].id)
			gone[i] = true
		}
		x := cause{Kind: byTrait, Dimension: c.cfg.Dimensions[best.trait.Dimension], Identity: best.trait.Identity,
			Log: best.log, Threshold: -math.Log(chance)}
		c.open(x, ids, n)
		var rest []member
		for i := range free {
			if !gone[i] {
				rest = append(rest, free[i])
			}
		}
		free = rest
	}
}

// bestTrait returns the trait that is shared with the smallest probability of
// chance, or nil if none is shared beyond chance.
func (c *Task) bestTrait(free []member) *candidateCause {
	by := map[trait.Trait][]int{}
	for i := range free {
		m := &free[i]
		if m.order >= 0 {
			own := trait.Trait{Dimension: m.order, Identity: m.id.identity}
			by[own] = append(by[own], i)
		}
		for _, t := range m.file.Traits {
			if t.Share >= joinShare && t.Dimension != m.order && t.Dimension >= 0 && t.Dimension < len(c.cfg.Dimensions) {
				by[t.Trait] = append(by[t.Trait], i)
			}
		}
	}
	var best *candidateCause
	for t, list := range by {
		log := c.lift(free, t, list) - math.Log(float64(len(by)))
		if log < -math.Log(chance) {
			continue
		}
		x := &candidateCause{t, list, log}
		if best == nil || x.before(best) {
			best = x
		}
	}
	return best
}

func (x *candidateCause) before(o *candidateCause) bool {
	return cmp.Or(cmp.Compare(o.log, x.log), cmp.Compare(len(o.members), len(x.members)),
		cmp.Compare(x.trait.Dimension, o.trait.Dimension), cmp.Compare(x.trait.Identity, o.trait.Identity)) < 0
}

// lift returns how improbable it is, as a natural log, that so many of the open
// episodes of one dimension share a trait by chance, if each does with the
// share of the fleet that does: a Chernoff bound of the binomial tail, the best
// over the dimensions of members.
func (c *Task) lift(free []member, t trait.Trait, list []int) (best float64) {
	sharing, all := map[int]float64{}, map[int]float64{}
	for _, i := range list {
		sharing[free[i].order]++
	}
	for i := range free {
		if len(free[i].file.Traits) > 0 {
			all[free[i].order]++
		}
	}
	for dim := range c.cfg.Dimensions {
		k, m := sharing[dim], all[dim]
		if k < 2 || m < k || dim == t.Dimension {
			continue
		}
		best = max(best, binomialTail(k, m, c.fleetShare(dim, t)))
	}
	return best
}

// fleetShare returns which part of the fleet's identities of a dimension comes
// through a trait.
func (c *Task) fleetShare(dim int, t trait.Trait) float64 {
	group := c.crowdGroup(dim, t.Dimension)
	if p, known := c.crowd.Share(group, t.Identity); known {
		return p
	}
	all := c.crowd.Known(group)
	if all == 0 || all >= campaign.MaxSharedTraits {
		return unknownShare
	}
	return newShare
}

// binomialTail returns minus the natural log of Chernoff's bound on the
// probability of k or more of m, each with probability p.
func binomialTail(k, m, p float64) float64 {
	p = min(max(p, 1e-6), 1-1e-6)
	q := k / m
	if q <= p {
		return 0
	}
	kl := q * math.Log(q/p)
	if q < 1 {
		kl += (1 - q) * math.Log((1-q)/(1-p))
	}
	return m * kl
}

// openByFact makes one campaign of a fact that came to hold for very many
// within an hour.
func (c *Task) openByFact(free []member, n *tickActions) []member {
	by := map[fact.Name][]episodeID{}
	for i := range free {
		m := &free[i]
		if m.ep.Facts != "" && n.end-m.ep.Opened < eventtime.Hour {
			by[m.file.alert.Fact] = append(by[m.file.alert.Fact], m.id)
		}
	}
	taken := map[episodeID]bool{}
	for _, f := range sortedFacts(by) {
		if len(by[f]) <= flood {
			continue
		}
		c.open(cause{Kind: byFact, Fact: f, Log: certainLog, Threshold: 0}, by[f], n)
		for _, id := range by[f] {
			taken[id] = true
		}
	}
	return slices.DeleteFunc(free, func(m member) bool { return taken[m.id] })
}

// certainLog is the evidence of a campaign that needs none.
const certainLog = 7

func sortedFacts(by map[fact.Name][]episodeID) []fact.Name {
	out := make([]fact.Name, 0, len(by))
	for f := range by {
		out = append(out, f)
	}
	slices.Sort(out)
	return out
}

// openByTime makes one campaign of episodes of one dimension that began at once
// and share nothing else: more of them than the budget lets expect within an
// hour, or within a day. A day on which everybody does more, a release, an
// import: one message says so.
func (c *Task) openByTime(free []member, n *tickActions) {
	for dim, name := range c.cfg.Dimensions {
		for _, within := range []int64{eventtime.Hour, eventtime.Day} {
			var ids []episodeID
			for i := range free {
				if m := &free[i]; m.order == dim && m.ep.Facts == "" && n.end-m.ep.Opened < within {
					ids = append(ids, m.id)
				}
			}
			expected := c.cfg.Budget * float64(within) / float64(eventtime.Day)
			log := poissonTail(float64(len(ids)), expected)
			if len(ids) < many || log < -math.Log(timeChance) {
				continue
			}
			c.open(cause{Kind: byTime, Dimension: name, Log: log, Threshold: -math.Log(chance / 10)}, ids, n)
			break
		}
	}
}

// poissonTail returns minus the natural log of Chernoff's bound on the
// probability of n or more, where mean are expected.
func poissonTail(n, mean float64) float64 {
	if n <= mean || mean <= 0 {
		return 0
	}
	return n*math.Log(n/mean) - n + mean
}
