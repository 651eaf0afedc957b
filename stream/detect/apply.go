package detect

import (
	"fmt"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// Apply takes in one record of weir.partials at its offset.
func (d *Task) Apply(offset int64, b *stream.Batch) error {
	if d.replay != nil {
		if err := d.repeat(offset); err != nil {
			return err
		}
	}
	dims := make([]int, len(b.Dimensions))
	for i, name := range b.Dimensions {
		var ok bool
		if dims[i], ok = d.dims[name]; !ok {
			dims[i] = stream.NoDimension
		}
	}
	held, err := b.Hold(dims, func(p stream.HeldPartial) { d.hold(p, offset) })
	if err != nil {
		return fmt.Errorf("offset %d: %w", offset, err)
	}
	d.waiting.keep(held)
	d.holdHandover(b.Handover, offset)
	if d.facts != nil {
		d.facts.hold(b, func(tick int64) (int64, bool) { return d.arrives(tick, offset) })
	}
	d.offset = offset + 1
	if d.replay != nil {
		return d.repeat(d.offset)
	}
	d.snapshots.earn(len(b.Body))
	if len(b.Topics) > 0 {
		d.watermark.SetTopics(b.Topics)
	}
	for _, p := range b.Progress {
		d.watermark.Advance(p)
	}
	return nil
}

// arrives returns the tick at which something counts: its own, or the next that
// is open; false if it was counted before the replay begins.
func (d *Task) arrives(apply, offset int64) (tick int64, ok bool) {
	if d.done != eventtime.Never && apply <= d.done {
		if d.replay != nil && offset < d.replay.closes[0].Offset {
			return 0, false
		}
		apply = d.done + 1
	}
	if d.cfg.SnapshotTicks > 0 {
		d.log.Came(apply, offset)
	}
	return apply, true
}

// hold notes that a partial waits until its tick closes.
func (d *Task) hold(p stream.HeldPartial, offset int64) {
	if p.Dimension == stream.NoDimension {
		d.stats.Unknown++
		return
	}
	d.stats.Partials++
	tick, ok := d.arrives(p.Apply, offset)
	if !ok {
		return
	}
	if tick != p.Apply {
		d.stats.Overdue++
	}
	d.waiting.add(tick, p.PartialRef)
}
