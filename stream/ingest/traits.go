package ingest

import (
	"slices"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/clamp"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// newLayout returns what partials of these dimensions have in common.
func newLayout(grid eventtime.Grid, dims []event.Dimension) stream.Layout {
	l := stream.Layout{TickMinutes: uint64(grid.TickMinutes()), Actors: stream.NoDimension}
	for i, d := range dims {
		switch {
		case !slices.Contains(d.Fields, "actor"):
			l.Subjects |= 1 << i
		case len(d.Fields) == 1 && l.Actors == stream.NoDimension:
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
	slots      []traitSlot // by partial and dimension
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

// grow makes room for the lists of one more partial.
func (l *traitLists) grow() {
	for range l.dimensions {
		l.slots = append(l.slots, traitSlot{})
	}
}

func (l *traitLists) drop() { l.slots, l.nodes = l.slots[:0], l.nodes[:0] }

// each hands out the traits of a partial: the place of the trait's accumulator, and
// how many events had the trait.
func (l *traitLists) each(partial int32, yield func(who int32, events uint32)) {
	for _, s := range l.slots[int(partial)*l.dimensions:][:l.dimensions] {
		for k := s.head; k != 0; k = l.at(k).next {
			yield(l.at(k).who, l.at(k).events)
		}
	}
}

// at returns the node of a link, which is its index plus one.
func (l *traitLists) at(link int32) *traitNode { return &l.nodes[link-1] }

// meet notes for each identity of an access which others it came with.
func (o *openPartials) meet(a *access) {
	for i, at := range a.partials {
		if at == noPartial {
			continue
		}
		for j, other := range a.partials {
			if j != i && other != noPartial {
				o.addTrait(at, i, j, o.open[other].owner)
			}
		}
		if o.layout.Counts(i) && a.actor != "" {
			o.addSubject(&o.open[at], a)
		}
	}
}

// addSubject counts the actor of an access, unless the traits tell of all so far.
func (o *openPartials) addSubject(p *openPartial, a *access) {
	if o.layout.Actors == stream.NoDimension {
		p.rarely().addToken(stream.SubjectToken(trait.NameHash(a.actor)))
		return
	}
	if p.rare != nil && p.rare.tokens != nil {
		actor := &o.open[a.partials[o.layout.Actors]]
		p.rare.addToken(stream.SubjectToken(o.dirty[actor.owner].hash))
	}
}

// addToken adds a subject, and removes repeats when they may be half of all.
func (r *rarePart) addToken(token uint32) {
	if n := len(r.tokens); n > 0 && r.tokens[n-1] == token {
		return
	}
	if r.tokens = append(r.tokens, token); len(r.tokens) >= 2*r.unique+64 {
		slices.Sort(r.tokens)
		r.tokens = slices.Compact(r.tokens)
		r.unique = len(r.tokens)
	}
}

// addTrait counts a trait of dimension j for a partial of dimension i.
func (o *openPartials) addTrait(at int32, i, j int, who int32) {
	l := &o.traits
	s := &l.slots[int(at)*l.dimensions+j]
	if s.size == trait.Max && o.before(l.at(s.head), who) {
		o.overflow(at, i, j)
		return
	}
	prev, next := int32(0), s.head
	for ; next != 0; prev, next = next, l.at(next).next {
		n := l.at(next)
		if n.who == who {
			n.events = clamp.Uint32(int64(n.events) + 1)
			return
		}
		if o.before(n, who) {
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
		o.overflow(at, i, j)
		s.head = l.at(s.head).next
		s.size--
	}
}

// before reports whether a node's trait comes before another in order.
func (o *openPartials) before(n *traitNode, who int32) bool {
	x, y := o.dirty[n.who], o.dirty[who]
	if a, b := trait.Order(x.hash), trait.Order(y.hash); a != b {
		return a < b
	}
	return x.key < y.key
}

// overflow goes over to counting subjects by their tokens, where the traits
// no longer tell of all.
func (o *openPartials) overflow(at int32, i, j int) {
	if j != o.layout.Actors || !o.layout.Counts(i) {
		return
	}
	r := o.open[at].rarely()
	if r.tokens != nil {
		return
	}
	l := &o.traits
	for k := l.slots[int(at)*l.dimensions+j].head; k != 0; k = l.at(k).next {
		r.addToken(stream.SubjectToken(o.dirty[l.at(k).who].hash))
	}
}
