package join

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// finding is what was read, on behalf of one identity, through tokens that
// nobody issued, as found in one tick.
type finding struct {
	records sketches.Window
	tokens  []sketches.Entry // only those that count for its dimension
}

// find counts a read through a token that nobody issued, the token in the tick in
// which it read.
func (j *Task) find(r *stream.SessionTouch) {
	counted := stream.NoDimension
	for _, dim := range j.first {
		if slices.ContainsFunc(r.Who, func(i stream.IdentityRef) bool { return i.Dimension == dim }) {
			counted = dim
			break
		}
	}
	for _, who := range r.Who {
		key := string(append([]byte{byte(who.Dimension)}, who.Name...))
		f := j.found[key]
		if f == nil {
			f = &finding{records: sketches.New(sketches.PartialPrecision)}
			j.found[key] = f
		}
		f.records.Merge(&r.Records)
		if who.Dimension == counted {
			f.tokens = append(f.tokens, sketches.NewEntry(r.Token, eventtime.MinuteOf(j.cfg.Grid.TickStart(r.Tick))))
		}
	}
}

// flush turns what was found in a tick into partials.
func (j *Task) flush(tick int64) {
	for _, key := range slices.Sorted(maps.Keys(j.found)) {
		f := j.found[key]
		partition := int32(stream.PartitionOf([]byte(key)) % uint64(j.cfg.Partitions))
		w := j.out[partition]
		w.Group(w.Name(key))
		w.Add(&stream.Partial{
			Dimension: int(key[0]), Tick: tick, Apply: tick,
			Unissued: f.records, UnissuedTokens: sketches.From(sketches.PartialPrecision, f.tokens),
		}, nil)
		if w.Size() > stream.MaxBatch {
			j.ready = append(j.ready, Routed{partition, w.Append(j.header(nil))})
		}
	}
	clear(j.found)
}

func (j *Task) header(progress []stream.Progress) []byte {
	names := make([]string, len(j.cfg.Dimensions))
	for i, d := range j.cfg.Dimensions {
		names[i] = d.Name
	}
	return stream.AppendSignIns(stream.AppendBroadcast(stream.AppendBatchHeader(nil, names, nil, progress), nil, nil), nil)
}

// Take hands out what was found since the last call, as records of
// weir.partials, and the changes of the state, to be committed together with
// the Checkpoint; nothing as long as no tick was closed since. Every partition
// gets at least one record, so that all of them learn how far the join is.
func (j *Task) Take() ([]Routed, []stream.Change) {
	if j.replay != nil || j.done == eventtime.Never || j.done == j.taken {
		return nil, nil
	}
	j.taken = j.done
	// As if the task were a source partition: a watermark of those that wait
	// for it comes to the one that it has itself.
	progress := []stream.Progress{{
		Source: stream.Source{Topic: j.cfg.Topic, Partition: j.cfg.Partition}, Offset: j.offset, MaxTime: j.mark + j.cfg.Lateness,
	}}
	out := j.ready
	j.ready = nil
	for p, w := range j.out {
		out = append(out, Routed{int32(p), w.Append(j.header(progress))})
	}
	var changes []stream.Change
	for _, hash := range slices.Sorted(maps.Keys(j.changed)) {
		changes = append(changes, j.encodeToken(hash))
	}
	clear(j.changed)
	return out, changes
}

// Keys of the join's state: a letter, and the token's hash.
const (
	joinCheckpointKey = "c"
	tokenKeyPrefix    = 't'
)

func (j *Task) encodeToken(hash uint64) stream.Change {
	key := binary.BigEndian.AppendUint64([]byte{tokenKeyPrefix}, hash)
	t, ok := j.tokens[hash]
	if !ok {
		return stream.Change{Key: key}
	}
	value := wire.AppendVarints([]byte{byte(t.kind)}, int64(t.day))
	if t.kind == tokenEnded {
		value = wire.AppendVarints(value, int64(t.revoked))
	}
	return stream.Change{Key: key, Value: value}
}

// joinCheckpoint is where a join task stands.
type joinCheckpoint struct {
	done, offset, replay int64
	limit                uint64
	since                int64
	issues               []int64
	history              stream.Advances
	topics               []stream.Topic
	progress             []stream.Progress
}

