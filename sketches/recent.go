package sketches

import "slices"

// recent holds what count gave for the last minutes that were asked for again and again,
// as of the open bin and the open day, and for all that the matrix holds. It is kept up to
// date by lists that are merged, which costs far less than counting all cells anew.
// Whatever else changes the matrix drops it.
type recent struct {
	edges [3]uint32 // 0: none; the last is ever, or none
	seen  [3]perRank
}

// ever is an edge that no minute is before.
const ever = 1

// since returns the cells per rank hit in or after an edge. kept are the edges that
// are to be answered from what is kept; this one is kept if it is among them.
func (m *matrix) since(edge uint32, kept []uint32) perRank {
	if m.recent != nil {
		if k := slices.Index(m.recent.edges[:], edge); k >= 0 {
			seen := m.recent.seen[k]
			m.takeForFull(&seen)
			return seen
		}
	}
	seen := m.countOf(edge)
	if !slices.Contains(kept, edge) {
		return seen
	}
	if m.recent == nil {
		m.recent = &recent{}
	}
	x, k := m.recent, len(m.recent.edges)-1
	if edge != ever {
		k = slices.IndexFunc(x.edges[:k], func(old uint32) bool { return !slices.Contains(kept, old) })
	}
	x.edges[k], x.seen[k] = edge, seen
	return seen
}

// countOf is count for one edge.
func (m *matrix) countOf(edge uint32) perRank {
	var seen tally
	m.count([]uint32{edge}, &seen)
	return seen[0]
}

// takeForFull takes ranks for full where count does.
func (m *matrix) takeForFull(seen *perRank) {
	size := int32(1) << m.p
	for rank := int(m.dense); rank > 1; rank-- {
		if seen[rank] != size || seen[rank-1] != size {
			continue
		}
		for rank--; rank >= 1; rank-- {
			seen[rank] = size
		}
	}
}

// note keeps recent up to date. A list, sorted, is going to be merged.
func (m *matrix) note(list []Entry) {
	x := m.recent
	if x == nil {
		return
	}
	for i, e := range list {
		reg, rank := split(e.key(), m.p)
		was := m.at(reg, rank)
		for k, edge := range x.edges {
			if was < edge && e.minute() >= edge && !hits(list[:i], reg, rank, m.p, edge) {
				x.seen[k][rank]++
			}
		}
	}
}

// hits reports whether the end of a sorted list hits a cell in or after an edge. All
// records of the cell's register that are in the list are at its end.
func hits(list []Entry, reg, rank uint32, p uint8, edge uint32) bool {
	for _, e := range slices.Backward(list) {
		r, k := split(e.key(), p)
		if r != reg {
			return false
		}
		if k == rank && e.minute() >= edge {
			return true
		}
	}
	return false
}
