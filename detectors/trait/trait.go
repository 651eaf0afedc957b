// Package trait counts what an identity's events came through: the identities of
// the other dimensions that the same events had.
package trait

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"unique"

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
	name   unique.Handle[string]
	hash   uint32 // of the name
	events uint32 // clamped
	dim    uint8
}

// NewCount returns the count of one trait.
func NewCount(t Trait, events int64) Count {
	return Count{unique.Make(t.Identity), Order(NameHash(t.Identity)), clamp.Uint32(events), uint8(t.Dimension)}
}

// CountOf is NewCount for a name of which the handle and the NameHash are known.
func CountOf(dimension int, name unique.Handle[string], hash uint64, events int64) Count {
	return Count{name, Order(hash), clamp.Uint32(events), uint8(dimension)}
}

// Trait returns what was counted.
func (c *Count) Trait() Trait { return Trait{int(c.dim), c.name.Value()} }

// Dimension returns the index of the trait's dimension.
func (c *Count) Dimension() int { return int(c.dim) }

// Name returns the trait's identity.
func (c *Count) Name() string { return c.name.Value() }

// Events returns how often.
func (c *Count) Events() int64 { return int64(c.events) }

// Compare orders traits by dimension, hash and name.
func (c *Count) Compare(o *Count) int {
	if c.dim == o.dim && c.hash == o.hash && c.name == o.name {
		return 0
	}
	return cmp.Or(cmp.Compare(c.dim, o.dim), cmp.Compare(c.hash, o.hash), cmp.Compare(c.name.Value(), o.name.Value()))
}

// Merge unites two sorted lists of traits. The result may share memory
// with a.
func Merge(a, b []Count) []Count {
	if len(a) == 0 {
		return slices.Clone(b)
	}
	if added := absent(a, b); added == 0 {
		return a // the usual case: the identity came through what it always comes through
	}
	out := make([]Count, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		var next Count
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Compare(&b[0]) < 0:
			next, a = a[0], a[1:]
		case len(a) == 0 || b[0].Compare(&a[0]) < 0:
			next, b = b[0], b[1:]
		default:
			next, a = a[0], a[1:]
			next.events = clamp.Uint32(int64(next.events) + int64(b[0].events))
			b = b[1:]
		}
		if n := len(out); n < Max || out[n-Max].dim != next.dim {
			out = append(out, next)
		}
	}
	return slices.Clip(out)
}

// absent adds the counts of b to a if a has all of them. Otherwise it
// changes nothing and tells how many are missing.
func absent(a, b []Count) (n int) {
	i := 0
	for j := range b {
		for i < len(a) && a[i].Compare(&b[j]) < 0 {
			i++
		}
		if i == len(a) || a[i].Compare(&b[j]) != 0 {
			n++
		}
	}
	if n > 0 {
		return n
	}
	i = 0
	for j := range b {
		for a[i].Compare(&b[j]) != 0 {
			i++
		}
		a[i].events = clamp.Uint32(int64(a[i].events) + int64(b[j].events))
	}
	return 0
}

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

// Sort puts counts in order.
func Sort(list []Count) {
	slices.SortFunc(list, func(a, b Count) int { return a.Compare(&b) })
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
		b = wire.AppendText(append(b, t.dim), t.name.Value())
		return binary.AppendUvarint(b, uint64(t.events))
	})
}

// ReadCounts reads what AppendCounts wrote.
func ReadCounts(r *wire.Reader) []Count {
	return wire.List(r, func() Count {
		return NewCount(Trait{int(r.Byte()), r.Text()}, int64(r.Uvarint()&math.MaxInt64))
	})
}
