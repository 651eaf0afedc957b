// Package tail remembers roughly what the identities did that are not kept, where a
// dimension has more of them than its budget.
//
// The hash of an identity puts it into one of Shards shards of its dimension. A shard
// lies in one partition if their number is a power of two, so what is decided in it does
// not depend on how many there are. A shard that holds as many identities as it may is
// tight: whoever comes then is counted in cells, by its hash, and those that count most
// are kept.
package tail

import (
	"github.com/weirhq/weir/internal/eventtime"
)

// Shards is how many shards a dimension has.
const Shards = 4096

// Of returns the shard of an identity by its hash, that of stream.PartitionOf.
func Of(hash uint64) int { return int(hash % Shards) }

// An identity has one of width cells in each of two rows.
const (
	rows  = 2
	width = 128
)

// Shard is a tight one. Its cells add up what those did who were not kept: records,
// rows, or one for each tick without either. They are halved each day.
type Shard struct {
	Saved int64 // tick as of which it was last written; eventtime.Never: it was not
	// Last is the tick in which somebody was last not kept, or not any longer.
	Last int64
	// Unwritten are the hashes of those who are kept and had not been written as of
	// Saved, sorted.
	Unwritten []uint64
	Dirty     bool // it has changed and was not written since
	day       int64
	cells     [rows][width]uint32
	sums      [rows]uint64
}

// New returns a shard that becomes tight in a tick.
func New(tick int64) *Shard { return &Shard{Saved: eventtime.Never, Last: tick} }

// Age lets time pass until a day.
func (s *Shard) Age(day int64) {
	if day <= s.day {
		return
	}
	by := uint(min(day-s.day, 32))
	s.day = day
	for r := range s.cells {
		s.sums[r] = 0
		for i := range s.cells[r] {
			s.cells[r][i] >>= by
			s.sums[r] += uint64(s.cells[r][i])
		}
	}
}

// mostCell bounds a cell, and so what one identity can add in a tick.
const mostCell = 1 << 30

// Add counts what an identity did that is not kept.
func (s *Shard) Add(hash uint64, n float64) {
	for r := range s.cells {
		c := &s.cells[r][column(hash, r)]
		add := uint32(min(n, float64(mostCell-*c)))
		*c += add
		s.sums[r] += uint64(add)
	}
}

// Estimate returns what an identity did lately while it was not kept: what its cells
// hold beyond twice a mean cell, since that is what the others are good for.
func (s *Shard) Estimate(hash uint64) float64 {
	out := float64(mostCell)
	for r := range s.cells {
		out = min(out, float64(s.cells[r][column(hash, r)])-2*float64(s.sums[r])/width)
	}
	return max(out, 0)
}

// column returns the cell of an identity in a row. The hash is mixed (MurmurHash3),
// since that of short names differs in few bits.
func column(hash uint64, row int) int {
	h := (hash ^ hash>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return int(h >> (40 + 12*row) % width)
}
