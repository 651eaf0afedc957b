package ingest

import (
	"slices"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/clamp"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// absent stands for an identity or a dimension that is not there.
const absent = -1

// newLayout returns what partials of these dimensions have in common.
func newLayout(grid eventtime.Grid, dims []event.Dimension) stream.Layout {
	l := stream.Layout{TickMinutes: uint64(grid.TickMinutes()), Actors: absent}
	for i, d := range dims {
		switch {
		case !slices.Contains(d.Fields, "actor"):
			l.Subjects |= 1 << i
		case len(d.Fields) == 1 && l.Actors == absent:
			l.Actors = i
		}
	}
	return l
}

// traitLists keep, for each open partial and each other dimension, the traits
// of smallest hash. Most lists hold one, so all of them are linked through one
// pool; each begins with the largest, against which a newcomer is held. A link
// is an index plus one, and zero ends a list.
type traitLists struct {
	dimensions int
	slots      []traitSlot // by count and dimension
	nodes      []traitNode
}

type traitSlot struct {
	head int32 // link
	size int32
}

type traitNode struct {
	next   int32 // link
	who    int32 // place of its accumulator
	events uint32
}

// grow makes room for the lists of one more count.
func (l *traitLists) grow() {
	for range l.dimensions {
		l.slots = append(l.slots, traitSlot{})
	}
}

func (l *traitLists) drop() { l.slots, l.nodes = l.slots[:0], l.nodes[:0] }

// meet notes for each identity of the event in hand which others it came with.
func (in *Worker) meet(ev *event.Event) {
	for i, at := range in.fellows {
		if at == absent {
			continue
		}
		for j, other := range in.fellows {
			if j != i && other != absent {
				in.note(at, i, j, in.counts[other].owner)
			}
		}
		if in.writer.Counts(i) && ev.Actor != "" {
			in.subject(&in.counts[at], ev.Actor)
		}
	}
}

// subject counts the actor, unless the traits tell of all so far.
func (in *Worker) subject(c *tickCount, actor string) {
	if in.writer.Actors == absent {
		c.rarely().addToken(stream.SubjectToken(trait.NameHash(actor)))
		return
	}
	if c.rare != nil && c.rare.tokens != nil {
		c.rare.addToken(stream.SubjectToken(in.dirty[in.counts[in.fellows[in.writer.Actors]].owner].hash))
	}
}

// addToken adds a subject, and removes repeats when they may be half of all.
func (r *rareCount) addToken(token uint32) {
	if n := len(r.tokens); n > 0 && r.tokens[n-1] == token {
		return
	}
	if r.tokens = append(r.tokens, token); len(r.tokens) >= 2*r.unique+64 {
		slices.Sort(r.tokens)
		r.tokens = slices.Compact(r.tokens)
		r.unique = len(r.tokens)
	}
}

// note counts a trait of dimension j for a count of dimension i.
func (in *Worker) note(at int32, i, j int, who int32) {
	l := &in.traits
	s := &l.slots[int(at)*l.dimensions+j]
	if s.size == trait.Max && in.before(l.at(s.head), who) {
		in.overflow(at, i, j)
		return
	}
	prev, next := int32(0), s.head
	for ; next != 0; prev, next = next, l.at(next).next {
		n := l.at(next)
		if n.who == who {
			n.events = clamp.Uint32(int64(n.events) + 1)
			return
		}
		if in.before(n, who) {
			break
		}
	}
	l.nodes = append(l.nodes, traitNode{next, who, 1})
	if prev == 0 {
		s.head = int32(len(l.nodes))
	} else {
		l.at(prev).next = int32(len(l.nodes))
	}
	if s.size++; s.size > trait.Max {
		in.overflow(at, i, j)
		s.head = l.at(s.head).next
		s.size--
	}
}

// at returns the node of a link, which is its index plus one.
func (l *traitLists) at(link int32) *traitNode { return &l.nodes[link-1] }

// before reports whether a node's trait comes before another in order.
func (in *Worker) before(n *traitNode, who int32) bool {
	x, y := in.dirty[n.who], in.dirty[who]
	if a, b := trait.Order(x.hash), trait.Order(y.hash); a != b {
		return a < b
	}
	return x.key < y.key
}

// overflow goes over to counting subjects by their tokens, where the traits
// no longer tell of all.
func (in *Worker) overflow(at int32, i, j int) {
	if j != in.writer.Actors || !in.writer.Counts(i) {
		return
	}
	r := in.counts[at].rarely()
	if r.tokens != nil {
		return
	}
	l := &in.traits
	for k := l.slots[int(at)*l.dimensions+j].head; k != 0; k = l.at(k).next {
		r.addToken(stream.SubjectToken(in.dirty[l.at(k).who].hash))
	}
}

// traitRefs returns the traits of a count, by what the record in hand calls them.
func (in *Worker) traitRefs(at int32) []stream.TraitRef {
	l := &in.traits
	in.refs = in.refs[:0]
	for _, s := range l.slots[int(at)*l.dimensions:][:l.dimensions] {
		for k := s.head; k != 0; k = l.at(k).next {
			n := l.at(k)
			in.refs = append(in.refs, stream.TraitRef{Name: in.refer(in.dirty[n.who]), Events: n.events})
		}
	}
	return in.refs
}
