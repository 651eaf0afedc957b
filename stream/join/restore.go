package join

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// checkpointKey is the key of the checkpoint in the state; see tokenKeyPrefix.
const checkpointKey = "c"

// checkpoint is where a join task stands.
type checkpoint struct {
	done, offset, replay int64
	limit                uint64
	since                int64
	issues               []int64
	busy                 fact.Busy
	closes               []stream.Advance // what a restore repeats
	topics               []stream.Topic
	progress             []stream.Progress
}

// Checkpoint returns the change that records where the task stands, to be
// written with what Take handed out.
func (j *Task) Checkpoint() stream.Change {
	replay := j.log.From(j.oldest(), j.offset)
	b := wire.AppendVarints([]byte{stream.StateVersion}, j.done, j.offset, replay, j.logins.First)
	b = binary.LittleEndian.AppendUint64(b, j.tokens.limit)
	b = binary.AppendUvarint(b, uint64(len(j.logins.Issues)))
	b = wire.AppendVarints(b, j.logins.Issues...)
	b = wire.AppendVarints(b, j.logins.Busy.Hour)
	b = append(b, j.logins.Busy.Ticks[:]...)
	b = stream.AppendAdvances(b, j.log.Closes())
	topics, progress := j.watermark.Snapshot()
	return stream.Change{Key: []byte(checkpointKey), Value: stream.AppendProgress(stream.AppendTopics(b, topics), progress)}
}

func decodeCheckpoint(value []byte) (*checkpoint, error) {
	r := wire.NewReader(value)
	r.Version(stream.StateVersion)
	c := &checkpoint{done: r.Varint(), offset: r.Varint(), replay: r.Varint(), since: r.Varint(), limit: r.Uint64()}
	c.issues = wire.List(&r, r.Varint)
	c.busy.Hour = r.Varint()
	for i := range c.busy.Ticks {
		c.busy.Ticks[i] = r.Byte()
	}
	c.closes = stream.ReadAdvances(&r)
	c.topics, c.progress = stream.ReadTopics(&r), stream.ReadProgress(&r)
	if r.Err() != nil {
		return nil, fmt.Errorf("reading the checkpoint of the join: %w", r.Err())
	}
	return c, nil
}

// Restore rebuilds a join task from its state topic: Load every record of
// the partition, in the order of the log, then Begin, and Apply weir.sessions
// from the offset that Begin returned.
type Restore struct {
	j          *Task
	checkpoint *checkpoint
}

// NewRestore begins a restore into a new task.
func NewRestore(cfg Config) *Restore { return &Restore{j: New(cfg)} }

// Load takes in one record of the state topic; a nil value is a tombstone.
func (r *Restore) Load(key, value []byte) (err error) {
	if string(key) == checkpointKey {
		r.checkpoint, err = decodeCheckpoint(value)
		return err
	}
	return r.j.tokens.load(key, value)
}

// Begin returns the task as of its checkpoint, the offset of weir.sessions to
// go on from, and the first offset that it has not seen. start is where the log
// begins; of what was deleted before it, only tokens that were waiting are lost.
func (r *Restore) Begin(start int64) (j *Task, from, unseen int64) {
	j, c := r.j, r.checkpoint
	if c == nil {
		j.offset = start
		return j, start, start
	}
	j.watermark.SetTopics(c.topics)
	for _, p := range c.progress {
		j.watermark.Advance(p)
	}
	j.done, j.taken, j.log = c.done, c.done, stream.RestoredLog(c.closes)
	j.tokens.limit, j.logins.First, j.logins.Issues, j.logins.Busy = c.limit, c.since, c.issues, c.busy
	from = max(c.replay, start)
	j.offset = from
	if from < c.offset {
		j.replay = c
	}
	return j, from, c.offset
}
