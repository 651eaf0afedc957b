package ingest

import (
	"slices"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/numbering"
	"github.com/weirhq/weir/stream"
)

// Outcome says what became of one event at ingest.
type Outcome uint8

// The outcomes. Only Expired counts nowhere else than in metrics.
const (
	Counted Outcome = iota // an access, on time
	Late                   // an access, later than the lateness; still counted
	Fact                   // no access; moves progress only
	Expired                // older than the retention; nothing could count it
	Ahead                  // dated far ahead of the events around it; counted at the time they have reached
	NumOutcomes

	// Waiting is no outcome: the event waits to be judged, and Decided tells of it
	// then. So is an event that was judged before its source was taken over.
	Waiting
)

var outcomeNames = [...]string{"counted", "late", "fact", "expired", "ahead", Waiting: "waiting"}

func (o Outcome) String() string { return outcomeNames[o] }

// Config is what an ingest task needs to know. Times are in ms.
type Config struct {
	Grid       eventtime.Grid
	Dimensions []event.Dimension
	Hasher     event.Hasher
	Partitions int32 // of weir.partials
	Lateness   int64
	Future     int64 // how far past its record's timestamp an event may be dated and yet be believed
	Retention  int64
	// SessionsTopic is the name under which the join of tokens reports its
	// progress, or empty: there is no join, and nothing is sent to it.
	SessionsTopic string
	Aliases       *alias.Table // whose each name is; nil: nobody has more than one. An event waits until it is complete for it
}

// Worker folds events into partials: one per identity and tick since the last
// flush. Between flushes that are committed it keeps nothing but the progress
// of its sources, and the few events that wait to be judged, which are read again; so
// there is nothing to restore and a crash loses nothing.
type Worker struct {
	// Decided is told what became of each event that waited, if it is not nil.
	Decided func(Decision)

	cfg       Config
	wall      int64    // Unix ms; eventtime.Never: events may be dated as they like
	names     []string // of the dimensions
	sources   sources
	partials  openPartials
	broadcast broadcast // to every partition with the next flush
	signed    signIns   // to the partition of each account with the next flush
	tokens    sessions  // for weir.sessions with the next flush
	records   recordWriter
	scratch   access
	key       []byte // scratch
}

// New returns an ingest task without sources.
func New(cfg Config) *Worker {
	minutes := stream.TickMinutes(cfg.Grid.TickMinutes())
	kinds := len(cfg.Dimensions) // of traits, names last
	if cfg.Aliases != nil {
		kinds++
	}
	in := &Worker{
		cfg: cfg, wall: eventtime.Never, sources: sources{},
		partials: openPartials{
			minutes: minutes, partitions: cfg.Partitions, dimensions: len(cfg.Dimensions), names: numbering.NewNames(),
			log: accessLog{kinds: kinds}, traits: traitLists{kinds: kinds},
		},
		signed:  newSignIns(stream.OnlyField(cfg.Dimensions, "actor"), cfg.Partitions),
		records: recordWriter{writer: stream.NewPartialWriter(minutes, kinds)},
		scratch: access{partials: make([]int32, kinds)},
	}
	for _, d := range cfg.Dimensions {
		in.names = append(in.names, d.Name)
	}
	if cfg.Aliases != nil {
		in.names = append(in.names, stream.NameTrait)
	}
	return in
}

// Now says what the wall clock shows, Unix ms, while further events are folded.
func (in *Worker) Now(wall int64) { in.wall = wall }

// Assign adds a source partition at the progress of its last commit (MaxTime
// is eventtime.Never when there was none).
func (in *Worker) Assign(p stream.Progress) { in.sources[p.Source] = newSource(p) }

// Revoke removes a source partition. What it had folded since the last commit
// must be dropped with Abort by the caller, if it was not committed.
func (in *Worker) Revoke(s stream.Source) { delete(in.sources, s) }

// Progress returns the progress of all assigned sources, sorted.
func (in *Worker) Progress() []stream.Progress { return in.sources.list() }

