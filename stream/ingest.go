package stream

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/sketches"
)

// Outcome says what became of one event at ingest.
type Outcome uint8

// The outcomes. Only Future and Expired count nowhere else than in metrics.
const (
	Counted Outcome = iota // an access, on time
	Late                   // an access, later than the lateness; still counted
	Fact                   // no access; moves progress only
	Future                 // dated too far past its record's own timestamp; rejected
	Expired                // older than the retention; nothing could count it
	NumOutcomes
)

var outcomeNames = [NumOutcomes]string{"counted", "late", "fact", "future", "expired"}

func (o Outcome) String() string { return outcomeNames[o] }

// IngestConfig is what an ingest task needs to know. Times are in ms.
type IngestConfig struct {
	Grid       Grid
	Dimensions []event.Dimension
	Hasher     event.Hasher
	Partitions int32 // of weir.partials
	Lateness   int64
	Future     int64 // how far past its record's timestamp an event may be dated
	Retention  int64
}

// Ingest folds events into partials: one per identity and tick since the last
// flush. Between flushes that are committed it keeps nothing but the progress
// of its sources, so there is nothing to restore and a crash loses nothing.
type Ingest struct {
	cfg     IngestConfig
	names   []string
	sources map[Source]*sourceState
	byKey   map[string]*accumulator
	dirty   []*accumulator
	entries int // record entries held, the bulk of the memory
	key     []byte
	hashes  []uint64
	out     [][]byte // per partition: partials encoded so far
}

// sourceState is the progress of one source partition: as folded so far and as
// of the last commit.
type sourceState struct {
	now, committed Progress
}

// accumulator gathers what one identity did since the last flush.
type accumulator struct {
	key       string // dimension byte, identity
	partition int32
	idle      uint8 // flushes since it was last used
	ticks     []tickCount
}

// tickCount is the open partial of one identity and tick.
type tickCount struct {
	tick, apply int64
	events      int64
	rows        Rows
	entries     []sketches.Entry
	window      sketches.Window // takes the entries over once there are many
}

// foldEntries is how many entries a partial gathers before they are folded
// into its window, which bounds the memory of one hot identity.
const foldEntries = 4096

// maxBatch is the size past which a record on weir.partials is closed, and
// ticksPerGroup how many ticks of one identity go into it in one piece, so that
// the record stays below the 1 MiB that brokers accept by default.
const (
	maxBatch      = 600_000
	ticksPerGroup = 8
)

// NewIngest returns an ingest task without sources.
func NewIngest(cfg IngestConfig) *Ingest {
	in := &Ingest{
		cfg:     cfg,
		sources: map[Source]*sourceState{},
		byKey:   map[string]*accumulator{},
		out:     make([][]byte, cfg.Partitions),
	}
	for _, d := range cfg.Dimensions {
		in.names = append(in.names, d.Name)
	}
	return in
}

// Assign adds a source partition at the progress of its last commit (MaxTime
// is never when there was none).
func (in *Ingest) Assign(p Progress) { in.sources[p.Source] = &sourceState{p, p} }

// NoProgress is the progress of a source partition that was never read.
func NoProgress(s Source, offset int64) Progress {
	return Progress{Source: s, Offset: offset, MaxTime: never}
}

// Revoke removes a source partition. What it had folded since the last commit
// must be dropped with Abort by the caller, if it was not committed.
func (in *Ingest) Revoke(s Source) { delete(in.sources, s) }

// Progress returns the progress of all assigned sources, sorted.
func (in *Ingest) Progress() []Progress {
	out := make([]Progress, 0, len(in.sources))
	for _, s := range in.sources {
		out = append(out, s.now)
	}
	slices.SortFunc(out, func(a, b Progress) int { return a.Source.Compare(b.Source) })
	return out
}

// Read marks a record of a source as read: what it held has been folded or
// rejected. It also wakes an idle source.
func (in *Ingest) Read(s Source, next int64) {
	st := in.sources[s]
	st.now.Offset = next
	st.now.Idle = false
}

// SetIdle declares a source idle, or not.
func (in *Ingest) SetIdle(s Source, idle bool) { in.sources[s].now.Idle = idle }

// Fold counts one event of a source. stamp is the timestamp of the Kafka
// record that held it (for files, the start of the process), in ms.
func (in *Ingest) Fold(s Source, stamp int64, ev *event.Event) Outcome {
	if ev.Time > stamp+in.cfg.Future {
		return Future
	}
	st := in.sources[s]
	complete := int64(never) // up to which this source was taken as complete
	if st.now.MaxTime != never {
		complete = st.now.MaxTime - in.cfg.Lateness
		if ev.Time < st.now.MaxTime-in.cfg.Retention {
			return Expired
		}
	}
	st.now.MaxTime = max(st.now.MaxTime, ev.Time)
	if !ev.Action.Access() {
		return Fact
	}
	tick := in.cfg.Grid.TickOf(ev.Time)
	apply, outcome := tick, Counted
	if ev.Time < complete {
		// Not before the tick that holds its source's completeness: no detect
		// task has closed that one yet, whatever other sources do.
		apply, outcome = max(tick, in.cfg.Grid.TickOf(complete)), Late
	}
	in.hashes = in.hashes[:0]
	for _, id := range ev.Records {
		in.hashes = append(in.hashes, in.cfg.Hasher.Hash(id))
	}
	rows, rowID := int64(0), uint64(0)
	if ev.Rows > int64(len(ev.Records)) {
		rows = ev.Rows - int64(len(ev.Records))
		if ev.ID != "" {
			rowID = in.cfg.Hasher.Hash(ev.ID) | 1
		}
	}
	minute := uint32(ev.Time / 60_000)
	for i, d := range in.cfg.Dimensions {
		in.key = append(in.key[:0], byte(i))
		var ok bool
		if in.key, ok = d.AppendIdentity(in.key, ev, in.cfg.Hasher); !ok {
			continue
		}
		c := in.count(tick, apply)
		c.events++
		if rows > 0 {
			c.rows.Add(rowID, rows)
		}
		for _, h := range in.hashes {
			c.entries = append(c.entries, sketches.NewEntry(h, minute))
		}
		in.entries += len(in.hashes)
		if len(c.entries) >= foldEntries {
			in.entries -= len(c.entries)
			c.fold()
		}
	}
	return outcome
}

