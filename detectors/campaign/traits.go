package campaign

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/wire"
)

// TraitShare is a trait and the part of what an identity did that went through
// it, 0..1.
type TraitShare struct {
	trait.Trait
	Share float64
}

// AppendTraitShares appends a list of traits with their shares.
func AppendTraitShares(b []byte, list []TraitShare) []byte {
	return wire.AppendList(b, list, func(b []byte, t *TraitShare) []byte {
		b = wire.AppendText(binary.AppendVarint(b, int64(t.Dimension)), t.Identity)
		return wire.AppendFloat64(b, t.Share)
	})
}

// ReadTraitShares reads what AppendTraitShares wrote.
func ReadTraitShares(r *wire.Reader) []TraitShare {
	return wire.List(r, func() TraitShare {
		return TraitShare{trait.Trait{Dimension: int(r.Varint()), Identity: r.Text()}, r.Float64()}
	})
}

// TraitSums adds up, for one finished bin of one partition, the evidence of
// identities too weak to be candidates by the traits that they share: a leak
// that is spread over many accounts shows in none of them, but in what they
// come through. All of it is whole numbers, so that the total is the same
// whatever the partitioning. The zero value is empty.
//
// What is added of an identity with evidence e is the mixture ln(1-p+p·e) with
// p = 0.1, the log likelihood ratio of "one in ten of them drifts" (Xie and
// Siegmund 2013, Sequential multi-sensor change-point detection). What the same
// is on average over all identities says how much of it is chance; see
// [Crowd].
type TraitSums struct {
	members map[int]*TraitSum // by dimension of those summed: all of them
	Traits  map[MemberTrait]*TraitSum
}

// MemberTrait names the identities of one dimension behind one trait.
type MemberTrait struct {
	Member int
	trait.Trait
}

// TraitSum is what the identities of one dimension behind one trait add up to.
type TraitSum struct {
	N        uint64        // identities active in the bin
	Weak     int64         // sum of their mixtures, in 1/1024 nat
	Linear   uint64        // sum of 1-p+p·e, of which the mixture is the logarithm, in 1/1024
	Over     uint64        // those with evidence above WeakCut
	Observed uint64        // distinct records of each in the bin, added up
	Top      []TraitMember // of those over the cut, the strongest, ties by name
}

// TraitMember is one of the strongest identities behind a trait.
type TraitMember struct {
	Weight   int64 // its mixture, in 1/1024 nat
	Identity string
}

// Bounds of TraitSums.
const (
	// WeakCut is the log evidence from which an identity is named as one of those
	// behind a trait.
	WeakCut = 1.0
	// weakTop is the log evidence above which more counts no more: one strong
	// identity is a candidate of its own, and makes no crowd.
	weakTop = 6.0
	// weakShare is the share of identities that are taken to drift.
	weakShare = 0.1
	// TraitUnit is how many units of a sum make one nat.
	TraitUnit = 1024
	// MaxSharedTraits is how many traits of one dimension are kept in a bin, those of
	// smallest hash; maxTraitMembers how many identities are named of each.
	MaxSharedTraits = 1024
	maxTraitMembers = 5
)

// ActiveIdentity is what TraitSums needs of an identity that was active in a bin that
// has ended.
type ActiveIdentity struct {
	Dimension int
	Identity  string
	Log       float64       // natural log of its evidence
	Observed  float64       // distinct records in the bin
	Traits    []trait.Trait // what it came through in the bin, each once
}

// Add takes in one identity.
func (s *TraitSums) Add(m *ActiveIdentity) {
	w := mixture(m.Log)
	if s.members == nil {
		s.members, s.Traits = map[int]*TraitSum{}, map[MemberTrait]*TraitSum{}
	}
	all := s.members[m.Dimension]
	if all == nil {
		all = &TraitSum{}
		s.members[m.Dimension] = all
	}
	all.add(m, w, false)
	for _, t := range m.Traits {
		key := MemberTrait{m.Dimension, t}
		sum := s.Traits[key]
		if sum == nil {
			sum = &TraitSum{}
			s.Traits[key] = sum
		}
		sum.add(m, w, true)
	}
}

// mixture returns ln(1-p+p·e) in 1/1024 nat.
func mixture(log float64) int64 {
	e := math.Exp(min(wire.Finite(log), weakTop))
	return int64(math.Round(TraitUnit * math.Log1p(weakShare*(e-1))))
}

func (s *TraitSum) add(m *ActiveIdentity, w int64, name bool) {
	s.N++
	s.Weak += w
	s.Linear += uint64(math.Round(TraitUnit * math.Exp(float64(w)/TraitUnit)))
	s.Observed += uint64(max(m.Observed, 0))
	if m.Log < WeakCut {
		return
	}
	s.Over++
	if name {
		s.Top = strongest(append(s.Top, TraitMember{w, m.Identity}))
	}
}

// strongest keeps the strongest members, a function of the set.
func strongest(list []TraitMember) []TraitMember {
	slices.SortFunc(list, func(a, b TraitMember) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Identity, b.Identity))
	})
	return list[:min(len(list), maxTraitMembers)]
}

