package ingest

import (
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/clamp"
)

// traitLists keep, for each open partial and each other dimension, the traits
// of smallest hash. The traits of a partial of one access are the other identities of
// that access, so there is nothing to keep but which one it is; partials of more have a
// list for each dimension. Most lists hold one, so all of them are linked through one
// pool; each begins with the largest, against which a newcomer is held. A link
// is an index plus one, and zero ends a list.
type traitLists struct {
	dimensions int
	accesses   []int32     // by access and dimension: the partial of its identity, or noPartial
	slots      []traitSlot // by list of a partial
	nodes      []traitNode
}

type traitSlot struct {
	head int32 // link
	size int32
}

type traitNode struct {
	next   int32  // link
	who    int32  // place of its accumulator
	order  uint32 // of that
	events uint32
}

func (l *traitLists) drop() { l.accesses, l.slots, l.nodes = l.accesses[:0], l.slots[:0], l.nodes[:0] }

// access returns the partials of an access, by where they begin.
func (l *traitLists) access(from int32) []int32 { return l.accesses[from:][:l.dimensions] }

// at returns the node of a link, which is its index plus one.
func (l *traitLists) at(link int32) *traitNode { return &l.nodes[link-1] }

// eachTrait hands out the traits of a partial: the place of the trait's accumulator,
// and how many events had the trait.
func (o *openPartials) eachTrait(at int32, yield func(who int32, events uint32)) {
	l, p := &o.traits, &o.open[at]
	if p.events == 1 {
		for _, other := range l.access(p.traits) {
			if other != at && other != noPartial {
				yield(o.open[other].owner, 1)
			}
		}
		return
	}
	for _, s := range l.slots[p.traits:][:l.dimensions] {
		for k := s.head; k != 0; k = l.at(k).next {
			yield(l.at(k).who, l.at(k).events)
		}
	}
}

// meet notes for each identity of an access, which has been added, which others it
// came with. A name is no identity, and has no events.
func (o *openPartials) meet(partials []int32) {
	l := &o.traits
	access := int32(len(l.accesses))
	l.accesses = append(l.accesses, partials...)
	for _, at := range partials {
		if at == noPartial || o.open[at].events == 0 {
			continue
		}
		p := &o.open[at]
		switch p.events {
		case 1:
			p.traits = access
		case 2:
			first := p.traits
			p.traits = int32(len(l.slots))
			for range l.dimensions {
				l.slots = append(l.slots, traitSlot{})
			}
			o.addTraits(at, l.access(first))
			o.addTraits(at, partials)
		default:
			o.addTraits(at, partials)
		}
	}
}

// addTraits counts the others of an access as traits of a partial of several.
func (o *openPartials) addTraits(at int32, partials []int32) {
	slot := o.open[at].traits
	for j, other := range partials {
		if other != at && other != noPartial {
			o.addTrait(&o.traits.slots[int(slot)+j], o.open[other].owner, o.open[other].order)
		}
	}
}

// addTrait counts a trait in a list.
func (o *openPartials) addTrait(s *traitSlot, who int32, order uint32) {
	l := &o.traits
	if s.size == trait.Max && o.before(l.at(s.head), who, order) {
		return
	}
	prev, next := int32(0), s.head
	for ; next != 0; prev, next = next, l.at(next).next {
		n := l.at(next)
		if n.who == who {
			n.events = clamp.Uint32(int64(n.events) + 1)
			return
		}
		if o.before(n, who, order) {
			break
		}
	}
	l.nodes = append(l.nodes, traitNode{next, who, order, 1})
	if prev == 0 {
		s.head = int32(len(l.nodes))
	} else {
		l.at(prev).next = int32(len(l.nodes))
	}
	if s.size++; s.size > trait.Max {
		s.head = l.at(s.head).next
		s.size--
	}
}

// before reports whether a node's trait comes before another in order.
func (o *openPartials) before(n *traitNode, who int32, order uint32) bool {
	if n.order != order {
		return n.order < order
	}
	return o.dirty[n.who].key < o.dirty[who].key
}
