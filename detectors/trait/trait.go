// Package trait counts what an identity's events came through: the identities of
// the other dimensions that the same events had.
package trait

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/weirhq/weir/internal/clamp"
	"github.com/weirhq/weir/internal/wire"
)

// Trait is an identity of one dimension that the identities of another come
// through: the network of a user, the key behind an endpoint.
type Trait struct {
	Dimension int // its place in the configuration
	Identity  string
}

// Max is how many identities of one other dimension are kept beside an
// identity: those of smallest hash, whatever the order in which they came. So
// the ones that are kept are a function of the set, and their counts exact.
const Max = 16

// Count is a trait and how many events of an identity had it.
type Count struct {
	name   string
	hash   uint32 // of the name
	events uint32 // clamped
	dim    uint8
}

// NewCount returns the count of one trait.
func NewCount(t Trait, events int64) Count {
	return CountOf(t.Dimension, t.Identity, Order(NameHash(t.Identity)), events)
}

// CountOf is NewCount for a name whose Order is known.
func CountOf(dimension int, name string, order uint32, events int64) Count {
	return Count{name, order, clamp.Uint32(events), uint8(dimension)}
}

// Trait returns what was counted.
func (c *Count) Trait() Trait { return Trait{int(c.dim), c.name} }

// Dimension returns the index of the trait's dimension.
func (c *Count) Dimension() int { return int(c.dim) }

// Name returns the trait's identity.
func (c *Count) Name() string { return c.name }

// Events returns how often.
func (c *Count) Events() int64 { return int64(c.events) }

// Compare orders traits by dimension, hash and name.
func (c *Count) Compare(o *Count) int {
	switch {
	case c.dim != o.dim:
		return cmp.Compare(c.dim, o.dim)
	case c.hash != o.hash:
		return cmp.Compare(c.hash, o.hash)
	case c.name == o.name:
		return 0
	}
	return cmp.Compare(c.name, o.name)
}

// Names gives names of traits memory of their own. A name that was read belongs to the
// memory of a whole batch, which a list that is kept would hold on to. The same names
// come again and again, so that some are remembered and shared, by their hash. The zero
// value is ready for use.
type Names struct{ recent []string }

// mostNames is how many names are remembered.
const mostNames = 1 << 13

// Own returns a name, of which NameHash is given, in memory of its own.
func (n *Names) Own(name string, hash uint64) string {
	if n.recent == nil {
		n.recent = make([]string, mostNames)
	}
	at := &n.recent[hash%mostNames]
	if *at != name {
		*at = strings.Clone(name)
	}
	return *at
}

// Merge unites two sorted lists of traits. The result may share memory with a.
func Merge(a, b []Count) []Count {
	more := lacking(a, b)
	i, out := len(a)-1, len(a)+more-1
	a = withRoom(a, more)
	for j := len(b) - 1; j >= 0; j-- { // from the back, so that a stays where it is
		for i >= 0 && a[i].Compare(&b[j]) > 0 {
			a[out] = a[i]
			i, out = i-1, out-1
		}
		if i >= 0 && a[i].Compare(&b[j]) == 0 {
			a[out] = a[i]
			a[out].add(&b[j])
			i--
		} else {
			a[out] = b[j]
		}
		out--
	}
	if more > 0 {
		a = cut(a)
	}
	return a
}

// lacking returns how many traits of b are not in a.
func lacking(a, b []Count) (n int) {
	i := 0
	for j := range b {
		order := -1
		for ; i < len(a); i++ {
			if order = a[i].Compare(&b[j]); order >= 0 {
				break
			}
		}
		if order != 0 {
			n++
		}
	}
	return n
}

// withRoom returns a list made longer, by elements of no meaning at its end.
func withRoom(list []Count, more int) []Count {
	n := len(list) + more
	if n <= cap(list) {
		return list[:n]
	}
	room := n
	if len(list) > 0 {
		room += n / 4 // it grows, and may grow again
	}
	out := make([]Count, n, room)
	copy(out, list)
	return out
}

// cut drops from a sorted list what is more than Max of a dimension.
func cut(list []Count) []Count {
	kept := list[:0]
	for i := range list {
		if n := len(kept); n < Max || kept[n-Max].dim != list[i].dim {
			kept = append(kept, list[i])
		}
	}
	clear(list[len(kept):]) // they hold names
	return kept
}

// add adds the events of the same trait.
func (c *Count) add(o *Count) { c.events = clamp.Uint32(int64(c.events) + int64(o.events)) }

// NameHash spreads names over 64 bits: FNV-1a, and the last step of
// MurmurHash3, since FNV alone leaves the high bits of short names alike. Names
// are no secret, so no key is needed to test one; and who would choose names by
// it gains a place in a list, or leaves it.
func NameHash[T string | []byte](name T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Order is the part of a name's hash by which Max are kept.
func Order(hash uint64) uint32 { return uint32(hash) }

// Sort puts counts in order. Lists are short, and mostly in order already.
func Sort(list []Count) {
	for i := range list {
		for j := i; j > 0 && list[j].Compare(&list[j-1]) < 0; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// Renumber gives traits the numbers that dimensions have here: dims[i] is that of
// dimension i of the list, below zero where there is no such dimension; traits of
// those go. The list is changed in place.
func Renumber(list []Count, dims []int) []Count {
	same := true
	for i := range list {
		t := &list[i]
		same = same && dims[t.dim] == int(t.dim)
	}
	if same {
		return list
	}
	list = slices.DeleteFunc(list, func(t Count) bool { return dims[t.dim] < 0 })
	for i := range list {
		list[i].dim = uint8(dims[list[i].dim])
	}
	Sort(list)
	return list
}

// AppendCounts appends the binary form of a list.
func AppendCounts(b []byte, list []Count) []byte {
	return wire.AppendList(b, list, func(b []byte, t *Count) []byte {
		b = wire.AppendText(append(b, t.dim), t.name)
		return binary.AppendUvarint(b, uint64(t.events))
	})
}

// ReadCounts reads what AppendCounts wrote.
func ReadCounts(r *wire.Reader) []Count {
	return wire.List(r, func() Count {
		return NewCount(Trait{int(r.Byte()), r.Text()}, int64(r.Uvarint()&math.MaxInt64))
	})
}
