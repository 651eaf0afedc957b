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
	total := u.Count(0)
	e := w.missingCells(u.matrix, edge)
	n := min(e.N, total.N)
	// Cut off at three standard errors of the total: to be cut at two would
	// add the misses of one interval to those of the other.
	most := total.N + 1.5*(total.High-total.N)
	return Estimate{N: n, Low: min(e.Low, n), High: max(min(e.High, most), n)}
}

// Missing estimates what CountMissing does, for less work and for sums: it may be
// more than u holds, as it is less at other times, so that its mean is right. Over
// many ticks of few records CountMissing, which is cut off at each of them, falls
// short of most of what is new. TestSumsOfFirstTouches says how far the sum is off.
// Like Numbers it keeps what it counted.
func (w *Window) Missing(u *Window, since uint32) float64 {
	edge := stored(since)
	switch {
	case u.matrix != nil:
		return w.missingCells(u.matrix, edge).N
	case w.matrix == nil:
		return float64(missingSince(w.list, u.list, edge))
	}
	hits := w.matrix.unseen(u.list, edge)
	if hits == 0 {
		return 0
	}
	return float64(hits) / w.matrix.deadShare(edge)
}

// Shown returns the probability that a record never seen shows as such: one while w
// is exact. The sum of Missing over the records of n first touches has a variance of
// about n (1-s)/s, if s is the least that Shown was. Like Numbers it keeps what it
// counted.
func (w *Window) Shown() float64 {
	if w.matrix == nil {
		return 1
	}
	return w.matrix.deadShare(ever)
}

// missingCells is that of the matrices of two windows, at the finest precision that
// both carry. A list carries any.
func (w *Window) missingCells(theirs *matrix, edge uint32) Estimate {
	mine := w.matrix
	switch {
	case mine == nil:
		mine = newMatrix(theirs.p)
		mine.addSorted(w.list)
	case mine.p > theirs.p:
		mine = mine.folded(theirs.p)
	case mine.p < theirs.p:
		theirs = theirs.folded(mine.p)
	}
	return mine.missingCells(theirs, edge)
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
	hits := m.unseen(list, edge)
	all := float64(len(list))
	share := m.deadShare(edge)
	if share == 0 {
		return Estimate{High: all}
	}
	e := fromHits(hits, share)
	return Estimate{N: min(e.N, all), Low: min(e.Low, all), High: min(e.High, all)}
}

// unseen counts the listed records that fall on cells not hit since edge.
func (m *matrix) unseen(list []Entry, edge uint32) (hits int) {
	for _, e := range list {
		if m.at(split(e.key(), m.p)) < edge {
			hits++
		}
	}
	return hits
}

// fromHits estimates n from k, the number of n events that were noticed, each
// with the probability share. The interval is that of Poisson's distribution,
// after Garwood (1936) by Wilson and Hilferty's approximation, narrowed as far
// as a binomial count varies less.
func fromHits(hits int, share float64) Estimate {
	k := float64(hits)
	low, high := 0.0, (k+1)*cube(1-1/(9*(k+1))+z95/(3*math.Sqrt(k+1)))
	if hits > 0 {
		low = k * cube(1-1/(9*k)-z95/(3*math.Sqrt(k)))
	}
	narrow := math.Sqrt(1-share) / share
	return Estimate{
		N:    k / share,
		Low:  max(math.Floor(k/share-(k-low)*narrow), k),
		High: math.Ceil(k/share + (high-k)*narrow),
	}
}

func cube(x float64) float64 { return x * x * x }

// deadShare is the probability that a new record hits a cell not hit since edge.
func (m *matrix) deadShare(edge uint32) float64 {
	live := m.since(edge, []uint32{ever})
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
	if cells >= fewCells {
		return likely(&risk, &seen, m.p, float64(cells), maxDistinct)
	}
	share := 0.0
	for r := 1; r <= ranks(m.p); r++ {
		share += float64(risk[r]) * chance(r, m.p)
	}
	if share == 0 {
		return Estimate{High: maxDistinct}
	}
	e := fromHits(cells, math.Ldexp(share, -int(m.p)))
	if cells > 0 {
		more := solve(&risk, &seen, m.p) * math.Ldexp(1, int(m.p)) / e.N
		e = Estimate{N: e.N * more, Low: math.Floor(e.Low * more), High: math.Ceil(e.High * more)}
	}
	return e
}

// fewCells is the number of hit cells below which the interval is that of a
// small count: the normal distribution is not yet a good likeness of it, and
// two records seldom share a cell.
const fewCells = 30

// liveBits sets out to the registers whose cell of the given rank was hit in
// or after edge.
func (m *matrix) liveBits(rank, edge uint32, out []uint64) {
	clear(out)
	if rank > uint32(m.dense) {
		live := m.sparseRank(int(rank))
		for i := range live.len() {
			e := live.at(i)
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
