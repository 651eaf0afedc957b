package detect

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// A state record's key is the name of the dimension, a zero byte and the
// identity; the checkpoint of the partition stands under the empty name.
const checkpointKey = "\x00checkpoint"

// factsPrefix begins the keys of the records of the facts' register. No dimension
// has an empty name, so they stand apart from identities.
const factsPrefix = "\x00facts\x00"

// The state costs as many bytes as weir.partials, dense or sparse, as long as
// nothing forces more: what is written is paid for by what was taken in. So
// what a restore replays is in proportion to what it loads.
const (
	// idleCredit is how many bytes may be saved up while nothing changes.
	idleCredit = 1 << 20
	// mostUnsent is how many bytes of changes wait for one commit, which must
	// end within the time that a transaction may take.
	mostUnsent = 8 << 20
)

// touch marks an identity as changed in a tick.
func (d *Task) touch(id *identity, tick int64) {
	if !id.dirty && d.cfg.SnapshotTicks > 0 {
		id.dirty = true
		d.dirty = append(d.dirty, changed{id, tick})
	}
}

// save writes changed identities, the longest unwritten first, as far as the
// credit goes, and those that have waited for SnapshotTicks in any case. The
// ticks up to and including to are closed.
func (d *Task) save(to int64) {
	if d.cfg.SnapshotTicks == 0 || d.replay != nil {
		return
	}
	for len(d.dirty) > 0 && (d.credit > 0 || d.dirty[0].tick <= to-d.cfg.SnapshotTicks) {
		if d.unsent > mostUnsent {
			d.more = true
			break
		}
		id := d.dirty[0].id
		d.dirty[0].id = nil // nothing must hold on to who sleeps
		d.dirty = d.dirty[1:]
		id.saved, id.dirty = to, false
		value := d.encodeIdentity(id)
		c := stream.Change{Key: d.stateKey(id), Value: value}
		d.credit -= int64(len(c.Key) + len(value))
		d.unsent += len(c.Key) + len(value)
		d.changes = append(d.changes, c)
		d.sleep(id, value)
	}
	d.shrink()
	if !d.more {
		d.credit = min(d.credit, idleCredit)
	}
	oldest := d.oldest(to)
	if len(d.first) > 2*d.pending.Len()+1000 { // now and then
		for tick := range d.first {
			if tick < oldest {
				delete(d.first, tick)
			}
		}
	}
	d.history = d.history.Since(oldest)
}

// Settle has Advance write everything that has changed. It is for times in
// which nothing comes any more: partials that a restore would have to read
// again are deleted after the retention of their topic.
func (d *Task) Settle() {
	if len(d.dirty) > 0 && d.replay == nil {
		d.credit, d.more = math.MaxInt64/2, true
	}
}

// oldest returns the first tick that a restore must replay if the ticks up to
// and including to are closed.
func (d *Task) oldest(to int64) int64 {
	if len(d.dirty) == 0 {
		return to + 1
	}
	return d.dirty[0].tick
}

// sweep frees, once a day of event time, what time has made useless: records
// that nobody has seen within the retention, identities that have long been
// silent. Both would go, or count as gone, at the identity's next event just
// the same, so when the sweep comes cannot show.
func (d *Task) sweep(to int64) {
	day := eventtime.DayOf(d.cfg.Grid.TickEnd(to))
	if day == d.swept {
		return
	}
	d.swept = day
	now := d.cfg.Grid.TickEnd(to)
	// From the start of the bin that comes next, as count will do it.
	expired := eventtime.MinuteOf(max(d.cfg.Grid.BinStart(d.cfg.Grid.BinOfTick(to+1))-d.cfg.Retention, 0))
	for key, id := range d.ids {
		if id.pending != nil || id.dirty || id.open || id.isHot || id.last == eventtime.Never {
			continue
		}
		switch silent := now - d.cfg.Grid.TickEnd(id.last); {
		case silent > forgetAfter:
			d.changes = append(d.changes, stream.Change{Key: d.stateKey(id)})
			delete(d.ids, key)
		case silent > d.cfg.Retention && !id.window.Empty():
			id.window.Expire(expired)
			d.touch(id, to)
		}
	}
	d.sweepAsleep(to, now, expired)
}

