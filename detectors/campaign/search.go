package campaign

import (
	"cmp"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/eventtime"
)

// Bounds of what makes a campaign.
const (
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
	// flood is how many episodes of one fact in an hour are told one by one. More of them
	// become one campaign.
	flood = 20
	// many is the least number of episodes that begin at once.
	many = 5
	// certainLog is the evidence of a campaign that needs none, in nats.
	certainLog = 7
)

// Search finds what open episodes have in common. It changes nothing: its answer
// is a function of what it is given.
type Search struct {
	Dimensions []string // names, in the order of the configuration
	Budget     float64  // alerts a day of the whole fleet
	Crowd      *Crowd   // which part of the fleet comes through each trait
}

// Existing is a campaign that is open.
type Existing struct {
	Key    string // dedup key
	Cause  *Cause
	Opened int64 // end of the tick in which it opened, Unix ms of event time
}

// Plan says who belongs together: which episodes join something that is open
// already, and which campaigns begin. No episode stands in it twice.
type Plan struct {
	Joins []Join
	New   []Group
}

// Join puts an episode into a campaign, or folds it into an episode of another
// dimension that shows the same events.
type Join struct {
	ID  episode.ID
	Key string // dedup key of what it joins
}

// Group is a campaign that begins.
type Group struct {
	Cause   Cause
	Members []episode.ID
}

// Find returns who belongs together at a tick that ends at end (Unix ms of event
// time). subjects are the open episodes that belong to nothing yet, sorted by
// Order and identity with those NotConfigured last; open are the campaigns that
// are open, in a fixed order.
func (s *Search) Find(end int64, subjects []Subject, open []Existing) Plan {
	var p Plan
	free := slices.Clone(subjects)
	for i := range open {
		free = s.joinOpen(&p, free, &open[i])
	}
	free = fold(&p, free, end)
	free = s.shareTrait(&p, free)
	free = shareFact(&p, free, end)
	s.beganAtOnce(&p, free, end)
	return p
}

// joinsFor is how long after it opened a campaign of a trait takes in each episode that
// comes through the trait, in milliseconds of event time. One that begins later is another
// matter, unless several have begun by then, which is again no chance.
const joinsFor = 7 * eventtime.Day

// joinOpen has those join an open campaign that share its cause, and returns the
// rest.
func (s *Search) joinOpen(p *Plan, free []Subject, of *Existing) []Subject {
	cause := of.Cause
	dimension := slices.Index(s.Dimensions, cause.Dimension)
	return slices.DeleteFunc(free, func(m Subject) bool {
		belongs := false
		switch cause.Kind {
		case ByTrait:
			belongs = dimension >= 0 && m.Opened-of.Opened < joinsFor && m.ComesThrough(dimension, cause.Identity)
		case ByFact:
			belongs = m.hasFact(cause.Fact)
		case ByTime:
			belongs = m.ID.Dimension == cause.Dimension && m.Facts == "" && m.Opened-of.Opened < eventtime.Day && !m.Announced
		}
		if belongs {
			p.Joins = append(p.Joins, Join{m.ID, of.Key})
		}
		return belongs
	})
}

// fold puts episodes of this tick into one of another dimension that shows the
// same events. The first in the order of dimensions is told, unless one has been
// already.
func fold(p *Plan, free []Subject, end int64) []Subject {
	isNew := func(m *Subject) bool { return !m.Announced && m.Opened >= end }
	var leads []Subject
	for i := range free {
		if !isNew(&free[i]) {
			leads = append(leads, free[i])
		}
	}
	return slices.DeleteFunc(free, func(m Subject) bool {
		if !isNew(&m) {
			return false
		}
		for i := range leads {
			if sameEvents(&leads[i], &m) {
				p.Joins = append(p.Joins, Join{m.ID, leads[i].Key})
				return true
			}
		}
		leads = append(leads, m)
		return false
	})
}

// shareTrait begins a campaign of each trait that episodes share and that so few
// others share that it is no chance, the least likely first.
func (s *Search) shareTrait(p *Plan, free []Subject) []Subject {
	for {
		best := s.bestTrait(free)
		if best == nil {
			return free
		}
		group := Group{Cause: Cause{Kind: ByTrait, Dimension: s.Dimensions[best.trait.Dimension], Identity: best.trait.Identity,
			Log: best.log, Threshold: -math.Log(chance)}}
		for _, i := range best.members {
			group.Members = append(group.Members, free[i].ID)
		}
		p.New = append(p.New, group)
		free = without(free, best.members)
	}
}

// without returns the list but for some places in it, which are in order.
func without(list []Subject, places []int) (rest []Subject) {
	for i := range list {
		if _, ok := slices.BinarySearch(places, i); !ok {
			rest = append(rest, list[i])
		}
	}
	return rest
}

