package detect

import "github.com/weirhq/weir/stream"

// waitingPartials holds partials until the ticks close at which they count, united
// by identity and tick: one cell for each.
type waitingPartials struct {
	cells stream.ByTick[*cell]
	count int // cells
}

// add has a partial of an identity wait for a tick.
func (w *waitingPartials) add(id *identity, tick int64, p *stream.Partial) {
	c, made := id.cell(tick)
	if made {
		w.cells.Add(tick, c)
		w.count++
	}
	c.add(p)
}

// take hands out the cells of a tick, which must be the first that any wait for, in
// the order in which they were begun.
func (w *waitingPartials) take(tick int64) []*cell {
	cells := w.cells.Take(tick)
	w.count -= len(cells)
	for _, c := range cells {
		c.id.takeEarliest()
	}
	return cells
}

// first returns the first tick for which anything waits, the largest number there is
// if nothing does.
func (w *waitingPartials) first() int64 { return w.cells.First() }

// cell returns what waits for a tick of the identity, and whether it was made
// just now. The cells stand in a ring in the order of their ticks, so that the
// latest, to which most is added, and the earliest, which goes first, are both
// at hand however many wait.
func (id *identity) cell(tick int64) (c *cell, made bool) {
	before := id.waiting
	switch {
	case before == nil:
		c = &cell{id: id, apply: tick}
		c.next, id.waiting = c, c
		return c, true
	case before.apply == tick:
		return before, false
	}
	last := before.apply < tick
	for !last && before.next.apply < tick {
		before = before.next
	}
	if !last && before.next.apply == tick {
		return before.next, false
	}
	c = &cell{id: id, apply: tick, next: before.next}
	before.next = c
	if last {
		id.waiting = c
	}
	return c, true
}

// takeEarliest takes the earliest cell out of the ring.
func (id *identity) takeEarliest() *cell {
	c := id.waiting.next
	if id.waiting.next = c.next; c == id.waiting {
		id.waiting = nil
	}
	return c
}
