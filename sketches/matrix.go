package sketches

import (
	"math/bits"
	"slices"
)

// A matrix is a map from (register, rank) cells to the last minute in which a
// record of that cell was touched. The register is the top p bits of the
// 38-bit key; the rank is one more than the number of zeros that follow, so
// rank r is hit with probability 2^-r and the last one, at which the bits run
// out, as often as the one before it.
//
// Low ranks fill soon: they are dense columns, one word a register. High ranks
// are hit seldom: they are a sorted list of cells. A rank becomes a column when
// the list would need more bytes for it. All of this is form; what a matrix
// says depends on its cells alone.
type matrix struct {
	p      uint8
	dense  uint8    // ranks 1..dense are columns
	base   uint32   // a narrow word w > 0 stands for the minute base+w
	oldest uint32   // no cell is older than this minute
	narrow []uint16 // the columns, rank by rank
	wide   []uint32 // the columns, as minutes, when they span more than 16 bits can say
	sparse cells    // those of ranks > dense
	recent *recent  // nil: nothing is kept of what was counted
}

const (
	maxRanks = keyBits + 1 // more than any rank, at any precision
	// narrowSpan is how many minutes (45 days) narrow columns cover. Some slack
	// is left, so that a matrix at the brink is not rewritten at every minute.
	narrowBits  = 16
	narrowSpan  = 1<<narrowBits - 1
	narrowSlack = 1 << 10
)

// ranks is the highest rank at precision p.
func ranks(p uint8) int { return keyBits - int(p) + 1 }

// split returns the register and the rank of a 38-bit key.
func split(key uint64, p uint8) (reg uint32, rank uint32) {
	reg = uint32(key >> ((keyBits - p) & 63))
	rest := key<<(minuteBits+p) | 1<<(minuteBits+p-1) // the mark ends the run of zeros
	return reg, uint32(bits.LeadingZeros64(rest)) + 1
}

// foldCell returns a cell of precision p as one of the coarser precision q:
// the register's lower bits become the first of those that make the rank.
func foldCell(reg, rank uint32, p, q uint8) (uint32, uint32) {
	low := reg & (1<<(p-q) - 1)
	if low == 0 {
		return reg >> (p - q), rank + uint32(p-q)
	}
	return reg >> (p - q), uint32(p-q) - uint32(bits.Len32(low)) + 1
}

func newMatrix(p uint8) *matrix { return &matrix{p: p, oldest: lastMinute} }

// put marks a cell. It reports false, and does nothing, if the cell's rank has
// no column.
func (m *matrix) put(reg, rank, minute uint32) bool {
	if rank > uint32(m.dense) {
		return false
	}
	i := (rank-1)<<m.p | reg
	m.oldest = min(m.oldest, minute)
	if m.wide == nil && minute-m.base-1 >= narrowSpan {
		m.cover(minute, minute)
	}
	if m.wide == nil {
		m.narrow[i] = max(m.narrow[i], uint16(minute-m.base))
	} else {
		m.wide[i] = max(m.wide[i], minute)
	}
	return true
}

// insert marks the cell of one record. What most records take is the first
// case: a narrow column, in a minute that it can say. It is split, written out
// on the packed word, and without a branch on what the cell holds.
func (m *matrix) insert(e Entry) {
	minute := e.minute()
	zeros := bits.LeadingZeros64(uint64(e)<<(m.p&63) | 1<<((minuteBits+m.p-1)&63))
	i := uint64(zeros)<<(m.p&63) | uint64(e)>>((64-m.p)&63)
	if w := minute - m.base; i < uint64(len(m.narrow)) && w-1 < narrowSpan {
		m.narrow[i] = max(m.narrow[i], uint16(w))
		m.oldest = min(m.oldest, minute)
		return
	}
	m.insertRare(e)
}

// insertRare is insert for all other cases.
func (m *matrix) insertRare(e Entry) {
	reg, rank := split(e.key(), m.p)
	minute := e.minute()
	if m.put(reg, rank, minute) {
		return
	}
	m.oldest = min(m.oldest, minute)
	var added bool
	if m.sparse, added = m.sparse.insert(pack(uint64(rank<<m.p|reg), minute)); added {
		m.promote()
	}
}

// feed marks many cells. Those of sparse ranks are gathered, sorted and merged
// in blocks, since each insertion of its own would move half the list.
type feed struct {
	m   *matrix
	n   int
	buf [256]Entry
}

func (f *feed) put(reg, rank, minute uint32) {
	if f.m.put(reg, rank, minute) {
		return
	}
	if f.n == len(f.buf) {
		f.flush()
	}
	f.buf[f.n] = pack(uint64(rank<<f.m.p|reg), minute)
	f.n++
	f.m.oldest = min(f.m.oldest, minute)
}

func (f *feed) flush() {
	block := sortDistinct(f.buf[:f.n])
	f.n = 0
	// A rank may have become a column since its cells were gathered.
	edge := search(block, uint64(f.m.dense+1)<<f.m.p)
	for _, e := range block[:edge] {
		f.m.putCell(e)
	}
	f.m.mergeSparse(block[edge:])
}

func (m *matrix) putCell(e Entry) {
	m.put(uint32(e.key())&(1<<m.p-1), uint32(e.key()>>m.p), e.minute())
}

func (m *matrix) mergeSparse(cells []Entry) {
	if len(cells) > 0 {
		m.sparse = m.sparse.union(cells)
		m.promote()
	}
}

// addRecords marks the cells of records, in any order.
func (m *matrix) addRecords(list []Entry) {
	f := feed{m: m}
	for _, e := range list {
		reg, rank := split(e.key(), m.p)
		f.put(reg, rank, e.minute())
	}
	f.flush()
}

