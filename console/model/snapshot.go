package model

import (
	"cmp"
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
)

// Snapshot is the picture of one moment. It never changes.
type Snapshot struct {
	Judged alerting.Time // event time up to which everything has been judged; 0: not known
	Latest alerting.Time // event time of the latest message; 0: there is none
	Gone   int64         // episodes that were left out, see MaxEpisodes

	list       []*Episode // by urgency
	byKey      map[string]*Episode
	byIdentity map[identity][]*Episode
	byCampaign map[string][]*Episode
	holders    []Holder
	counts     map[State]*Counts
	weeks      map[identity]Watched
	levels     map[Group]Level
}

type identity struct{ dimension, name string }

// add adds an episode behind those that are there.
func (s *Snapshot) add(e *Episode) {
	s.list = append(s.list, e)
	s.byKey[e.Key()] = e
	id := identity{e.Alert.Dimension, e.Alert.Identity}
	s.byIdentity[id] = append(s.byIdentity[id], e)
	for _, state := range [...]State{e.State(), All} {
		if s.counts == nil {
			s.counts = map[State]*Counts{}
		}
		if s.counts[state] == nil {
			s.counts[state] = &Counts{Dimensions: map[string]int{}, RestOn: map[string]int{}}
		}
		c := s.counts[state]
		c.Episodes++
		c.Dimensions[e.Alert.Dimension]++
		c.RestOn[e.Alert.RestsOn()]++
	}
	if e.Alert.Campaign != "" {
		s.byCampaign[e.Alert.Campaign] = append(s.byCampaign[e.Alert.Campaign], e)
	}
}

// Counts is how many episodes there are, in all, by dimension and by what they rest on.
type Counts struct {
	Episodes           int
	Dimensions, RestOn map[string]int
}

// Counts returns how many episodes are in a state. It must not be changed.
func (s *Snapshot) Counts(of State) Counts {
	if c := s.counts[of]; c != nil {
		return *c
	}
	return Counts{}
}

// Now is the event time of the picture.
func (s *Snapshot) Now() alerting.Time { return max(s.Judged, s.Latest) }

// Episodes returns all, the most urgent first. It must not be changed.
func (s *Snapshot) Episodes() []*Episode { return s.list }

// Episode returns the episode or campaign of a key, or nil.
func (s *Snapshot) Episode(key string) *Episode { return s.byKey[key] }

// OfCampaign returns the episodes for which a campaign, or another episode, stands.
func (s *Snapshot) OfCampaign(key string) []*Episode { return s.byCampaign[key] }

// OfIdentity returns the episodes of an identity, the latest first.
func (s *Snapshot) OfIdentity(dimension, name string) []*Episode {
	out := slices.Clone(s.byIdentity[identity{dimension, name}])
	slices.SortFunc(out, func(a, b *Episode) int {
		return cmp.Or(cmp.Compare(b.Opened(), a.Opened()), cmp.Compare(a.Key(), b.Key()))
	})
	return out
}

// Holders returns what held messages back, those that held most first.
func (s *Snapshot) Holders() []Holder { return s.holders }

// Identity is an identity that had an episode.
type Identity struct {
	Dimension string        `json:"dimension"`
	Name      string        `json:"identity"`
	Episodes  int           `json:"episodes"`
	Open      int           `json:"open"` // of the episodes
	Last      alerting.Time `json:"last"` // event time of the latest message
}

// Search returns the identities whose name holds a text, whatever its case: those
// with open episodes first, then those of the latest messages.
func (s *Snapshot) Search(text string) []Identity {
	text = strings.ToLower(strings.TrimSpace(text))
	var out []Identity
	for id, list := range s.byIdentity {
		if !strings.Contains(strings.ToLower(id.name), text) {
			continue
		}
		found := Identity{Dimension: id.dimension, Name: id.name, Episodes: len(list)}
		for _, e := range list {
			found.Last = max(found.Last, e.Latest().Time)
			if e.IsOpen() {
				found.Open++
			}
		}
		out = append(out, found)
	}
	slices.SortFunc(out, func(a, b Identity) int {
		return cmp.Or(cmp.Compare(b.Open, a.Open), cmp.Compare(b.Last, a.Last), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// OfPeers returns the identities of a group of peers, but one, that had an episode with a
// message since a time: those of the latest messages first.
func (s *Snapshot) OfPeers(group, but string, since alerting.Time) (out []Identity) {
	found := map[identity]*Identity{}
	for _, e := range s.list {
		id, last := identity{e.Alert.Dimension, e.Alert.Identity}, e.Latest().Time
		if group == "" || e.Alert.Evidence.Peers != group || id.name == but || last < since {
			continue
		}
		if found[id] == nil {
			found[id] = &Identity{Dimension: id.dimension, Name: id.name}
		}
		of := found[id]
		of.Episodes++
		of.Last = max(of.Last, last)
		if e.IsOpen() {
			of.Open++
		}
	}
	for _, of := range found {
		out = append(out, *of)
	}
	slices.SortFunc(out, func(a, b Identity) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// byUrgency puts open episodes first, then the gravest, then the weightiest, then
// the latest.
func byUrgency(a, b *Episode) int {
	return cmp.Or(compareBool(a.IsOpen(), b.IsOpen()), byWeight(a, b))
}

func byWeight(a, b *Episode) int {
	return cmp.Or(
		cmp.Compare(b.Alert.Severity, a.Alert.Severity), cmp.Compare(Weight(b.Alert), Weight(a.Alert)),
		cmp.Compare(b.Latest().Time, a.Latest().Time), cmp.Compare(a.Key(), b.Key()),
	)
}
