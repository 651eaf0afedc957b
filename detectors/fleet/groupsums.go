package fleet

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/weirhq/weir/internal/wire"
)

// groupSums are what a detect task tells of one group of peers in one bin.
type groupSums struct {
	name string
	PeerSums
}

// PeerSums are what the peers of an identity are learned from: of a whole
// dimension, and of each group in it.
type PeerSums struct {
	Fresh    uint64 // identities closed for the first time on this day
	Activity uint64 // sum of count over level, fixed point
	Measures [NumMeasures]MeasureSums
}

// Bounds of groups.
const (
	// maxGroupSums is how many groups of a dimension a bin's sums hold: those of
	// smallest token, a function of the set.
	maxGroupSums = 1024
	maxGroupName = 256 // bytes, as texts of events are
)

// Group returns the sums of a group, made if they are not there.
func (s *DimSums) Group(token uint32) *groupSums {
	g := s.groups[token]
	if g == nil {
		if s.groups == nil {
			s.groups = map[uint32]*groupSums{}
		}
		g = &groupSums{}
		s.groups[token] = g
	}
	return g
}

// Name tells what the group of an identity is called, once in a while: parameters
// carry it, for people. Of two names with one token the smaller stands.
func (s *Sums) Name(dim int, name string) {
	if len(name) <= maxGroupName {
		g := s.Dim(dim).Group(GroupToken(name))
		g.name = oneName(g.name, name)
	}
}

// oneName returns which of two names of a group stands: the smaller, if both are
// known.
func oneName(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

// numbers appends the unsigned numbers in a fixed order.
func (s *PeerSums) numbers(v []*uint64) []*uint64 {
	v = append(v, &s.Fresh, &s.Activity)
	for m := range s.Measures {
		q := &s.Measures[m]
		v = append(v, &q.count, &q.expected, &q.Weight, &q.LogSq)
		for i := range q.ratio {
			v = append(v, &q.ratio[i])
		}
		for i := range q.K {
			v = append(v, &q.K[i])
		}
	}
	return v
}

// addLogs adds the sums that may be negative.
func (s *PeerSums) addLogs(o *PeerSums) {
	for m := range s.Measures {
		s.Measures[m].Log += o.Measures[m].Log
	}
}

func (s *PeerSums) appendLogs(b []byte) []byte {
	for m := range s.Measures {
		b = binary.AppendVarint(b, s.Measures[m].Log)
	}
	return b
}

func readLogs(r *wire.Reader, s *PeerSums) {
	for m := range s.Measures {
		s.Measures[m].Log = r.Varint()
	}
}

func (g *groupSums) numbers() []*uint64 {
	return g.PeerSums.numbers(make([]*uint64, 0, 2+int(NumMeasures)*(4+ratioCells+KCells)))
}

// addGroups adds the groups of another partition.
func (s *DimSums) addGroups(o *DimSums) {
	for token, from := range o.groups { // sums of whole numbers: in any order the same
		to := s.Group(token)
		to.name = oneName(to.name, from.name)
		sums := to.numbers()
		for i, v := range from.numbers() {
			*sums[i] += *v
		}
		to.addLogs(&from.PeerSums)
	}
}

// tokens returns the groups that are kept, sorted.
func (s *DimSums) tokens() []uint32 {
	list := slices.Sorted(maps.Keys(s.groups))
	return list[:min(len(list), maxGroupSums)]
}

func (s *DimSums) appendGroups(b []byte) []byte {
	tokens := s.tokens()
	b = binary.AppendUvarint(b, uint64(len(tokens)))
	for _, token := range tokens {
		g := s.groups[token]
		b = wire.AppendText(binary.LittleEndian.AppendUint32(b, token), g.name)
		b = g.appendLogs(appendNumbers(b, g.numbers()))
	}
	return b
}

func readGroupSums(r *wire.Reader, s *DimSums) {
	last := uint32(0)
	for range r.CountUpTo(maxGroupSums) {
		token := r.Uint32()
		if token <= last {
			r.Fail("groups out of order")
			return
		}
		last = token
		g := s.Group(token)
		g.name = r.TextUpTo(maxGroupName)
		readNumbers(r, g.numbers())
		readLogs(r, &g.PeerSums)
	}
}
