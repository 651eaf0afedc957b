package sketches

import (
	"fmt"
)

// ExactLimit is the largest number of distinct records that a window holds as
// a list, and so counts without error.
const ExactLimit = 1024

// Precisions: the logarithm to base 2 of the number of registers that a window
// has once it is a matrix.
const (
	// StatePrecision is that of a window kept for long: 6 to 160 KB and a
	// standard error of 1 %. It is the precision of the zero Window.
	StatePrecision = 12
	// PartialPrecision is that of what one tick brings, so that an Exposure
	// made from ticks has a standard error below 1 %.
	PartialPrecision = 14

	minPrecision = StatePrecision
	maxPrecision = PartialPrecision
)

// Window holds the distinct records that an identity touched, each with the
// minute in which it was last seen.
//
// The zero value is empty and ready for use, at StatePrecision. A Window must
// not be copied after first use, other than by Clone.
//
// Minutes are Unix minutes (Unix time / 60). Those before 2000 or after 2127
// are taken for the nearest minute inside. Of a hash the upper 38 bits are
// used; two of 1,024 records fall together once in two million windows.
type Window struct {
	list   []Entry // while exact: sorted, distinct keys
	matrix *matrix // else
	p      uint8   // precision; 0 stands for StatePrecision
}

// New returns an empty window that will have 2^precision registers if it
// outgrows its list. The precision is from 10 to 14; anything else is a mistake
// in the program and panics.
func New(precision uint8) Window {
	if precision < minPrecision || precision > maxPrecision {
		panic(fmt.Sprintf("sketches: precision %d, want %d to %d", precision, minPrecision, maxPrecision))
	}
	return Window{p: precision}
}

// From returns a window of the given precision that holds a batch of touches,
// in any order, repeated or not. It takes the batch over: the window may keep
// it as its list, and its order and contents are lost.
func From(precision uint8, batch []Entry) Window {
	w := New(precision)
	sortRecords(batch)
	if batch = compactSorted(batch); len(batch) <= ExactLimit {
		w.list = batch[:len(batch):len(batch)]
		return w
	}
	w.matrix = newMatrix(precision)
	w.matrix.addSorted(batch)
	return w
}

// Precision returns the logarithm to base 2 of the number of registers that
// the window has, or would have once it is no longer exact.
func (w *Window) Precision() uint8 {
	if w.p == 0 {
		return StatePrecision
	}
	return w.p
}

// Exact reports whether every count of the window is without error.
func (w *Window) Exact() bool { return w.matrix == nil }

// Empty reports whether the window holds no record.
func (w *Window) Empty() bool { return w.matrix == nil && len(w.list) == 0 }

// Clone returns a copy that shares nothing with w.
func (w *Window) Clone() Window {
	c := Window{p: w.p, list: append([]Entry(nil), w.list...)}
	if w.matrix != nil {
		c.matrix = w.matrix.clone()
	}
	return c
}

// Insert records that the record of the given keyed hash was touched in the
// given minute.
func (w *Window) Insert(hash uint64, minute uint32) {
	e := NewEntry(hash, minute)
	if w.matrix != nil {
		w.matrix.recent = nil
		w.matrix.insert(e)
		return
	}
	var added bool
	if w.list, added = insertRecord(w.list, e); added && len(w.list) > ExactLimit {
		w.toMatrix()
	}
}

// toMatrix turns the list into a matrix.
func (w *Window) toMatrix() {
	w.matrix = newMatrix(w.Precision())
	w.matrix.addSorted(w.list)
	w.list = nil
}

// Merge adds every touch of o to w; o is left as it was, and nothing of it is
// shared. Merge is commutative, associative and idempotent. Of two precisions
// the coarser wins, to which the finer folds without loss: a partial at
// PartialPrecision goes into a state at StatePrecision. To unite the partials
// of one tick without loss, start from New(PartialPrecision).
func (w *Window) Merge(o *Window) {
	w.coarsen(o.Precision())
	switch {
	case w.matrix == nil && o.matrix == nil:
		added := missing(w.list, o.list)
		if len(w.list)+added <= ExactLimit {
			w.list = union(w.list, o.list, added)
			return
		}
		w.toMatrix()
		w.matrix.addSorted(o.list)
	case o.matrix == nil:
		w.matrix.note(o.list)
		w.matrix.addSorted(o.list)
	default:
		from := o.matrix
		if from.p > w.Precision() {
			from = from.folded(w.Precision())
		}
		if w.matrix == nil {
			list := w.list
			w.list, w.matrix = nil, from
			if from == o.matrix {
				w.matrix = from.clone()
			}
			w.matrix.addSorted(list)
			return
		}
		w.matrix.merge(from)
	}
}

// Coarser returns the window at StatePrecision, to be read alone: w itself where it has
// that already, or is a list. It is for who both compares a window with a matrix of that
// precision and merges it there, each of which would fold it.
func (w *Window) Coarser() *Window {
	if w.matrix == nil || w.matrix.p == StatePrecision {
		return w
	}
	return &Window{matrix: w.matrix.folded(StatePrecision)}
}

// coarsen lowers the precision to p, if it is higher.
func (w *Window) coarsen(p uint8) {
	if p >= w.Precision() {
		return
	}
	w.p = p
	if w.matrix != nil {
		w.matrix = w.matrix.folded(p)
	}
}

// Expire forgets the records last seen before the given minute and frees their
// memory. A matrix of which nothing is left becomes an empty list again. It
// costs little when nothing has expired since the last call.
//
// Whether a union stays a list depends on what has expired before it: for
// results that depend on the events alone, expire at fixed event times, and
// before merging.
func (w *Window) Expire(before uint32) {
	edge := stored(before)
	if w.matrix == nil {
		w.list = shrunk(expire(w.list, edge))
	} else if !w.matrix.expire(edge) {
		w.matrix = nil
	}
}