// addSorted marks the cells of records sorted by key. Those of one rank then
// come sorted by register, so that dealing them out by rank sorts all cells,
// which is worth it while many records hit sparse ranks.
func (m *matrix) addSorted(list []Entry) {
	if m.dense >= 4 || len(list) < 256 {
		m.addRecords(list)
		return
	}
	var start, next [maxRanks + 1]int
	for _, e := range list {
		_, rank := split(e.key(), m.p)
		start[rank]++
	}
	sum := 0
	for r, n := range start {
		start[r], next[r] = sum, sum
		sum += n
	}
	cells := make([]Entry, len(list))
	for _, e := range list {
		reg, rank := split(e.key(), m.p)
		m.oldest = min(m.oldest, e.minute())
		cell := pack(uint64(rank<<m.p|reg), e.minute())
		if i := next[rank]; i > start[rank] && cells[i-1].key() == cell.key() {
			cells[i-1] = max(cells[i-1], cell)
		} else {
			cells[i] = cell
			next[rank]++
		}
	}
	n := 0
	for r, from := range start {
		n += copy(cells[n:], cells[from:next[r]])
	}
	cells = cells[:n]
	edge := search(cells, uint64(m.dense+1)<<m.p)
	for _, e := range cells[:edge] {
		m.putCell(e)
	}
	m.mergeSparse(cells[edge:])
}

// columnPays returns beyond how many cells a rank is cheaper as a column: two
// bytes a register against six a cell.
func (m *matrix) columnPays() int { return 1 << m.p / 3 }

// promote makes columns of the sparse ranks that are cheaper as columns. It
// also bounds the sparse list by the number of registers, which matters only
// for cells that no hash made.
func (m *matrix) promote() {
	for m.sparse.len() > m.columnPays() && int(m.dense) < ranks(m.p) {
		next := m.sparse.search(uint64(m.dense+2) << m.p)
		if next <= m.columnPays() && m.sparse.len() <= 1<<m.p {
			return
		}
		m.widenTo(m.dense + 1)
	}
}

// widenTo makes columns of all ranks up to dense.
func (m *matrix) widenTo(dense uint8) {
	if dense <= m.dense {
		return
	}
	edge := m.sparse.search(uint64(dense+1) << m.p)
	cells, rest := m.sparse.slice(0, edge).entries(make([]Entry, 0, edge)), m.sparse.slice(edge, m.sparse.len())
	size := int(dense) << m.p
	if m.wide != nil {
		m.wide = append(make([]uint32, 0, size), m.wide...)[:size]
	} else {
		m.narrow = append(make([]uint16, 0, size), m.narrow...)[:size]
	}
	m.dense = dense
	if len(cells) > 0 {
		lo, hi := minuteRange(cells)
		m.cover(lo, hi)
	}
	for _, e := range cells {
		m.putCell(e)
	}
	m.sparse = slices.Clone(rest)
}

// minuteRange returns the first and last minute of a list that is not empty.
func minuteRange(list []Entry) (lo, hi uint32) {
	lo, hi = lastMinute, 0
	for _, e := range list {
		lo, hi = min(lo, e.minute()), max(hi, e.minute())
	}
	return lo, hi
}

// cover sees to it that the columns can say every minute from lo to hi beside
// those they hold: by moving the base, or else by widening the words. So a
// record with a wrong clock costs memory, never another record.
func (m *matrix) cover(lo, hi uint32) {
	if m.wide != nil {
		return
	}
	if lo > m.base && hi-m.base <= narrowSpan {
		return
	}
	if first, last, any := m.columnRange(); any {
		lo, hi = min(lo, first), max(hi, last)
	}
	span := hi - lo + 1
	if span > narrowSpan-narrowSlack {
		m.widen()
		return
	}
	// Time goes forward: most of the room is left ahead, some for the late.
	base := lo - 1 - min(lo-1, (narrowSpan-span)/8)
	shift := m.base - base // modulo 2^16 the same for either direction
	for i, w := range m.narrow {
		if w != 0 {
			m.narrow[i] = w + uint16(shift)
		}
	}
	m.base = base
}

// columnRange returns the first and last minute in the columns.
func (m *matrix) columnRange() (lo, hi uint32, any bool) {
	lo = lastMinute
	if m.wide != nil {
		for _, w := range m.wide {
			if w != 0 {
				lo, hi = min(lo, w), max(hi, w)
			}
		}
		return lo, hi, hi != 0
	}
	first, last := uint16(narrowSpan), uint16(0)
	for _, w := range m.narrow {
		first = min(first, w-1) // an empty cell wraps to the largest word
		last = max(last, w)
	}
	if last == 0 {
		return lo, 0, false
	}
	return m.base + uint32(first) + 1, m.base + uint32(last), true
}

// widen turns the columns to whole minutes.
func (m *matrix) widen() {
	m.wide = make([]uint32, len(m.narrow))
	for i, w := range m.narrow {
		if w != 0 {
			m.wide[i] = m.base + uint32(w)
		}
	}
	m.narrow, m.base = nil, 0
}

// narrowAgain turns the columns back when their minutes fit in 16 bits again.
func (m *matrix) narrowAgain() {
	lo, hi, any := m.columnRange()
	if m.wide == nil || any && hi-lo+1 > narrowSpan-2*narrowSlack {
		return
	}
	wide := m.wide
	m.wide, m.narrow, m.base = nil, make([]uint16, len(wide)), 0
	if any {
		m.cover(lo, hi)
	}
	for i, w := range wide {
		if w != 0 {
			m.narrow[i] = uint16(w - m.base)
		}
	}
}
