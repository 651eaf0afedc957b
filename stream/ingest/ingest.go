package ingest

import (
	"slices"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
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

// Config is what an ingest task needs to know. Times are in ms.
type Config struct {
	Grid       eventtime.Grid
	Dimensions []event.Dimension
	Hasher     event.Hasher
	Partitions int32 // of weir.partials
	Lateness   int64
	Future     int64 // how far past its record's timestamp an event may be dated
	Retention  int64
	// SessionsTopic is the name under which the join of tokens reports its
	// progress, or empty: there is no join, and nothing is sent to it.
	SessionsTopic string
}

// Worker folds events into partials: one per identity and tick since the last
// flush. Between flushes that are committed it keeps nothing but the progress
// of its sources, so there is nothing to restore and a crash loses nothing.
type Worker struct {
	cfg     Config
	names   []string
	sources map[stream.Source]*sourceState
	byKey   map[string]*accumulator
	dirty   []*accumulator // with something to flush
	counts  []tickCount    // of the dirty ones
	// The touches of all counts as they came: entries[i] belongs to
	// counts[owners[i]]. One log for all costs far less than a list for each,
	// since most of them stay tiny.
	owners  []int32
	entries []sketches.Entry
	flushes int64
	key     []byte
	hashes  []uint64
	sorted  []sketches.Entry // entries by owner
	fellows []int32          // by dimension: the count of the event in hand, or absent
	traits  traitLists       // of the counts
	writer  *stream.PartialWriter
	records int64     // begun by writer
	parting [][]int32 // scratch: places in dirty by partition
	refs    []stream.TraitRef
	told    broadcast // to every partition with the next flush
	signed  signIns   // to the partition of each account with the next flush
	tokens  sessions  // for weir.sessions with the next flush
}

// sourceState is the progress of one source partition: as folded so far and as
// of the last commit.
type sourceState struct {
	now, committed stream.Progress
}

// accumulator gathers what one identity did since the last flush.
type accumulator struct {
	key       string // dimension byte, identity
	hash      uint64 // nameHash of the identity
	partition int32
	place     int32   // in dirty
	used      int64   // the flush that it was last used in
	ticks     []int32 // its counts
	written   int64   // the record that last named it,
	reference int32   // and how
}

// tickCount is the open partial of one identity and tick, without its touches.
type tickCount struct {
	tick, apply int64
	events      int64
	owner       int32      // place of its accumulator
	end         int32      // after its touches in sorted; until Flush, their number
	rare        *rareCount // nil: none of it
}

// rareCount is the part of an open partial that few have.
type rareCount struct {
	rows        stream.Rows
	destructive []sketches.Entry
	tokens      []uint32 // of subjects, once their traits are more than are kept; nil before
	unique      int      // tokens when repeats were last removed
}

func (c *tickCount) rarely() *rareCount {
	if c.rare == nil {
		c.rare = &rareCount{}
	}
	return c.rare
}

// New returns an ingest task without sources.
func New(cfg Config) *Worker {
	in := &Worker{
		cfg:     cfg,
		sources: map[stream.Source]*sourceState{},
		byKey:   map[string]*accumulator{},
		fellows: make([]int32, len(cfg.Dimensions)),
	}
	for _, d := range cfg.Dimensions {
		in.names = append(in.names, d.Name)
	}
	in.signed = signIns{dimension: stream.OnlyField(cfg.Dimensions, "actor"), lists: make([][]stream.SignIn, cfg.Partitions), seen: map[stream.SignIn]bool{}}
	l := newLayout(cfg.Grid, cfg.Dimensions)
	in.traits.dimensions = len(in.names)
	in.writer = stream.NewPartialWriter(l, len(in.names))
	in.records = 1
	return in
}

// Assign adds a source partition at the progress of its last commit (MaxTime
// is never when there was none).
func (in *Worker) Assign(p stream.Progress) { in.sources[p.Source] = &sourceState{p, p} }

// NoProgress is the progress of a source partition that was never read.
func NoProgress(s stream.Source, offset int64) stream.Progress {
	return stream.Progress{Source: s, Offset: offset, MaxTime: eventtime.Never}
}

// Revoke removes a source partition. What it had folded since the last commit
// must be dropped with Abort by the caller, if it was not committed.
func (in *Worker) Revoke(s stream.Source) { delete(in.sources, s) }

// Progress returns the progress of all assigned sources, sorted.
func (in *Worker) Progress() []stream.Progress {
	out := make([]stream.Progress, 0, len(in.sources))
	for _, s := range in.sources {
		out = append(out, s.now)
	}
	slices.SortFunc(out, func(a, b stream.Progress) int { return a.Source.Compare(b.Source) })
	return out
}

// Read marks a record of a source as read: what it held has been folded or
// rejected.
func (in *Worker) Read(s stream.Source, next int64) { in.sources[s].now.Offset = next }

// At returns the progress of an assigned source.
func (in *Worker) At(s stream.Source) stream.Progress { return in.sources[s].now }

// SetIdle declares a source idle, or not.
func (in *Worker) SetIdle(s stream.Source, idle bool) { in.sources[s].now.Idle = idle }

// Fold counts one event of a source. stamp is the timestamp of the Kafka
// record that held it (for files, the start of the process), in ms.
func (in *Worker) Fold(s stream.Source, stamp int64, ev *event.Event) Outcome {
	if ev.Time > stamp+in.cfg.Future {
		return Future
	}
	st := in.sources[s]
	complete := int64(eventtime.Never) // up to which this source was taken as complete
	if st.now.MaxTime != eventtime.Never {
		complete = st.now.MaxTime - in.cfg.Lateness
		if ev.Time < st.now.MaxTime-in.cfg.Retention {
			return Expired
		}
	}
	if ev.Time > st.now.MaxTime {
		st.now.MaxTime, st.now.Idle = ev.Time, false
	}
	tick := in.cfg.Grid.TickOf(ev.Time)
	apply, outcome := tick, Counted
	if ev.Time < complete {
		// Not before the tick that holds its source's completeness: no detect
		// task has closed that one yet, whatever other sources do.
		apply, outcome = max(tick, in.cfg.Grid.TickOf(complete)), Late
	}
	in.told.activeSource(s.Topic, apply)
	if !ev.Action.Access() {
		in.fact(ev, apply)
		return Fact
	}
	in.access(ev, tick, apply)
	return outcome
}

// access counts an access for each of its identities.
func (in *Worker) access(ev *event.Event, tick, apply int64) {
	in.told.activeSource(fact.RecordsTouched, apply)
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
	minute := eventtime.MinuteOf(ev.Time)
	for i, d := range in.cfg.Dimensions {
		in.fellows[i] = absent
		in.key = append(in.key[:0], byte(i))
		var ok bool
		if in.key, ok = d.AppendIdentity(in.key, ev, in.cfg.Hasher); !ok {
			continue
		}
		at := in.count(tick, apply)
		in.fellows[i] = at
		c := &in.counts[at]
		c.events++
		if rows > 0 {
			c.rarely().rows.Add(rowID, rows)
		}
		for _, h := range in.hashes {
			in.owners = append(in.owners, at)
			in.entries = append(in.entries, sketches.NewEntry(h, minute))
		}
		c.end += int32(len(in.hashes))
		if ev.Action.Destroys() {
			in.destroyed(c)
		}
	}
	in.meet(ev)
	in.sessionRead(ev, tick, apply, minute)
}

// destroyed notes the records in hand as updated or deleted.
func (in *Worker) destroyed(c *tickCount) {
	r, start := c.rarely(), in.writer.StartMinute(c.tick)
	for _, h := range in.hashes {
		r.destructive = append(r.destructive, sketches.NewEntry(h, start))
	}
}

// count returns the index of the open partial of the identity in in.key.
func (in *Worker) count(tick, apply int64) int32 {
	a := in.byKey[string(in.key)]
	if a == nil {
		a = &accumulator{
			key: string(in.key), hash: trait.NameHash(in.key[1:]),
			partition: int32(stream.PartitionOf(in.key) % uint64(in.cfg.Partitions)),
		}
		in.byKey[a.key] = a
	}
	if len(a.ticks) == 0 {
		a.place = int32(len(in.dirty))
		in.dirty = append(in.dirty, a)
	}
	for i := len(a.ticks) - 1; i >= 0; i-- { // the latest is the likeliest
		at := a.ticks[i]
		if c := &in.counts[at]; c.tick == tick && c.apply == apply {
			return at
		}
	}
	at := int32(len(in.counts))
	in.counts = append(in.counts, tickCount{tick: tick, apply: apply, owner: a.place})
	in.traits.grow()
	a.ticks = append(a.ticks, at)
	return at
}

// Pending reports how many record entries and identities wait for the next
// flush; a caller flushes early when they grow too many.
func (in *Worker) Pending() (entries, identities int) {
	return len(in.entries) + in.tokens.entries + len(in.signed.seen), len(in.dirty)
}

// drop empties what was gathered; the memory is used again.
func (in *Worker) drop() {
	for _, a := range in.dirty {
		a.ticks = a.ticks[:0]
	}
	clear(in.dirty)
	clear(in.counts) // they hold what is rare
	in.traits.drop()
	in.dirty, in.counts = in.dirty[:0], in.counts[:0]
	in.owners, in.entries = in.owners[:0], in.entries[:0]
	in.told.drop()
	in.signed.drop()
	in.tokens.drop()
}

// forget drops, now and then, accumulators that many flushes have not used.
func (in *Worker) forget() {
	const keep = 16
	if in.flushes++; in.flushes%keep != 0 {
		return
	}
	for k, a := range in.byKey {
		if a.used < in.flushes-keep {
			delete(in.byKey, k)
		}
	}
}

// Commit makes the flushed progress the one to return to.
func (in *Worker) Commit() {
	for _, s := range in.sources {
		s.committed = s.now
	}
}

// Abort drops everything since the last commit; the sources are read again
// from there.
func (in *Worker) Abort() {
	in.drop()
	for _, s := range in.sources {
		s.now = s.committed
	}
}
