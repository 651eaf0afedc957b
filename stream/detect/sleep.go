package detect

import (
	"fmt"
	"maps"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// Most identities of a large fleet do nothing most of the time. Those sleep: of
// them only the encoded form is kept in which they were last written, about
// half the memory and nothing for the garbage collector to look into. The form
// is exact, so that sleep cannot show.

// sleep puts an identity away that was just written as value, unless something
// still refers to it: an open bin, a partial that waits, or that it is watched.
func (d *Task) sleep(id *identity, value []byte) {
	if id.open || id.isHot || id.dirty || id.pending != nil {
		return
	}
	d.asleep[id.key] = string(value)
	delete(d.ids, id.key)
}

// shrink gives back the memory of a map that had far more awake: maps grow and
// never shrink.
func (d *Task) shrink() {
	n := len(d.ids)
	if d.most = max(d.most, n); d.most < 1024 || n > d.most/4 {
		return
	}
	ids := make(map[string]*identity, n)
	maps.Copy(ids, d.ids)
	d.ids, d.most = ids, n
}

// wake takes back the identity of a key; nil if it does not sleep.
func (d *Task) wake(key []byte) *identity {
	value, ok := d.asleep[string(key)]
	if !ok {
		return nil
	}
	id := newIdentity(key)
	if err := d.decodeIdentity(id, []byte(value)); err != nil {
		panic(fmt.Sprintf("stream: an identity does not read back: %v", err)) // it was read or written by this task
	}
	delete(d.asleep, id.key)
	d.ids[id.key] = id
	return id
}

// sweepAsleep does for those asleep what sweep does for the others.
func (d *Task) sweepAsleep(to, now int64, expired uint32) {
	for key, value := range d.asleep {
		last, records := lastSeen(value)
		switch silent := now - d.cfg.Grid.TickEnd(last); {
		case last == eventtime.Never:
		case silent > forgetAfter:
			d.changes = append(d.changes, stream.Change{Key: d.stateKeyOf(key)})
			delete(d.asleep, key)
		case silent > d.cfg.Retention && records:
			id := d.wake([]byte(key))
			id.window.Expire(expired)
			d.touch(id, to)
		}
	}
}

// lastSeen reads from an encoded identity its last tick and whether it holds
// records.
func lastSeen(value string) (last int64, records bool) {
	head := value[:min(len(value), 64)] // beyond what comes before the flags
	r := wire.NewReader([]byte(head))
	last = r.Varint()
	last -= r.Varint()
	r.Varint()
	r.Uvarint()
	return last, r.Byte()&flagRecords != 0
}
