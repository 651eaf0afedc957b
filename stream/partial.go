package stream

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"unique"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// Partial is what one ingest task counted since its last commit for one
// identity in one tick.
type Partial struct {
	Dimension int    // index into the batch's dimensions
	Identity  []byte // aliases the batch
	Tick      int64  // the tick its events lie in
	// Apply is the tick at whose close it counts: Tick itself, or for late
	// events the tick that the event's own source partition had reached. It
	// follows from that partition's log alone, so a replay repeats it.
	Apply   int64
	Events  int64 // accesses; one that a source repeats counts again
	Rows    Rows
	Records sketches.Window // of every access
	// Destructive are the records that were updated or deleted, as if in the
	// first minute of the tick.
	Destructive sketches.Window
	// Subjects are the distinct actors, by subjectToken; only in dimensions that
	// do not name the actor.
	Subjects sketches.Window
	// Unissued are the records read through tokens that nobody was seen to be
	// issued, UnissuedTokens the hashes of those tokens. Only the join of tokens
	// fills them.
	Unissued, UnissuedTokens sketches.Window
	// Traits are the identities of the other dimensions that the events also
	// had: of each dimension the MaxTraits of smallest hash.
	Traits []TraitCount

	Tokens []uint32 // Subjects on the way to the batch: unsorted, all of them; nil if Traits has all
}

// MaxTraits is how many identities of one other dimension are kept beside an
// identity: those of smallest hash, whatever the order in which they came. So
// the ones that are kept are a function of the set, and their counts exact.
const MaxTraits = 16

// TraitCount is a trait and how many events of an identity had it.
type TraitCount struct {
	name   unique.Handle[string]
	hash   uint32 // of the name
	events uint32 // clamped
	dim    uint8
}

// NewTraitCount returns the count of one trait.
func NewTraitCount(t campaign.Trait, events int64) TraitCount {
	return TraitCount{unique.Make(t.Identity), TraitOrder(NameHash(t.Identity)), ClampEvents(events), uint8(t.Dimension)}
}

// Trait returns what was counted.
func (c *TraitCount) Trait() campaign.Trait {
	return campaign.Trait{Dimension: int(c.dim), Identity: c.name.Value()}
}

// Dimension returns the index of the trait's dimension.
func (c *TraitCount) Dimension() int { return int(c.dim) }

// Name returns the trait's identity.
func (c *TraitCount) Name() string { return c.name.Value() }

// Events returns how often.
func (c *TraitCount) Events() int64 { return int64(c.events) }

func ClampEvents(n int64) uint32 { return uint32(min(n, 1<<32-1)) }

// Compare orders traits by dimension, hash and name.
func (c *TraitCount) Compare(o *TraitCount) int {
	if c.dim == o.dim && c.hash == o.hash && c.name == o.name {
		return 0
	}
	return cmp.Or(cmp.Compare(c.dim, o.dim), cmp.Compare(c.hash, o.hash), cmp.Compare(c.name.Value(), o.name.Value()))
}

// MergeTraits unites two sorted lists of traits. The result may share memory
// with a.
func MergeTraits(a, b []TraitCount) []TraitCount {
	if len(a) == 0 {
		return slices.Clone(b)
	}
	if added := missingTraits(a, b); added == 0 {
		return a // the usual case: the identity came through what it always comes through
	}
	out := make([]TraitCount, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		var next TraitCount
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Compare(&b[0]) < 0:
			next, a = a[0], a[1:]
		case len(a) == 0 || b[0].Compare(&a[0]) < 0:
			next, b = b[0], b[1:]
		default:
			next, a = a[0], a[1:]
			next.events = ClampEvents(int64(next.events) + int64(b[0].events))
			b = b[1:]
		}
		if n := len(out); n < MaxTraits || out[n-MaxTraits].dim != next.dim {
			out = append(out, next)
		}
	}
	return slices.Clip(out)
}

// missingTraits adds the counts of b to a if a has all of them. Otherwise it
// changes nothing and tells how many are missing.
func missingTraits(a, b []TraitCount) (n int) {
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
		a[i].events = ClampEvents(int64(a[i].events) + int64(b[j].events))
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

// TraitOrder is the part of a name's hash by which MaxTraits are kept.
func TraitOrder(hash uint64) uint32 { return uint32(hash) }

// SubjectToken is the part of an actor's hash by which subjects are counted: 24
// bits, so that a batch has room for many. Of 10,000 actors three share one.
func SubjectToken(hash uint64) uint32 { return uint32(hash >> 40) }

// subjectEntry returns a token as a touch in the given minute. The bits below
// the token are made of it, since the sketch wants them random.
func subjectEntry(token, minute uint32) sketches.Entry {
	h := uint64(token) * 0x9e3779b97f4a7c15
	return sketches.NewEntry(uint64(token)<<40|(h^h>>29)>>24, minute)
}

func sortTraits(list []TraitCount) {
	slices.SortFunc(list, func(a, b TraitCount) int { return a.Compare(&b) })
}

// Rename gives traits the numbers that dimensions have here. Those of dimensions
// that are not known here go.
func (p *Partial) Rename(dims []int) {
	same := true
	for i := range p.Traits {
		t := &p.Traits[i]
		same = same && dims[t.dim] == int(t.dim)
	}
	if same {
		return
	}
	p.Traits = slices.DeleteFunc(p.Traits, func(t TraitCount) bool { return dims[t.dim] < 0 })
	for i := range p.Traits {
		p.Traits[i].dim = uint8(dims[p.Traits[i].dim])
	}
	sortTraits(p.Traits)
}

func AppendTraitCounts(b []byte, list []TraitCount) []byte {
	return wire.AppendList(b, list, func(b []byte, t *TraitCount) []byte {
		b = wire.AppendText(append(b, t.dim), t.name.Value())
		return binary.AppendUvarint(b, uint64(t.events))
	})
}

func ReadTraitCounts(r *wire.Reader) []TraitCount {
	return wire.List(r, func() TraitCount {
		return NewTraitCount(campaign.Trait{Dimension: int(r.Byte()), Identity: r.Text()}, int64(r.Uvarint()&math.MaxInt64))
	})
}
