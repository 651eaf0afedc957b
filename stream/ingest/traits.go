package ingest

import (
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/clamp"
	"github.com/weirhq/weir/stream"
)

// traitLists keep, for each open partial of several accesses and each other dimension,
// the traits of smallest hash. The traits of a partial of one access are the other
// identities of that access, so there is nothing to keep. Most lists hold one, so all of
// them are linked through one pool; each begins with the largest, against which a
// newcomer is held. A link is an index plus one, and zero ends a list.
type traitLists struct {
	kinds int         // of traits, and so lists of a partial
	slots []traitSlot // by list of a partial
	nodes []traitNode
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

func (l *traitLists) drop() { l.slots, l.nodes = l.slots[:0], l.nodes[:0] }

// begin begins the lists of a partial and returns where they are.
func (l *traitLists) begin() int32 {
	from := int32(len(l.slots))
	for range l.kinds {
		l.slots = append(l.slots, traitSlot{})
	}
	return from
}

// at returns the node of a link, which is its index plus one.
func (l *traitLists) at(link int32) *traitNode { return &l.nodes[link-1] }

// appendTraits appends the traits of a partial. refer returns the reference of an
// identity, by its place in dirty.
func (o *openPartials) appendTraits(refs []stream.TraitRef, at int32, refer func(place int32) int32) []stream.TraitRef {
	l, p := &o.traits, &o.open[at]
	if p.events == 1 {
		for _, other := range o.log.in(p.access) {
			if other != at && other != noPartial {
				refs = append(refs, stream.TraitRef{Name: refer(o.open[other].owner), Events: 1})
			}
		}
		return refs
	}
	for _, s := range l.slots[p.lists:][:l.kinds] {
		for k := s.head; k != 0; k = l.at(k).next {
			refs = append(refs, stream.TraitRef{Name: refer(l.at(k).who), Events: l.at(k).events})
		}
	}
	return refs
}

// addTraits counts the others of an access as traits of a partial of several.
func (o *openPartials) addTraits(at int32, partials []int32) {
	lists := o.traits.slots[o.open[at].lists:][:o.traits.kinds]
	for j, other := range partials {
		if other != at && other != noPartial {
			o.addTrait(&lists[j], o.open[other].owner, o.open[other].order)
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
	return o.key(n.who) < o.key(who)
}