// oldest returns the first tick of which a restore needs the reads again.
func (j *Task) oldest() int64 {
	tick := j.done + 1
	for _, h := range j.held {
		tick = min(tick, h.from)
	}
	return tick
}

// trim forgets what no restore needs.
func (j *Task) trim() {
	oldest := j.oldest()
	for tick := range j.origin {
		if tick < oldest {
			delete(j.origin, tick)
		}
	}
	j.history = j.history.Since(oldest)
}

// Checkpoint returns the change that records where the task stands, to be
// written with what Take handed out.
func (j *Task) Checkpoint() stream.Change {
	replay := j.offset
	for _, offset := range j.origin {
		replay = min(replay, offset)
	}
	b := wire.AppendVarints([]byte{stream.StateVersion}, j.done, j.offset, replay, j.since)
	b = binary.LittleEndian.AppendUint64(b, j.limit)
	b = binary.AppendUvarint(b, uint64(len(j.issues)))
	b = wire.AppendVarints(b, j.issues...)
	b = j.history.Append(b)
	topics, progress := j.watermark.Snapshot()
	return stream.Change{Key: []byte(joinCheckpointKey), Value: stream.AppendProgress(stream.AppendTopics(b, topics), progress)}
}

func decodeJoinCheckpoint(value []byte) (*joinCheckpoint, error) {
	r := wire.NewReader(value)
	r.Version(stream.StateVersion)
	c := &joinCheckpoint{done: r.Varint(), offset: r.Varint(), replay: r.Varint(), since: r.Varint(), limit: r.Uint64()}
	c.issues = wire.List(&r, r.Varint)
	c.history = stream.ReadAdvances(&r)
	c.topics, c.progress = stream.ReadTopics(&r), stream.ReadProgress(&r)
	if r.Err() != nil {
		return nil, fmt.Errorf("reading the checkpoint of the join: %w", r.Err())
	}
	return c, nil
}

// JoinRestore rebuilds a join task from its state topic: Load every record of
// the partition, in the order of the log, then Begin, and Apply weir.sessions
// from the offset that Begin returned.
type JoinRestore struct {
	j          *Task
	checkpoint *joinCheckpoint
}

// NewJoinRestore begins a restore into a new task.
func NewJoinRestore(cfg Config) *JoinRestore { return &JoinRestore{j: New(cfg)} }

// Load takes in one record of the state topic; a nil value is a tombstone.
func (r *JoinRestore) Load(key, value []byte) (err error) {
	if string(key) == joinCheckpointKey {
		r.checkpoint, err = decodeJoinCheckpoint(value)
		return err
	}
	if len(key) != 9 || key[0] != tokenKeyPrefix {
		return fmt.Errorf("reading the state of the join: %w", wire.ErrCorrupt)
	}
	hash := binary.BigEndian.Uint64(key[1:])
	if value == nil {
		delete(r.j.tokens, hash)
		return nil
	}
	in := wire.NewReader(value)
	t := token{kind: tokenStatus(in.Byte()), day: int32(in.Varint())}
	if t.kind == tokenEnded {
		t.revoked = int32(in.Varint())
	}
	if in.Err() == nil && t.kind > tokenEnded {
		in.Fail("unknown kind of token")
	}
	if in.Err() != nil {
		return fmt.Errorf("reading the state of the join: %w", in.Err())
	}
	r.j.tokens[hash] = t
	return nil
}

// Begin returns the task as of its checkpoint, the offset of weir.sessions to
// go on from, and the first offset that it has not seen. start is where the log
// begins; of what was deleted before it, only tokens that were waiting are lost.
func (r *JoinRestore) Begin(start int64) (j *Task, from, unseen int64) {
	j, c := r.j, r.checkpoint
	if c == nil {
		j.offset = start
		return j, start, start
	}
	j.watermark.SetTopics(c.topics)
	for _, p := range c.progress {
		j.watermark.Advance(p)
	}
	j.done, j.taken, j.history = c.done, c.done, c.history
	j.limit, j.since, j.issues = c.limit, c.since, c.issues
	from = max(c.replay, start)
	j.offset = from
	if from < c.offset {
		j.replay = c
	}
	return j, from, c.offset
}