// Merge adds the sums of another partition. It keeps all traits. Keys cuts them to
// those of smallest hash, so that the cut does not depend on the partitioning.
func (s *TraitSums) Merge(o *TraitSums) {
	if s.members == nil {
		s.members, s.Traits = map[int]*TraitSum{}, map[MemberTrait]*TraitSum{}
	}
	for dim, from := range o.members {
		s.members[dim] = s.members[dim].plus(from)
	}
	for key, from := range o.Traits {
		s.Traits[key] = s.Traits[key].plus(from)
	}
}

func (s *TraitSum) plus(o *TraitSum) *TraitSum {
	if s == nil {
		s = &TraitSum{}
	}
	s.N += o.N
	s.Weak += o.Weak
	s.Linear += o.Linear
	s.Over += o.Over
	s.Observed += o.Observed
	s.Top = strongest(append(slices.Clone(s.Top), o.Top...))
	return s
}

// Empty reports whether nothing was added.
func (s *TraitSums) Empty() bool { return len(s.members) == 0 }

// All returns the sum over all active identities of a dimension.
func (s *TraitSums) All(dimension int) TraitSum {
	if sum := s.members[dimension]; sum != nil {
		return *sum
	}
	return TraitSum{}
}

// Of returns the sum over the identities of a dimension behind a trait.
func (s *TraitSums) Of(member int, t trait.Trait) TraitSum {
	if sum := s.Traits[MemberTrait{member, t}]; sum != nil {
		return *sum
	}
	return TraitSum{}
}

// Keys returns what is kept, sorted: of each dimension of members and traits
// the MaxSharedTraits of smallest hash.
func (s *TraitSums) Keys() []MemberTrait {
	byPair := map[[2]int][]MemberTrait{}
	for key := range s.Traits {
		pair := [2]int{key.Member, key.Dimension}
		byPair[pair] = append(byPair[pair], key)
	}
	var out []MemberTrait
	for _, list := range byPair {
		if len(list) > MaxSharedTraits {
			slices.SortFunc(list, func(a, b MemberTrait) int {
				return cmp.Or(cmp.Compare(traitHash(a.Identity), traitHash(b.Identity)), cmp.Compare(a.Identity, b.Identity))
			})
			list = list[:MaxSharedTraits]
		}
		out = append(out, list...)
	}
	slices.SortFunc(out, func(a, b MemberTrait) int {
		return cmp.Or(cmp.Compare(a.Member, b.Member), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Identity, b.Identity))
	})
	return out
}

func traitHash(identity string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(identity)) // never fails
	return h.Sum64()
}

const traitSumsVersion = 2

// AppendBinary appends the canonical encoding.
func (s *TraitSums) AppendBinary(b []byte) []byte {
	b = append(b, traitSumsVersion)
	var dims []int
	for dim := range s.members {
		dims = append(dims, dim)
	}
	slices.Sort(dims)
	b = binary.AppendUvarint(b, uint64(len(dims)))
	for _, dim := range dims {
		b = binary.AppendUvarint(b, uint64(dim))
		b = s.members[dim].appendBinary(b)
	}
	keys := s.Keys()
	b = binary.AppendUvarint(b, uint64(len(keys)))
	for _, key := range keys {
		b = binary.AppendUvarint(b, uint64(key.Member))
		b = binary.AppendUvarint(b, uint64(key.Dimension))
		b = wire.AppendText(b, key.Identity)
		b = s.Traits[key].appendBinary(b)
	}
	return b
}

func (s *TraitSum) appendBinary(b []byte) []byte {
	b = binary.AppendUvarint(b, s.N)
	b = binary.AppendVarint(b, s.Weak)
	for _, v := range []uint64{s.Linear, s.Over, s.Observed, uint64(len(s.Top))} {
		b = binary.AppendUvarint(b, v)
	}
	for _, m := range s.Top {
		b = binary.AppendVarint(b, m.Weight)
		b = wire.AppendText(b, m.Identity)
	}
	return b
}

func readTraitSum(r *wire.Reader) *TraitSum {
	s := &TraitSum{N: r.Uvarint(), Weak: r.Varint(), Linear: r.Uvarint(), Over: r.Uvarint(), Observed: r.Uvarint()}
	for range r.CountUpTo(maxTraitMembers) {
		s.Top = append(s.Top, TraitMember{r.Varint(), r.Text()})
	}
	return s
}

// DecodeTraitSums reads what AppendBinary wrote.
func DecodeTraitSums(b []byte) (*TraitSums, error) {
	r := wire.NewReader(b)
	r.Version(traitSumsVersion)
	s := &TraitSums{members: map[int]*TraitSum{}, Traits: map[MemberTrait]*TraitSum{}}
	for range r.Count() {
		dim := int(r.Uvarint())
		s.members[dim] = readTraitSum(&r)
		if r.Err() != nil {
			break
		}
	}
	for range r.Count() {
		key := MemberTrait{int(r.Uvarint()), trait.Trait{Dimension: int(r.Uvarint()), Identity: r.Text()}}
		s.Traits[key] = readTraitSum(&r)
		if r.Err() != nil {
			break
		}
	}
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("reading sums by trait: %w", err)
	}
	return s, nil
}
