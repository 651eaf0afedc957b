package stream

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// finding is what was read, on behalf of one identity, through tokens that
// nobody issued, as found in one tick.
type finding struct {
	records sketches.Window
	tokens  []sketches.Entry // only those that count for its dimension
}

// find counts a read through a token that nobody issued, the token in the tick in
// which it read.
func (j *Join) find(r *sessionTouch) {
	counted := none
	for _, dim := range j.first {
		if slices.ContainsFunc(r.who, func(i identityRef) bool { return i.dimension == dim }) {
			counted = dim
			break
		}
	}
	for _, who := range r.who {
		key := string(append([]byte{byte(who.dimension)}, who.name...))
		f := j.found[key]
		if f == nil {
			f = &finding{records: sketches.New(sketches.PartialPrecision)}
			j.found[key] = f
		}
		f.records.Merge(&r.records)
		if who.dimension == counted {
			f.tokens = append(f.tokens, sketches.NewEntry(r.token, eventtime.MinuteOf(j.cfg.Grid.TickStart(r.tick))))
		}
	}
}

// flush turns what was found in a tick into partials.
func (j *Join) flush(tick int64) {
	for _, key := range slices.Sorted(maps.Keys(j.found)) {
		f := j.found[key]
		partition := int32(partitionOf([]byte(key)) % uint64(j.cfg.Partitions))
		w := j.out[partition]
		w.group(w.name(key))
		w.add(&Partial{
			Dimension: int(key[0]), Tick: tick, Apply: tick,
			Unissued: f.records, UnissuedTokens: sketches.From(sketches.PartialPrecision, f.tokens),
		}, nil)
		if w.size() > maxBatch {
			j.ready = append(j.ready, Routed{partition, w.append(j.header(nil))})
		}
	}
	clear(j.found)
}

func (j *Join) header(progress []Progress) []byte {
	names := make([]string, len(j.cfg.Dimensions))
	for i, d := range j.cfg.Dimensions {
		names[i] = d.Name
	}
	return appendSignIns(appendBroadcast(appendBatchHeader(nil, names, nil, progress), nil, nil), nil)
}

// Take hands out what was found since the last call, as records of
// weir.partials, and the changes of the state, to be committed together with
// the Checkpoint; nothing as long as no tick was closed since. Every partition
// gets at least one record, so that all of them learn how far the join is.
func (j *Join) Take() ([]Routed, []Change) {
	if j.replay != nil || j.done == eventtime.Never || j.done == j.taken {
		return nil, nil
	}
	j.taken = j.done
	// As if the task were a source partition: a watermark of those that wait
	// for it comes to the one that it has itself.
	progress := []Progress{{
		Source: Source{j.cfg.Topic, j.cfg.Partition}, Offset: j.offset, MaxTime: j.mark + j.cfg.Lateness,
	}}
	out := j.ready
	j.ready = nil
	for p, w := range j.out {
		out = append(out, Routed{int32(p), w.append(j.header(progress))})
	}
	var changes []Change
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

func (j *Join) encodeToken(hash uint64) Change {
	key := binary.BigEndian.AppendUint64([]byte{tokenKeyPrefix}, hash)
	t, ok := j.tokens[hash]
	if !ok {
		return Change{Key: key}
	}
	value := wire.AppendVarints([]byte{byte(t.kind)}, int64(t.day))
	if t.kind == tokenEnded {
		value = wire.AppendVarints(value, int64(t.revoked))
	}
	return Change{key, value}
}

// joinCheckpoint is where a join task stands.
type joinCheckpoint struct {
	done, offset, replay int64
	limit                uint64
	since                int64
	issues               []int64
	history              advances
	topics               []Topic
	progress             []Progress
}

// oldest returns the first tick of which a restore needs the reads again.
func (j *Join) oldest() int64 {
	tick := j.done + 1
	for _, h := range j.held {
		tick = min(tick, h.from)
	}
	return tick
}

// trim forgets what no restore needs.
func (j *Join) trim() {
	oldest := j.oldest()
	for tick := range j.origin {
		if tick < oldest {
			delete(j.origin, tick)
		}
	}
	j.history = j.history.since(oldest)
}

// Checkpoint returns the change that records where the task stands, to be
// written with what Take handed out.
func (j *Join) Checkpoint() Change {
	replay := j.offset
	for _, offset := range j.origin {
		replay = min(replay, offset)
	}
	b := wire.AppendVarints([]byte{StateVersion}, j.done, j.offset, replay, j.since)
	b = binary.LittleEndian.AppendUint64(b, j.limit)
	b = binary.AppendUvarint(b, uint64(len(j.issues)))
	b = wire.AppendVarints(b, j.issues...)
	b = j.history.append(b)
	topics, progress := j.watermark.Snapshot()
	return Change{[]byte(joinCheckpointKey), appendProgress(appendTopics(b, topics), progress)}
}

func decodeJoinCheckpoint(value []byte) (*joinCheckpoint, error) {
	r := wire.NewReader(value)
	r.Version(StateVersion)
	c := &joinCheckpoint{done: r.Varint(), offset: r.Varint(), replay: r.Varint(), since: r.Varint(), limit: r.Uint64()}
	c.issues = wire.List(&r, r.Varint)
	c.history = readAdvances(&r)
	c.topics, c.progress = readTopics(&r), readProgress(&r)
	if r.Err() != nil {
		return nil, fmt.Errorf("reading the checkpoint of the join: %w", r.Err())
	}
	return c, nil
}

// JoinRestore rebuilds a join task from its state topic: Load every record of
// the partition, in the order of the log, then Begin, and Apply weir.sessions
// from the offset that Begin returned.
type JoinRestore struct {
	j          *Join
	checkpoint *joinCheckpoint
}

// NewJoinRestore begins a restore into a new task.
func NewJoinRestore(cfg JoinConfig) *JoinRestore { return &JoinRestore{j: NewJoin(cfg)} }

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
func (r *JoinRestore) Begin(start int64) (j *Join, from, unseen int64) {
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