func (d *Task) stateKey(id *identity) []byte { return d.stateKeyOf(id.key) }

// stateKeyOf turns the key of ids into that of a state record.
func (d *Task) stateKeyOf(key string) []byte {
	b := append([]byte(d.cfg.Dimensions[key[0]]), 0)
	return append(b, key[1:]...)
}

// What the flags of an encoded identity say.
const (
	flagOpen    = 1 << iota // its bin is not closed
	flagHot                 // it is watched
	flagExposed             // an exposure follows
	flagOpened              // the evidence behind the exposure has reached the threshold
	flagRecords             // its window is not empty
	flagTally               // the tally of its open bin follows
	flagCommand             // the number of a command follows
)

func (d *Task) encodeIdentity(id *identity) []byte {
	b := binary.AppendVarint(d.buffer[:0], id.saved)
	b = binary.AppendVarint(b, id.saved-id.last)
	b = binary.AppendVarint(b, id.bin-d.cfg.Grid.BinOfTick(id.last))
	b = binary.AppendUvarint(b, uint64(id.fresh))
	flags := byte(0)
	if id.open {
		flags |= flagOpen
	}
	if id.isHot {
		flags |= flagHot
	}
	if id.followed != nil {
		flags |= flagExposed
		if id.followed.opened {
			flags |= flagOpened
		}
	}
	if !id.window.Empty() {
		flags |= flagRecords
	}
	if id.tally != nil {
		flags |= flagTally
	}
	if id.command != 0 {
		flags |= flagCommand
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, id.last-id.first)
	if id.tally != nil {
		b = id.tally.append(b)
	}
	if id.command != 0 {
		b = binary.AppendVarint(b, id.command)
	}
	b = id.window.AppendBinary(b)
	b = id.state.AppendBinary(b)
	if id.followed != nil {
		b = id.followed.append(b)
	}
	d.buffer = b
	return slices.Clone(b)
}

func (d *Task) decodeIdentity(id *identity, value []byte) error {
	r := wire.NewReader(value)
	id.saved = r.Varint()
	id.last = id.saved - r.Varint()
	id.bin = d.cfg.Grid.BinOfTick(id.last) + r.Varint()
	id.fresh = float64(r.Uvarint())
	flags := r.Byte()
	id.first = id.last - r.Varint()
	if flags&flagTally != 0 {
		id.tally = readTally(&r)
	}
	if flags&flagCommand != 0 {
		id.command = r.Varint()
	}
	id.open, id.isHot = flags&flagOpen != 0, flags&flagHot != 0
	id.window = wire.Decode(&r, sketches.DecodeWindow)
	id.state = wire.Decode(&r, score.DecodeState)
	if flags&flagExposed != 0 {
		id.followed = readFollowed(&r)
		id.followed.opened = flags&flagOpened != 0
	}
	return r.End()
}

// Checkpoint is where a detect task stands: written with every commit, so that
// a task that takes the partition over knows what to load and to replay.
type Checkpoint struct {
	Done   int64 // last closed tick, reported
	Offset int64 // next offset of weir.partials
	// Replay is the offset from which weir.partials must be read again, so
	// that identities not written lately catch up.
	Replay int64

	history  stream.Advances
	topics   []stream.Topic
	progress []stream.Progress
}

// Checkpoint returns the change that records where the task stands; nothing
// may be left to Advance or to Take.
func (d *Task) Checkpoint() stream.Change {
	replay, oldest := d.offset, d.oldest(d.done)
	for tick, offset := range d.first {
		if tick >= oldest {
			replay = min(replay, offset)
		}
	}
	b := []byte{stream.StateVersion}
	b = binary.AppendVarint(b, d.done)
	b = binary.AppendVarint(b, d.offset)
	b = binary.AppendVarint(b, replay)
	b = d.history.Append(b)
	topics, progress := d.watermark.Snapshot()
	b = stream.AppendTopics(b, topics)
	b = stream.AppendProgress(b, progress)
	return stream.Change{Key: []byte(checkpointKey), Value: b}
}

