package sketches

import (
	"unsafe"
)

// perRank holds a number of cells for each rank; rank 0 is unused.
type perRank [maxRanks + 1]int32

// tally counts cells per rank for up to eight windows at once.
type tally [8]perRank

// count fills seen[k] with the cells per rank hit in or after edges[k].
//
// It goes from the highest rank down. Where two ranks in a row are full, all
// below are taken for full: a cell of the next is missed by chance once in some
// 10^9, since each rank is hit twice as often as the one above. They say
// nothing about the number of records, and are half the work on a large matrix.
func (m *matrix) count(edges []uint32, seen *tally) {
	clear(seen[:len(edges)])
	for i := range m.sparse.len() {
		e := m.sparse.at(i)
		rank := e.key() >> m.p
		for k := range edges {
			// 1 if the minute is at or past the edge, without a branch.
			seen[k][rank] += int32(1 - (e.minute()-edges[k])>>31)
		}
	}
	size := int32(1) << m.p
	for k := range edges {
		above := int32(0) // cells of the rank above
		for rank := int(m.dense); rank >= 1; rank-- {
			n := m.countColumn(rank, edges[k])
			seen[k][rank] = n
			if n == size && above == size {
				for rank--; rank >= 1; rank-- {
					seen[k][rank] = size
				}
			}
			above = n
		}
	}
}

// countColumn counts the cells of a column hit in or after edge.
func (m *matrix) countColumn(rank int, edge uint32) int32 {
	first, size := (rank-1)<<m.p, 1<<m.p
	if m.wide != nil {
		return countWide(m.wide[first:first+size], edge)
	}
	return countNarrow(m.narrow[first:first+size], m.word(edge))
}

// word is the least narrow word, above zero, whose minute is not before minute.
// It may be past what a word can hold.
func (m *matrix) word(minute uint32) uint32 {
	if minute <= m.base {
		return 1
	}
	return minute - m.base
}

func countWide(column []uint32, edge uint32) int32 {
	n := int32(0)
	for _, w := range column {
		n += int32(1 - (w-edge)>>31) // no minute has the highest bit
	}
	return n
}

// countNarrow counts the words of a column that are at least edge, which is
// above zero. A column has a multiple of four words, so it is read four at a
// time, as the lanes of a 64-bit word (in which order does not matter): of each,
// its lower 15 bits are compared by subtracting those of edge under a mark that
// stays if they are not less, and the marks add up where they stand. There are
// at most 2^12 to a lane, so none overflows.
func countNarrow(column []uint16, edge uint32) int32 {
	if edge > narrowSpan {
		return 0
	}
	const (
		one  = 0x0001_0001_0001_0001
		mark = 0x8000 * one
	)
	fours := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(column))), len(column)/4)
	less := uint64(edge&0x7fff) * one
	var sum uint64
	if edge < 0x8000 { // the highest bit, or the others, suffice
		for i := 0; i+1 < len(fours); i += 2 {
			x, y := fours[i], fours[i+1]
			sum += (((x|mark)-less)|x)>>15&one + (((y|mark)-less)|y)>>15&one
		}
	} else { // it takes both
		for i := 0; i+1 < len(fours); i += 2 {
			x, y := fours[i], fours[i+1]
			sum += (((x|mark)-less)&x)>>15&one + (((y|mark)-less)&y)>>15&one
		}
	}
	return int32(sum&0xffff + sum>>16&0xffff + sum>>32&0xffff + sum>>48)
}
