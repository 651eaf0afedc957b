package detect

import (
	"slices"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/event"
)

// NoPeers says that the identities of a dimension are in no groups: all of them
// are each other's peers.
const NoPeers = -1

// DefaultPeers tells of each dimension which other one says who is like whom:
// the endpoint through which an identity works, since that follows from what it
// may do, where the client's name is its own choice; of endpoints the client.
// Dimensions without either have no groups.
func DefaultPeers(dims []event.Dimension) []int {
	of := func(field string) int {
		return slices.IndexFunc(dims, func(d event.Dimension) bool { return slices.Equal(d.Fields, []string{field}) })
	}
	endpoint, client := of("endpoint"), of("client_family")
	if client < 0 {
		client = of("client")
	}
	out := make([]int, len(dims))
	for i, d := range dims {
		has := func(field string) bool { return slices.Contains(d.Fields, field) }
		switch {
		case !has("endpoint") && endpoint >= 0:
			out[i] = endpoint
		case has("endpoint") && !has("client") && !has("client_family") && client >= 0:
			out[i] = client
		default:
			out[i] = NoPeers
		}
	}
	return out
}

// peers returns the dimension whose identities name the groups of another.
func (d *Task) peers(dim int) int {
	if dim < len(d.cfg.Peers) {
		return d.cfg.Peers[dim]
	}
	return NoPeers
}

// group returns what names the group of an identity by its open bin: the trait
// through which most of its events went, ties by the order of traits. Empty:
// nothing does.
func (d *Task) group(id *identity) string {
	by := d.peers(id.dimension())
	if by == NoPeers || id.tally == nil {
		return ""
	}
	var most *trait.Count
	for i := range id.tally.traits {
		t := &id.tally.traits[i]
		if t.Dimension() == by && (most == nil || t.Events() > most.Events()) {
			most = t
		}
	}
	if most == nil {
		return ""
	}
	return most.Name()
}

// assignGroup gives a newcomer the peers that its first bin so far tells of.
func (d *Task) assignGroup(id *identity) {
	if id.state.Group() != 0 {
		return
	}
	if name := d.group(id); name != "" {
		id.state.Lean(score.GroupToken(name))
	}
}

// confirmGroup counts what an identity worked with in a bin that has ended, and tells
// what its group is called.
func (d *Task) confirmGroup(id *identity, sums *fleet.Sums) {
	name := d.group(id)
	if name == "" {
		return
	}
	token := score.GroupToken(name)
	id.state.Vote(token)
	if id.state.Group() == token {
		sums.Name(id.dimension(), token, name)
	}
}

// peersOf names those that an identity was held against, as DIMENSION:NAME.
func (d *Task) peersOf(id *identity, ev *score.Evidence) string {
	by := d.peers(id.dimension())
	if ev.Peers == "" || by == NoPeers {
		return ""
	}
	return d.cfg.Dimensions[by] + ":" + ev.Peers
}