func decodeCheckpoint(value []byte) (*Checkpoint, error) {
	r := wire.NewReader(value)
	r.Version(stream.StateVersion)
	c := &Checkpoint{Done: r.Varint(), Offset: r.Varint(), Replay: r.Varint()}
	c.history = stream.ReadAdvances(&r)
	c.topics = stream.ReadTopics(&r)
	c.progress = stream.ReadProgress(&r)
	if r.Err() != nil {
		return nil, fmt.Errorf("reading a checkpoint: %w", r.Err())
	}
	return c, nil
}

// Restore rebuilds a detect task from the state topic. Load every record of
// the partition, then Begin, set the parameters, Resume, and Apply weir.partials
// from the offset that Begin returned: up to Checkpoint.Offset the task only
// catches up and reports nothing.
type Restore struct {
	d          *Task
	checkpoint *Checkpoint
	values     map[string][]byte
}

// NewRestore begins a restore into a new task.
func NewRestore(cfg Config) *Restore {
	return &Restore{d: New(cfg), values: map[string][]byte{}}
}

// Load takes in one record of the state topic, in the order of the log.
func (r *Restore) Load(key, value []byte) (err error) {
	switch {
	case string(key) == checkpointKey:
		r.checkpoint, err = decodeCheckpoint(value)
	case value == nil:
		delete(r.values, string(key))
	default:
		r.values[string(key)] = value
	}
	return err
}

// Begin returns the task as of its checkpoint, and the offset of weir.partials
// to go on from: start, if there is no checkpoint.
func (r *Restore) Begin(start int64) (*Task, int64, error) {
	d, c := r.d, r.checkpoint
	if c == nil {
		d.offset = start
		return d, start, nil
	}
	for key, value := range r.values {
		if err := d.load(key, value); err != nil {
			return nil, 0, err
		}
	}
	r.values = nil
	d.watermark.SetTopics(c.topics)
	for _, p := range c.progress {
		d.watermark.Advance(p)
	}
	d.done, d.offset, d.history, d.reported = c.Done, c.Offset, c.history, c.Done
	d.report.Done = c.Done
	if len(c.history) > 0 {
		d.replay = c
		d.offset, d.done = c.Replay, c.history[0].Done
	}
	return d, d.offset, nil
}

// load takes over one identity as it was last written.
func (d *Task) load(key string, value []byte) error {
	if kind, ok := strings.CutPrefix(key, factsPrefix); ok {
		if d.facts == nil {
			return nil // turned off since
		}
		return d.facts.register.Load(kind, value)
	}
	name, rest, ok := strings.Cut(key, "\x00")
	dim, known := d.dims[name]
	if !ok || !known {
		d.stats.Unknown++ // a dimension that was taken out of the configuration
		return nil
	}
	id := d.identity(append([]byte{byte(dim)}, rest...))
	if err := d.decodeIdentity(id, value); err != nil {
		return fmt.Errorf("reading the state of %s %q: %w", name, rest, err)
	}
	if id.open {
		d.active[id.bin] = append(d.active[id.bin], id)
	}
	if id.isHot {
		d.hot = append(d.hot, id)
	}
	d.sleep(id, value)
	return nil
}

// repeat closes, while catching up, what had been closed when all records
// before offset were applied, and ends the replay at the checkpoint.
func (d *Task) repeat(offset int64) error {
	c := d.replay
	for _, a := range c.history {
		if a.Offset > offset {
			break
		}
		if a.Done > d.done && d.closeTo(a.Done) {
			return fmt.Errorf("restoring: no parameters of bin %d: weir.parameters does not go with weir.state (see weir reset)",
				d.cfg.Grid.BinOfTick(d.done+1)-1)
		}
	}
	if offset >= c.Offset {
		if d.done != c.Done {
			return fmt.Errorf("restoring: came to tick %d, the checkpoint stands at %d: weir.partials does not go with weir.state (see weir reset)", d.done, c.Done)
		}
		d.replay = nil
	}
	return nil
}

// Resume begins the catching up of a restored task, once the parameters have
// been set. It does all of it where no record has to be read again.
func (d *Task) Resume() error {
	if d.replay == nil {
		return nil
	}
	return d.repeat(d.offset)
}

// Restoring reports whether the task is still catching up.
func (d *Task) Restoring() bool { return d.replay != nil }