// Moved returns the progress of those sources that a restart would find elsewhere
// than the last commit has put them, sorted.
func (in *Worker) Moved() []stream.Progress {
	return slices.DeleteFunc(in.Progress(), func(p stream.Progress) bool {
		old := in.sources[p.Source].committed.progress()
		return p.Replay == old.Replay && p.Taken == old.Taken && p.MaxTime == old.MaxTime && p.Wants == old.Wants
	})
}

// Begin says that the next events of a source are of the record at an offset.
// appended is when the broker wrote the record by its own clock, Unix ms;
// eventtime.Never if that is not known.
func (in *Worker) Begin(s stream.Source, offset, appended int64) {
	in.sources[s].begin(offset, appended)
}

// Read marks a record of a source as read: what it held has been folded or
// rejected, or waits.
func (in *Worker) Read(s stream.Source, next int64) { in.sources[s].reading = position{offset: next} }

// At returns the progress of an assigned source.
func (in *Worker) At(s stream.Source) stream.Progress { return in.sources[s].progress() }

// SetIdle declares a source idle, or not.
func (in *Worker) SetIdle(s stream.Source, idle bool) { in.sources[s].idle = idle }

// Fold counts one event of a source. stamp is the timestamp of the Kafka
// record that held it (for files, the start of the process), in ms.
// It says that the event waits if the event, or one before it, is far ahead, or if the
// aliases are not complete for it. In the event, persons take the place of their names.
func (in *Worker) Fold(src stream.Source, stamp int64, ev *event.Event) Outcome {
	s := in.sources[src]
	at, judged := s.next()
	switch {
	case judged:
		return Waiting
	case len(s.waiting) == 0 && !s.ahead(ev.Time, s.appended, in.cfg.Lateness) && !in.impossible(&s.sourceState, ev.Time, stamp) && in.named(ev.Time):
		return in.take(s, ev)
	}
	s.waiting = append(s.waiting, waiting{at, s.appended, stamp, ev.Clone()})
	s.idle = false
	in.settle(s, false, 0)
	return Waiting
}

// take counts one event that is not far ahead, or that is believed.
func (in *Worker) take(s *sourceProgress, ev *event.Event) Outcome {
	apply, outcome := s.place(ev.Time, in.cfg.Grid, in.cfg.Lateness, in.cfg.Retention)
	if outcome == Expired {
		return Expired
	}
	in.count(s, ev, apply, ev.Time)
	if !ev.Action.Access() {
		return Fact
	}
	return outcome
}

// named reports whether it is known for good whose the names of an event time are.
func (in *Worker) named(at int64) bool { return at < in.cfg.Aliases.Complete() }

// count counts an event at the close of a tick. Whose its names are is decided as of an
// event time.
func (in *Worker) count(s *sourceProgress, ev *event.Event, apply, named int64) {
	name := in.cfg.Aliases.Apply(ev, named)
	in.broadcast.activeSource(s.source.Topic, apply)
	if ev.Action.Access() {
		in.access(ev, name, apply)
	} else {
		in.fact(ev, apply)
	}
}

// access counts an access for each of its identities, and for the token by which it
// came. name is that of who acted, where it is not the person's.
func (in *Worker) access(ev *event.Event, name string, apply int64) {
	in.broadcast.activeSource(fact.RecordsTouched, apply)
	a := in.hash(ev, apply)
	for i, d := range in.cfg.Dimensions {
		a.partials[i] = noPartial
		key, ok := d.AppendIdentity(append(in.key[:0], byte(i)), ev, in.cfg.Hasher)
		if in.key = key; ok {
			a.partials[i] = in.partials.of(key, a.tick, a.apply)
		}
	}
	if n := len(in.cfg.Dimensions); n < len(a.partials) {
		if a.partials[n] = noPartial; name != "" {
			in.key = append(append(in.key[:0], byte(n)), name...)
			a.partials[n] = in.partials.of(in.key, a.tick, a.apply)
		}
	}
	n := in.partials.count(a)
	switch {
	case in.cfg.SessionsTopic == "":
	case ev.Session == "":
		in.tokens.noToken()
	default:
		in.tokens.read(in.cfg.Hasher.HashSession(ev.Session), a, &in.partials.log, n)
	}
}

