package stream

import (
	"cmp"
	"math"
	"slices"
)

// ByTick holds what waits for its tick. Ticks mostly come in their order, and
// the first goes first; both take constant time, however much waits.
type ByTick[T any] struct{ waits []waiting[T] } // sorted

type waiting[T any] struct {
	tick int64
	list []T
}

func (w *ByTick[T]) find(tick int64) (at int, ok bool) {
	if n := len(w.waits); n == 0 || w.waits[n-1].tick < tick {
		return n, false
	}
	return slices.BinarySearchFunc(w.waits, tick, func(v waiting[T], tick int64) int { return cmp.Compare(v.tick, tick) })
}

// Add has something wait for a tick, after what waits for it already.
func (w *ByTick[T]) Add(tick int64, v T) {
	at, ok := w.find(tick)
	if !ok {
		w.waits = slices.Insert(w.waits, at, waiting[T]{tick: tick})
	}
	w.waits[at].list = append(w.waits[at].list, v)
}

// Take hands out what waits for a tick, in the order in which it was added.
func (w *ByTick[T]) Take(tick int64) []T {
	at, ok := w.find(tick)
	if !ok {
		return nil
	}
	list := w.waits[at].list
	if at == 0 {
		w.waits[0].list, w.waits = nil, w.waits[1:]
	} else {
		w.waits = slices.Delete(w.waits, at, at+1)
	}
	return list
}

// First returns the first tick for which something waits, the largest number
// there is if nothing does.
func (w *ByTick[T]) First() int64 {
	if len(w.waits) == 0 {
		return math.MaxInt64
	}
	return w.waits[0].tick
}

// Len returns for how many ticks something waits.
func (w *ByTick[T]) Len() int { return len(w.waits) }
