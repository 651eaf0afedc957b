package sketches

import (
	"math"
	"math/bits"
)

// FirstTouch returns how many records of u, the union of a tick, are not in w,
// the state before it: call it before merging. It is CountMissing over all
// that w remembers.
func (w *Window) FirstTouch(u *Window) Estimate { return w.CountMissing(u, 0) }

// CountMissing returns how many records of u were not seen by w in or after
// the given minute. It is exact while both windows are.
//
// Otherwise it rests on dead cells, those that w has not hit since: a record
// that w has seen cannot hit one, and one that it has not seen hits one with a
// known probability. If u is exact, its records on dead cells are counted and
// divided by that probability; else the dead cells that u hits are counted, and
// the number of records behind them is estimated by maximum likelihood. The
// result is never more than u holds. The larger w, the fewer its dead cells and
// the wider the interval.
func (w *Window) CountMissing(u *Window, since uint32) Estimate {
	edge := stored(since)
	switch {
	case u.Empty():
		return Estimate{}
	case w.matrix == nil && u.matrix == nil:
		return exactly(missingSince(w.list, u.list, edge))
	case u.matrix == nil:
		return w.matrix.missingRecords(u.list, edge)
	}
	// Both at the finest precision that both carry; a list carries any.
	mine, theirs := w.matrix, u.matrix
	switch {
	case mine == nil:
		mine = newMatrix(theirs.p)
		mine.addRecords(w.list)
	case mine.p > theirs.p:
		mine = mine.folded(theirs.p)
	case mine.p < theirs.p:
		theirs = theirs.folded(mine.p)
	}
	total := u.Count(0)
	e := mine.missingCells(theirs, edge)
	return Estimate{N: min(e.N, total.N), Low: min(e.Low, total.N), High: min(e.High, total.High)}
}

// missingSince counts the records of u that w lacks, or has only from before
// edge.
func missingSince(w, u []Entry, edge uint32) int {
	n, i := 0, 0
	quick := gallops(len(u), len(w))
	for _, e := range u {
		key := e.key()
		if quick {
			i += search(w[i:], key)
		} else {
			for i < len(w) && w[i].key() < key {
				i++
			}
		}
		if i == len(w) || w[i].key() != key || w[i].minute() < edge {
			n++
		}
	}
	return n
}

// missingRecords estimates how many of the listed records m has not seen since
// edge. If a share a of all hashes falls on dead cells, k of n unseen records
// do with k binomial (n, a).
func (m *matrix) missingRecords(list []Entry, edge uint32) Estimate {
	hits := 0
	for _, e := range list {
		if m.at(split(e.key(), m.p)) < edge {
			hits++
		}
	}
	all := float64(len(list))
	share := m.deadShare(edge)
	if share == 0 {
		return Estimate{High: all}
	}
	k := float64(hits)
	n := min(k/share, all)
	spread := (1 - share) / share
	// Wilson's interval of a variance n (1-a)/a: (x-n)^2 = z^2 x spread.
	half := z95 * z95 * spread / 2
	root := math.Sqrt(half * (half + 2*k/share))
	return Estimate{
		N:    n,
		Low:  min(max(math.Floor(k/share+half-root), k), n),
		High: max(min(math.Ceil(k/share+half+root), all), n),
	}
}

// deadShare is the probability that a new record hits a cell not hit since edge.
func (m *matrix) deadShare(edge uint32) float64 {
	var live perRank
	for rank := 1; rank <= int(m.dense); rank++ {
		first := (rank - 1) << m.p
		if m.wide != nil {
			live[rank] = countFrom(m.wide[first:first+1<<m.p], edge)
		} else if word := m.word(edge); word <= narrowSpan {
			live[rank] = countFrom(m.narrow[first:first+1<<m.p], word)
		}
	}
	for _, e := range m.sparse {
		if e.minute() >= edge {
			live[e.key()>>m.p]++
		}
	}
	share := 0.0
	for r := 1; r <= ranks(m.p); r++ {
		share += float64(1<<m.p-live[r]) * chance(r, m.p)
	}
	return share / math.Ldexp(1, int(m.p))
}

// missingCells estimates how many records of o, of equal precision, m has not
// seen since edge.
func (m *matrix) missingCells(o *matrix, edge uint32) Estimate {
	var risk, seen perRank
	cells := 0
	words := 1 << m.p / 64
	mine, theirs := make([]uint64, words), make([]uint64, words)
	for r := 1; r <= ranks(m.p); r++ {
		m.liveBits(uint32(r), edge, mine)
		o.liveBits(uint32(r), 1, theirs)
		live := 0
		for i, word := range mine {
			live += bits.OnesCount64(word)
			seen[r] += int32(bits.OnesCount64(theirs[i] &^ word))
		}
		risk[r] = int32(1<<m.p - live)
		cells += int(seen[r])
	}
	return likely(&risk, &seen, m.p, float64(cells), maxDistinct)
}

// liveBits sets out to the registers whose cell of the given rank was hit in
// or after edge.
func (m *matrix) liveBits(rank, edge uint32, out []uint64) {
	clear(out)
	if rank > uint32(m.dense) {
		i := search(m.sparse, uint64(rank)<<m.p)
		j := search(m.sparse, uint64(rank+1)<<m.p)
		for _, e := range m.sparse[i:j] {
			if e.minute() >= edge {
				reg := e.key() & (1<<m.p - 1)
				out[reg/64] |= 1 << (reg % 64)
			}
		}
		return
	}
	for reg := range uint32(1) << m.p {
		if m.at(reg, rank) >= edge {
			out[reg/64] |= 1 << (reg % 64)
		}
	}
}