// count returns the open partial of the identity in in.key.
func (in *Ingest) count(tick, apply int64) *tickCount {
	a := in.byKey[string(in.key)]
	if a == nil {
		a = &accumulator{key: string(in.key), partition: int32(partitionOf(in.key) % uint64(in.cfg.Partitions))}
		in.byKey[a.key] = a
	}
	if len(a.ticks) == 0 {
		in.dirty = append(in.dirty, a)
	}
	for i := len(a.ticks) - 1; i >= 0; i-- {
		if c := &a.ticks[i]; c.tick == tick && c.apply == apply {
			return c
		}
	}
	if len(a.ticks) < cap(a.ticks) { // take up the memory of an earlier flush
		a.ticks = a.ticks[:len(a.ticks)+1]
	} else {
		a.ticks = append(a.ticks, tickCount{})
	}
	c := &a.ticks[len(a.ticks)-1]
	*c = tickCount{tick: tick, apply: apply, entries: c.entries[:0], window: sketches.New(sketches.PartialPrecision)}
	return c
}

func (c *tickCount) fold() {
	c.window.InsertAll(c.entries)
	c.entries = c.entries[:0]
}

// partitionOf spreads identities over the partitions of weir.partials. The
// function is part of the state's version: FNV-1a of dimension byte and name.
func partitionOf(key []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range key {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h ^ h>>32
}

// Pending reports how many record entries and identities wait for the next
// flush; a caller flushes early when they grow too many.
func (in *Ingest) Pending() (entries, identities int) { return in.entries, len(in.dirty) }

// Flush hands out what was counted since the last flush, as records of
// weir.partials: at least one to each partition, so that all of them learn the
// progress. Flushed is not committed: Commit or Abort must follow.
func (in *Ingest) Flush(topics []Topic, emit func(partition int32, value []byte)) {
	progress := in.Progress()
	header := appendBatchHeader(nil, in.names, nil, nil)
	for i := range in.out {
		in.out[i] = in.out[i][:0]
	}
	for _, a := range in.dirty {
		p := a.partition
		slices.SortFunc(a.ticks, func(x, y tickCount) int {
			return cmp.Or(cmp.Compare(x.tick, y.tick), cmp.Compare(x.apply, y.apply))
		})
		for group := range slices.Chunk(a.ticks, ticksPerGroup) {
			if len(in.out[p]) > maxBatch {
				emit(p, slices.Concat(header, in.out[p]))
				in.out[p] = in.out[p][:0]
			}
			in.out[p] = appendGroup(in.out[p], a.key, group)
		}
		a.ticks = a.ticks[:0]
		a.idle = 0
	}
	in.entries = 0
	in.dirty = in.dirty[:0]
	header = appendBatchHeader(header[:0], in.names, topics, progress)
	for p, body := range in.out {
		emit(int32(p), slices.Concat(header, body))
	}
	in.forget()
}

// appendGroup writes some ticks of one identity.
func appendGroup(b []byte, key string, ticks []tickCount) []byte {
	b = binary.AppendUvarint(b, uint64(key[0]))
	b = appendString(b, key[1:])
	b = binary.AppendUvarint(b, uint64(len(ticks)))
	for i := range ticks {
		c := &ticks[i]
		c.fold()
		b = binary.AppendVarint(b, c.tick)
		b = binary.AppendUvarint(b, uint64(c.apply-c.tick))
		b = binary.AppendUvarint(b, uint64(c.events))
		b = c.rows.append(b)
		b = c.window.AppendBinary(b)
	}
	return b
}

// forget drops accumulators that many flushes have not used.
func (in *Ingest) forget() {
	const keep = 16
	for k, a := range in.byKey {
		if a.idle++; a.idle > keep {
			delete(in.byKey, k)
		}
	}
}

// Commit makes the flushed progress the one to return to.
func (in *Ingest) Commit() {
	for _, s := range in.sources {
		s.committed = s.now
	}
}

// Abort drops everything since the last commit; the sources are read again
// from there.
func (in *Ingest) Abort() {
	for _, a := range in.dirty {
		a.ticks = a.ticks[:0]
	}
	in.dirty = in.dirty[:0]
	in.entries = 0
	for _, s := range in.sources {
		s.now = s.committed
	}
}