// sharedTrait is a trait and those who come through it.
type sharedTrait struct {
	trait   trait.Trait
	members []int // places among the free episodes, ascending
	log     float64
}

// bestTrait returns the trait that is shared with the smallest probability of
// chance, or nil if none is shared beyond chance.
func (s *Search) bestTrait(free []Subject) *sharedTrait {
	by := map[trait.Trait][]int{}
	for i := range free {
		m := &free[i]
		if m.Order != NotConfigured {
			own := trait.Trait{Dimension: m.Order, Identity: m.Identity}
			by[own] = append(by[own], i)
		}
		for _, t := range m.Traits {
			if t.Share >= joinShare && t.Dimension != m.Order && t.Dimension >= 0 && t.Dimension < len(s.Dimensions) {
				by[t.Trait] = append(by[t.Trait], i)
			}
		}
	}
	var best *sharedTrait
	for t, members := range by {
		log := s.improbable(free, t, members) - math.Log(float64(len(by)))
		if log < -math.Log(chance) {
			continue
		}
		if x := (&sharedTrait{t, members, log}); best == nil || x.before(best) {
			best = x
		}
	}
	return best
}

func (x *sharedTrait) before(o *sharedTrait) bool {
	return cmp.Or(cmp.Compare(o.log, x.log), cmp.Compare(len(o.members), len(x.members)),
		cmp.Compare(x.trait.Dimension, o.trait.Dimension), cmp.Compare(x.trait.Identity, o.trait.Identity)) < 0
}

// improbable returns, as minus a natural log, how probable it is at most that so
// many of the open episodes of one dimension share a trait by chance, if each
// does with the share of the fleet that does: a Chernoff bound of the binomial
// tail, the best over the dimensions of members.
func (s *Search) improbable(free []Subject, t trait.Trait, members []int) (best float64) {
	sharing, all := map[int]float64{}, map[int]float64{}
	for _, i := range members {
		sharing[free[i].Order]++
	}
	for i := range free {
		if len(free[i].Traits) > 0 {
			all[free[i].Order]++
		}
	}
	for dimension := range s.Dimensions {
		k, m := sharing[dimension], all[dimension]
		if k < 2 || m < k || dimension == t.Dimension {
			continue
		}
		best = max(best, binomialTail(k, m, s.fleetShare(dimension, t)))
	}
	return best
}

// fleetShare returns which part of the fleet's identities of a dimension comes
// through a trait.
func (s *Search) fleetShare(dimension int, t trait.Trait) float64 {
	group := crowdGroup(s.Dimensions[dimension], s.Dimensions[t.Dimension])
	if share, known := s.Crowd.Share(group, t.Identity); known {
		return share
	}
	all := s.Crowd.Known(group)
	if all == 0 || all >= MaxSharedTraits {
		return unknownShare
	}
	return newShare
}

// shareFact begins one campaign of a fact that came to hold for very many within
// an hour, and returns the rest.
func shareFact(p *Plan, free []Subject, end int64) []Subject {
	by := map[fact.Name][]int{}
	for i := range free {
		if m := &free[i]; m.Facts != "" && end-m.Opened < eventtime.Hour {
			by[m.Fact] = append(by[m.Fact], i)
		}
	}
	var taken []int
	for _, name := range sortedFacts(by) {
		if len(by[name]) <= flood {
			continue
		}
		group := Group{Cause: Cause{Kind: ByFact, Fact: name, Log: certainLog}}
		for _, i := range by[name] {
			group.Members = append(group.Members, free[i].ID)
		}
		p.New = append(p.New, group)
		taken = append(taken, by[name]...)
	}
	slices.Sort(taken)
	return without(free, taken)
}

func sortedFacts(by map[fact.Name][]int) []fact.Name {
	out := make([]fact.Name, 0, len(by))
	for name := range by {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// beganAtOnce begins one campaign of episodes of one dimension that began at once
// and share nothing else: more of them than the budget lets expect within an
// hour, or within a day. On a day on which everybody does more, a release or an
// import, one message says so.
func (s *Search) beganAtOnce(p *Plan, free []Subject, end int64) {
	for dimension, name := range s.Dimensions {
		for _, within := range []int64{eventtime.Hour, eventtime.Day} {
			var members []episode.ID
			for i := range free {
				if m := &free[i]; m.Order == dimension && m.Facts == "" && end-m.Opened < within {
					members = append(members, m.ID)
				}
			}
			expected := s.Budget * float64(within) / float64(eventtime.Day)
			log := poissonTail(float64(len(members)), expected)
			if len(members) < many || log < -math.Log(timeChance) {
				continue
			}
			p.New = append(p.New, Group{Cause{Kind: ByTime, Dimension: name, Log: log, Threshold: -math.Log(timeChance)}, members})
			break
		}
	}
}
