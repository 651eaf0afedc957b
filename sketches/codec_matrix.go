package sketches

import (
	"encoding/binary"
	"math/bits"

	"github.com/weirhq/weir/internal/wire"
)

// appendBinary appends the part of the form that follows the header.
func (m *matrix) appendBinary(b []byte) []byte {
	m.refreshOldest()
	out := bitWriter{out: binary.AppendUvarint(b, uint64(m.oldest))}
	top := int(m.dense)
	if n := m.sparse.len(); n > 0 {
		top = int(m.sparse.at(n-1).key() >> m.p)
	}
	for top > 0 && len(m.column(top, nil)) == 0 {
		top--
	}
	out.bits(uint64(top), widthBits)
	var cells []Entry
	for rank := 1; rank <= top; rank++ {
		cells = m.column(rank, cells[:0])
		m.writeColumn(&out, cells)
	}
	return out.close()
}

// column appends the cells of a rank, in order of registers, to cells.
func (m *matrix) column(rank int, cells []Entry) []Entry {
	if rank > int(m.dense) {
		return m.sparseRank(rank).entries(cells)
	}
	key, first := uint64(rank)<<m.p, (rank-1)<<m.p
	if m.wide != nil {
		for reg, w := range m.wide[first : first+1<<m.p] {
			if w != 0 {
				cells = append(cells, pack(key|uint64(reg), w))
			}
		}
		return cells
	}
	for reg, w := range m.narrow[first : first+1<<m.p] {
		if w != 0 {
			cells = append(cells, pack(key|uint64(reg), m.base+uint32(w)))
		}
	}
	return cells
}

// writeColumn writes the cells of one rank. Which registers they are is
// written as gaps between those hit if less than a quarter is, as gaps between
// the others if more than three quarters are, and else as one bit each.
func (m *matrix) writeColumn(out *bitWriter, cells []Entry) {
	size := 1 << m.p
	out.bits(uint64(len(cells)), uint(m.p)+1)
	if len(cells) == 0 {
		return
	}
	lo, hi := minuteRange(cells)
	offset, width := lo-m.oldest, uint(bits.Len32(hi-lo))
	out.bits(uint64(bits.Len32(offset)), widthBits)
	out.bits(uint64(offset), uint(bits.Len32(offset)))
	out.bits(uint64(width), widthBits)

	mask := uint32(size - 1)
	next := uint32(0)
	switch n := len(cells); {
	case n < size/4:
		shift := riceShift(uint(m.p), n)
		for _, e := range cells {
			reg := uint32(e.key()) & mask
			out.rice(uint64(reg-next), shift)
			next = reg + 1
		}
	case n > size-size/4:
		shift := riceShift(uint(m.p), size-n)
		gap := uint32(0) // hit registers since the last other one
		for _, e := range cells {
			reg := uint32(e.key()) & mask
			for ; next < reg; next++ {
				out.rice(uint64(gap), shift)
				gap = 0
			}
			gap++
			next = reg + 1
		}
		for ; next < uint32(size); next++ {
			out.rice(uint64(gap), shift)
			gap = 0
		}
	default:
		for _, e := range cells {
			reg := uint32(e.key()) & mask
			for ; next < reg; next++ {
				out.bits(0, 1)
			}
			out.bits(1, 1)
			next = reg + 1
		}
		for ; next < uint32(size); next++ {
			out.bits(0, 1)
		}
	}
	for _, e := range cells {
		out.bits(uint64(e.minute()-lo), width)
	}
}

// readMatrix reads what matrix.appendBinary wrote; nil if there is a fault in it.
func readMatrix(r *wire.Reader, p uint8) *matrix {
	oldest := r.Uvarint()
	if oldest == 0 || oldest > lastMinute {
		r.Fail(notCanonical)
		return nil
	}
	m := newMatrix(p)
	m.oldest = uint32(oldest)
	in := bitReader{in: r.Rest()}
	ok := m.readColumns(&in)
	bytes, whole := in.close()
	if !ok || !whole {
		r.Fail(notCanonical)
		return nil
	}
	r.Take(bytes)
	m.promote()
	m.sparse = m.sparse.shrunk()
	return m
}

// readColumns reads the highest rank and the cells of each, and reports whether
// they are as the encoder writes them.
func (m *matrix) readColumns(in *bitReader) bool {
	top := int(in.bits(widthBits))
	if top == 0 || top > ranks(m.p) {
		return false
	}
	var cells []Entry
	least := false // a column starts at the oldest minute of all
	for rank := 1; rank <= top; rank++ {
		var lo uint32
		var ok bool
		cells, lo, ok = m.readColumn(in, rank, cells[:0])
		if !ok || rank == top && len(cells) == 0 {
			return false
		}
		least = least || len(cells) > 0 && lo == m.oldest
		m.addColumn(rank, cells)
	}
	return least
}

// addColumn adds the cells of a rank, the ranks coming in order.
func (m *matrix) addColumn(rank int, cells []Entry) {
	if rank != int(m.dense)+1 || len(cells) <= m.columnPays() {
		m.sparse = m.sparse.grow(len(cells))
		for _, e := range cells {
			m.sparse = append(m.sparse, 0, 0, 0)
			m.sparse.set(m.sparse.len()-1, e)
		}
		return
	}
	m.widenTo(uint8(rank))
	m.cover(minuteRange(cells))
	for _, e := range cells {
		m.putCell(e)
	}
}

// readColumn reads the cells of one rank and their oldest minute.
func (m *matrix) readColumn(in *bitReader, rank int, cells []Entry) ([]Entry, uint32, bool) {
	size := 1 << m.p
	n := int(in.bits(uint(m.p) + 1))
	if n == 0 || n > size {
		return cells, 0, n == 0 && !in.failed()
	}
	offsetWidth := uint(in.bits(widthBits))
	offset := uint32(in.bits(min(offsetWidth, minuteBits)))
	minutes := span{width: uint(in.bits(widthBits))}
	if uint(bits.Len32(offset)) != offsetWidth || offset > lastMinute-m.oldest || in.failed() {
		return cells, 0, false
	}
	minutes.lo = m.oldest + offset
	cells, ok := readRegisters(in, cells, uint64(rank)<<m.p, size, n)
	if !ok {
		return cells, 0, false
	}
	for i := range cells {
		cells[i] |= Entry(minutes.read(in))
	}
	return cells, minutes.lo, !in.failed() && minutes.canonical()
}

// readRegisters reads which n of size registers are hit, as cells from key on.
func readRegisters(in *bitReader, cells []Entry, key uint64, size, n int) ([]Entry, bool) {
	hit := func(reg int) { cells = append(cells, pack(key|uint64(reg), 0)) }
	width := uint(bits.Len(uint(size - 1)))
	next := 0
	switch {
	case n < size/4:
		shift := riceShift(width, n)
		for range n {
			if next >= size {
				return cells, false
			}
			next += int(in.rice(shift, uint64(size-1-next)))
			hit(next)
			next++
		}
	case n > size-size/4:
		shift := riceShift(width, size-n)
		for range size - n {
			if next >= size {
				return cells, false
			}
			for gap := in.rice(shift, uint64(size-1-next)); gap > 0; gap-- {
				hit(next)
				next++
			}
			next++
		}
		for ; next < size; next++ {
			hit(next)
		}
	default:
		for reg := range size {
			if in.bits(1) == 1 {
				hit(reg)
			}
		}
	}
	return cells, len(cells) == n && !in.failed()
}
