package detect

import (
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
)

// identity is all that is known of one value of one dimension.
type identity struct {
	key      string // dimension byte, name
	window   sketches.Window
	state    score.State
	followed *followed
	pending  *cell  // partials waiting for their tick: the latest, whose next is the earliest
	tally    *tally // of the open bin; nil: nothing beside the window
	bin      int64  // bin that fresh and tally belong to
	fresh    float64
	first    int64 // first tick with an event
	last     int64 // last tick with an event
	saved    int64 // tick as of which the state was last written; replay begins after it
	command  int64 // Seq of the last command carried out
	open     bool  // bin is not closed yet
	dirty    bool
	isHot    bool
}

func (id *identity) dimension() int { return int(id.key[0]) }

func (id *identity) name() string { return id.key[1:] }

// newIdentity returns an identity never seen, which belongs to no list yet.
func newIdentity(key []byte) *identity {
	return &identity{key: string(key), first: eventtime.Never, last: eventtime.Never, saved: eventtime.Never, bin: eventtime.Never}
}

func (d *Task) identity(key []byte) *identity {
	id := d.known(key)
	if id == nil {
		id = newIdentity(key)
		d.ids[id.key] = id
	}
	return id
}

// known returns the identity of a key, or nil if there is none.
func (d *Task) known(key []byte) *identity {
	if id := d.ids[string(key)]; id != nil {
		return id
	}
	return d.wake(key)
}

// cell returns what waits for a tick of the identity, and whether it was made
// just now. The cells stand in a ring in the order of their ticks, so that the
// latest, to which most is added, and the earliest, which goes first, are both
// at hand however many wait.
func (id *identity) cell(apply int64) (c *cell, made bool) {
	before := id.pending
	switch {
	case before == nil:
		c = &cell{id: id, apply: apply}
		c.next, id.pending = c, c
		return c, true
	case before.apply == apply:
		return before, false
	}
	last := before.apply < apply
	for !last && before.next.apply < apply {
		before = before.next
	}
	if !last && before.next.apply == apply {
		return before.next, false
	}
	c = &cell{id: id, apply: apply, next: before.next}
	before.next = c
	if last {
		id.pending = c
	}
	return c, true
}

// earliest takes the earliest cell out.
func (id *identity) earliest() *cell {
	c := id.pending.next
	if id.pending.next = c.next; c == id.pending {
		id.pending = nil
	}
	return c
}