// hash returns an event as the partials count it. The result is good until the next
// call.
func (in *Worker) hash(ev *event.Event, apply int64) *access {
	a := &in.scratch
	a.tick, a.apply, a.minute = in.cfg.Grid.TickOf(ev.Time), apply, eventtime.MinuteOf(ev.Time)
	a.destroys, a.rows, a.rowsID = ev.Action.Destroys(), 0, 0
	a.records = a.records[:0]
	for _, id := range ev.Records {
		a.records = append(a.records, in.cfg.Hasher.Hash(id))
	}
	if ev.Rows > int64(len(ev.Records)) {
		a.rows = ev.Rows - int64(len(ev.Records))
		if ev.ID != "" {
			a.rowsID = in.cfg.Hasher.Hash(ev.ID) | 1
		}
	}
	return a
}

// fact takes in an event that touches no record. What is about a token goes to
// the join of its partition, what is about a person or a key to everybody; that
// somebody signed in to the account's partition.
func (in *Worker) fact(ev *event.Event, apply int64) {
	byToken := ev.Session != ""
	switch {
	case ev.Action == event.Login || ev.Action == event.Issue && byToken:
		in.signed.add(ev, in.cfg.Grid.TickOf(ev.Time), apply)
		if byToken {
			in.broadcast.activeSource(fact.TokensIssued, apply)
			in.tokenFact(ev, stream.TokenIssued, apply)
		}
	case ev.Action == event.Revoke && byToken:
		in.tokenFact(ev, stream.TokenRevoked, apply)
	case tellsOfLifecycle(ev):
		e := ev.Clone()
		in.broadcast.facts = append(in.broadcast.facts, stream.FactRecord{
			LifecycleEvent: fact.LifecycleEvent{Action: e.Action, Time: e.Time, Actor: e.Actor, Subject: e.Subject, KeyID: e.KeyID, SomeKeys: e.SomeKeys},
			Apply:          apply,
		})
	}
}

// tellsOfLifecycle reports whether an event tells of a person or a key, and not of a
// token or an access.
func tellsOfLifecycle(ev *event.Event) bool {
	byToken := ev.Session != "" && (ev.Action == event.Issue || ev.Action == event.Revoke)
	return !byToken && slices.Contains(lifecycle, ev.Action)
}

// lifecycle are the actions that a fact.LifecycleEvent can have.
var lifecycle = []event.Action{event.Join, event.Leave, event.Issue, event.Revoke, event.Retire}

func (in *Worker) tokenFact(ev *event.Event, kind stream.TokenKind, apply int64) {
	if in.cfg.SessionsTopic != "" {
		in.tokens.fact(stream.TokenFact{Token: in.cfg.Hasher.HashSession(ev.Session), Kind: kind, Apply: apply})
	}
}

// Pending reports how many record entries and identities wait for the next
// flush; a caller flushes early when they grow too many.
func (in *Worker) Pending() (entries, identities int) {
	return in.partials.entries + len(in.tokens.reads) + len(in.signed.seen), len(in.partials.dirty)
}

// drop empties what was gathered; the memory is used again.
func (in *Worker) drop() {
	in.partials.drop()
	in.broadcast.drop()
	in.signed.drop()
	in.tokens.drop()
}

// Commit makes the flushed progress the one to return to.
func (in *Worker) Commit() { in.sources.commit() }

// Discard goes on without what was counted, for those who want decisions alone.
func (in *Worker) Discard() {
	in.Commit()
	in.Abort()
}

// Abort drops everything since the last commit; the sources are read again
// from there.
func (in *Worker) Abort() {
	in.drop()
	in.sources.abort()
}
