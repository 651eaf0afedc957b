package detect

import "github.com/weirhq/weir/stream"

// waitingPartials holds partials until the ticks close at which they count. They
// stay in the form in which they came: no identity is woken before its tick.
type waitingPartials struct {
	runs  stream.ByTick[waitingRun]
	bytes int64 // of memory, of the batches that runs refer to

	// Of the batch that is being taken in:
	places []waitingPlace
	ticks  []tickRun
	ofTick map[int64]int32 // by tick: its index in ticks
}

// waitingRun is what one batch brings for one tick.
type waitingRun struct {
	batch *waitingBatch
	refs  []stream.PartialRef
}

// waitingBatch is a batch of which partials wait.
type waitingBatch struct {
	*stream.HeldBatch
	size int64       // bytes of memory
	left int         // runs that wait
	ids  []*identity // by the number of the name: whom a tick found behind it; nil: not yet
}

// known returns the place of the identity of a partial.
func (b *waitingBatch) known(ref stream.PartialRef) **identity {
	if b.ids == nil {
		b.ids = make([]*identity, b.Names())
	}
	return &b.ids[ref.Name()]
}

// waitingPlace is a partial, and where its tick stands in ticks.
type waitingPlace struct {
	ref stream.PartialRef
	run int32
}

// tickRun is a tick, and how many partials wait for it.
type tickRun struct {
	tick int64
	size int32
}

// add has a partial of the batch that is being taken in wait for a tick.
func (w *waitingPartials) add(tick int64, ref stream.PartialRef) {
	run := int32(len(w.ticks) - 1)
	if run < 0 || w.ticks[run].tick != tick {
		if w.ofTick == nil {
			w.ofTick = map[int64]int32{}
		}
		at, ok := w.ofTick[tick]
		if !ok {
			at = int32(len(w.ticks))
			w.ofTick[tick] = at
			w.ticks = append(w.ticks, tickRun{tick: tick})
		}
		run = at
	}
	w.ticks[run].size++
	w.places = append(w.places, waitingPlace{ref, run})
}

// keep ends the taking in of a batch.
func (w *waitingPartials) keep(held *stream.HeldBatch) {
	if len(w.places) == 0 {
		return
	}
	refs := make([]stream.PartialRef, len(w.places))
	batch := &waitingBatch{HeldBatch: held, left: len(w.ticks), size: held.Size() + 8*int64(len(refs)) + 64*int64(len(w.ticks))}
	lists := make([][]stream.PartialRef, len(w.ticks))
	from := int32(0)
	for i, t := range w.ticks {
		lists[i] = refs[from : from : from+t.size]
		from += t.size
	}
	for _, p := range w.places {
		lists[p.run] = append(lists[p.run], p.ref)
	}
	for i, t := range w.ticks {
		w.runs.Add(t.tick, waitingRun{batch, lists[i]})
	}
	w.bytes += batch.size
	w.places, w.ticks = w.places[:0], w.ticks[:0]
	clear(w.ofTick)
}

// take hands out what waits for a tick, which must be the first for which anything
// does, in the order in which it came.
func (w *waitingPartials) take(tick int64, yield func(*waitingBatch, []stream.PartialRef)) {
	for _, run := range w.runs.Take(tick) {
		yield(run.batch, run.refs)
		if run.batch.left--; run.batch.left == 0 {
			w.bytes -= run.batch.size
		}
	}
}

// first returns the first tick for which anything waits, the largest number there is
// if nothing does.
func (w *waitingPartials) first() int64 { return w.runs.First() }
