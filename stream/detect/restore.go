package detect

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// A state record's key is the name of the dimension, a zero byte and the
// identity; the checkpoint of the partition stands under the empty name.
const checkpointKey = "\x00checkpoint"

// factsPrefix begins the keys of the records of the facts' register. No dimension
// has an empty name, so they stand apart from identities.
const factsPrefix = "\x00facts\x00"

// stateKey turns the key of an identity into that of its state record.
func (d *Task) stateKey(key string) []byte {
	dim := d.cfg.Dimensions[key[0]]
	b := make([]byte, 0, len(dim)+len(key))
	return append(append(append(b, dim...), 0), key[1:]...)
}

// Checkpoint is where a detect task stands: written with every commit, so that
// a task that takes the partition over knows what to load and to replay.
type Checkpoint struct {
	Done   int64 // last closed tick, reported
	Offset int64 // next offset of weir.partials
	// Replay is the offset from which weir.partials must be read again, so
	// that identities not written lately catch up.
	Replay int64

	closes   []stream.Advance // what a restore repeats
	topics   []stream.Topic
	progress []stream.Progress
}

// Checkpoint returns the change that records where the task stands; nothing
// may be left to Advance or to Take.
func (d *Task) Checkpoint() stream.Change {
	b := []byte{stream.StateVersion}
	b = binary.AppendVarint(b, d.done)
	b = binary.AppendVarint(b, d.offset)
	b = binary.AppendVarint(b, d.log.From(d.snapshots.oldest(d.done), d.offset))
	b = stream.AppendAdvances(b, d.log.Closes())
	topics, progress := d.watermark.Snapshot()
	b = stream.AppendTopics(b, topics)
	b = stream.AppendProgress(b, progress)
	return stream.Change{Key: []byte(checkpointKey), Value: b}
}

func decodeCheckpoint(value []byte) (*Checkpoint, error) {
	r := wire.NewReader(value)
	r.Version(stream.StateVersion)
	c := &Checkpoint{Done: r.Varint(), Offset: r.Varint(), Replay: r.Varint()}
	c.closes = stream.ReadAdvances(&r)
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
		// A part of a record would keep all that was fetched with it.
		r.values[string(key)] = slices.Clone(value)
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
		delete(r.values, key)
	}
	if len(d.tails) > 0 {
		d.people.list()
	}
	d.watermark.SetTopics(c.topics)
	for _, p := range c.progress {
		d.watermark.Advance(p)
	}
	d.done, d.offset, d.reported = c.Done, c.Offset, c.Done
	d.log = stream.RestoredLog(c.closes)
	d.report.Done = c.Done
	if len(c.closes) > 0 {
		d.replay = c
		d.offset, d.done = c.Replay, c.closes[0].Done
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
	if name, ok := strings.CutPrefix(key, tailPrefix); ok {
		return d.loadTail(name, value)
	}
	name, rest, ok := strings.Cut(key, "\x00")
	dim, known := d.dims[name]
	if !ok || !known {
		d.stats.Unknown++ // a dimension that was taken out of the configuration
		return nil
	}
	id := d.people.get(append([]byte{byte(dim)}, rest...))
	if err := id.decode(d.cfg.Grid, value); err != nil {
		return fmt.Errorf("reading the state of %s %q: %w", name, rest, err)
	}
	d.bins.restore(id)
	d.people.sleep(id, value)
	return nil
}

// repeat closes, while catching up, what had been closed when all records
// before offset were applied, and ends the replay at the checkpoint.
func (d *Task) repeat(offset int64) error {
	c := d.replay
	for _, a := range c.closes {
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
