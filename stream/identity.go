package stream

import (
	"github.com/weirhq/weir/detectors"
	"github.com/weirhq/weir/sketches"
)

// identity is all that is known of one value of one dimension.
type identity struct {
	key     string // dimension byte, name
	window  sketches.Window
	state   detectors.State
	exposed *exposure
	pending *cell  // partials waiting for their tick, latest first
	tally   *tally // of the open bin; nil: nothing beside the window
	bin     int64  // bin that fresh and tally belong to
	fresh   float64
	first   int64 // first tick with an event
	last    int64 // last tick with an event
	saved   int64 // tick as of which the state was last written; replay begins after it
	command int64 // Seq of the last command carried out
	open    bool  // bin is not closed yet
	dirty   bool
	isHot   bool
}

func (id *identity) dimension() int { return int(id.key[0]) }
func (id *identity) name() string   { return id.key[1:] }

// newIdentity returns an identity never seen, which belongs to no list yet.
func newIdentity(key []byte) *identity {
	return &identity{key: string(key), first: never, last: never, saved: never, bin: never}
}

func (d *Detect) identity(key []byte) *identity {
	id := d.known(key)
	if id == nil {
		id = newIdentity(key)
		d.ids[id.key] = id
	}
	return id
}

// known returns the identity of a key, or nil if there is none.
func (d *Detect) known(key []byte) *identity {
	if id := d.ids[string(key)]; id != nil {
		return id
	}
	return d.wake(key)
}
