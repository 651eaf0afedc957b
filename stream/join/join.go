package join

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
)

// Config is what a join task needs to know. Times are in ms.
type Config struct {
	Grid       eventtime.Grid
	Dimensions []event.Dimension
	Topic      string // under which it reports its progress: IngestConfig.SessionsTopic
	Partition  int32
	Partitions int32 // of weir.sessions and of weir.partials
	Lateness   int64
	Grace      int64 // for how long a login may come after the reads it stands behind
}

// ConfigFor returns the configuration of the join task of one partition that
// goes with an ingest worker's; grace is in ms.
func ConfigFor(c *ingest.Config, grace int64) Config {
	return Config{
		Grid: c.Grid, Dimensions: c.Dimensions, Topic: c.SessionsTopic,
		Partitions: c.Partitions, Lateness: c.Lateness, Grace: grace,
	}
}

const (
	// tokenWait is how long a token waits at most for the source of logins to
	// speak again, longer than a weekend; then nothing is said of it.
	tokenWait = 4 * eventtime.Day
	// tokenKeep is after how many days without a read a token is forgotten.
	tokenKeep = 30
	// speaksAgain is in how many ticks since a token's first read somebody must
	// have signed in before its own login is missed: a source of logins that has
	// failed must not turn everybody's tokens into forged ones.
	speaksAgain = 2
	// maxTokens bounds the tokens known to a task and maxHeldTokens those that
	// wait. Beyond, half of all tokens, those of larger hash, are passed over.
	maxTokens     = 2_000_000
	maxHeldTokens = 200_000
)

// Task finds, for one partition of tokens, the reads through tokens that no
// login or issue stands behind. It works tick by tick, at the watermark of the
// sources: a token that read in a tick is judged when the grace after it is
// over, with all logins until then. What is found is counted in the tick in
// which it is found, as partials of everybody whom the reads were on behalf of.
type Task struct {
	cfg       Config
	dims      map[string]int
	first     []int // dimensions in the order in which tokens are counted
	watermark *stream.Watermark
	done      int64
	offset    int64
	grace     int64 // ticks

	tokens  map[uint64]token
	limit   uint64  // tokens of larger hash are passed over
	since   int64   // first tick in which a token was issued; never while there was none
	issues  []int64 // later such ticks, sorted, of the last tokenWait
	backlog int64   // tick until which that of a gap between them is waited for, as of the tick being closed

	facts   stream.ByTick[stream.TokenFact]    // by tick of application
	reads   stream.ByTick[stream.SessionTouch] // likewise
	spoke   stream.ByTick[struct{}]            // ticks not closed in which tokens were issued
	held    map[uint64]*heldToken              // whose grace is not over
	due     stream.ByTick[uint64]              // those, by the tick in which they are judged
	origin  map[int64]int64                    // tick: first offset that brought something for it
	history stream.Advances
	replay  *joinCheckpoint

	found   map[string]*finding     // of the tick being closed, by dimension byte and name
	out     []*stream.PartialWriter // per partition of weir.partials
	ready   []Routed
	changed map[uint64]bool // tokens not written since they changed
	taken   int64           // done as of the last Take
	mark    int64           // the watermark
	stats   JoinStats
}

// token is what is known of a token.
type token struct {
	kind    tokenStatus
	day     int32 // of its last read or issue, since 1970
	revoked int32 // tick, where kind is tokenEnded
}

type tokenStatus uint8

const (
	tokenValid    tokenStatus = iota // issued, as far as one can know
	tokenUnissued                    // nobody issued it
	tokenEnded                       // revoked
)

// heldToken is a token that has read and whose grace is not over.
type heldToken struct {
	from  int64 // tick of application of its first read
	reads []stream.SessionTouch
}

// JoinStats counts what a join task did since it started. Adopted are tokens
// taken for older than the log, Unjudged those that waited in vain for the
// source of logins to speak again, Unissued those that nobody issued.
type JoinStats struct {
	Tokens, Held                         int64
	Adopted, Unjudged, Unissued, Overdue int64
	Share                                float64 // of tokens that are looked at: 1 within the bounds
	Logins                               bool    // one has been seen
	WatermarkMS, ClosedMS                int64
	Holder                               stream.Source
}

// Routed is a record for one partition of weir.partials.
type Routed struct {
	Partition int32
	Value     []byte
}

// New returns a join task that knows nothing.
func New(cfg Config) *Task {
	j := &Task{
		cfg: cfg, dims: map[string]int{}, watermark: stream.NewWatermark(cfg.Lateness, cfg.Grid),
		done: eventtime.Never, taken: eventtime.Never, since: eventtime.Never, mark: eventtime.Never, limit: math.MaxUint64,
		grace:  (cfg.Grace + cfg.Grid.Tick - 1) / cfg.Grid.Tick,
		tokens: map[uint64]token{}, changed: map[uint64]bool{},
		held: map[uint64]*heldToken{}, origin: map[int64]int64{}, found: map[string]*finding{},
	}
	shape := stream.Layout{TickMinutes: uint64(cfg.Grid.TickMinutes()), Actors: stream.NoDimension}
	for range cfg.Partitions {
		j.out = append(j.out, stream.NewPartialWriter(shape, len(cfg.Dimensions)))
	}
	for i, d := range cfg.Dimensions {
		j.dims[d.Name] = i
	}
	j.first = tokenOrder(cfg.Dimensions)
	return j
}

// tokenOrder returns the dimensions in the order in which tokens are counted:
// each token counts for the first of them that its reads have, so that one
// forger is one fact.
func tokenOrder(dims []event.Dimension) (out []int) {
	for _, field := range []string{"key_id", "client_family", "client", "network", "endpoint", "actor"} {
		for i, d := range dims {
			if len(d.Fields) == 1 && d.Fields[0] == field {
				out = append(out, i)
			}
		}
	}
	for i := range dims {
		if !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

// Apply takes in one record of weir.sessions at its offset.
func (j *Task) Apply(offset int64, b *stream.SessionBatch) error {
	dims := make([]int, len(b.Dimensions))
	for i, name := range b.Dimensions {
		var ok bool
		if dims[i], ok = j.dims[name]; !ok {
			dims[i] = stream.NoDimension
		}
	}
	for _, tick := range b.Issues {
		if tick = j.arrives(tick, offset); tick > j.done {
			j.spoke.Add(tick, struct{}{})
		}
	}
	err := b.Each(func(f stream.TokenFact) {
		if f.Apply = j.arrives(f.Apply, offset); f.Apply > j.done && f.Token <= j.limit {
			j.facts.Add(f.Apply, f)
		}
	}, func(t stream.SessionTouch) {
		t.Who = slices.DeleteFunc(t.Who, func(r stream.IdentityRef) bool { return dims[r.Dimension] == stream.NoDimension })
		for i := range t.Who {
			t.Who[i].Dimension = dims[t.Who[i].Dimension]
		}
		if t.Apply = j.arrives(t.Apply, offset); t.Token > j.limit || t.Apply == eventtime.Never {
			return
		}
		if t.Apply > j.done {
			j.reads.Add(t.Apply, t)
		} else if _, known := j.tokens[t.Token]; !known { // a restore: it was waiting
			j.hold(t)
		}
	})
	if err != nil {
		return fmt.Errorf("offset %d: %w", offset, err)
	}
	j.offset = offset + 1
	if j.replay != nil {
		if j.offset >= j.replay.offset {
			j.replay = nil
		}
		return nil
	}
	if len(b.Topics) > 0 {
		j.watermark.SetTopics(b.Topics)
	}
	for _, p := range b.Progress {
		j.watermark.Advance(p)
	}
	return nil
}

// arrives returns the tick at which something counts: its own, or the next that
// is open; never if it was counted before the replay begins.
func (j *Task) arrives(tick, offset int64) int64 {
	done := j.done
	if j.replay != nil {
		done = eventtime.Never
		for _, a := range j.history {
			if a.Offset <= offset {
				done = a.Done
			}
		}
		if done == eventtime.Never && len(j.history) > 0 && tick <= j.history[0].Done {
			return eventtime.Never
		}
	}
	if done != eventtime.Never && tick <= done {
		tick = done + 1
		if j.replay == nil {
			j.stats.Overdue++
		}
	}
	if _, ok := j.origin[tick]; !ok {
		j.origin[tick] = offset
	}
	return tick
}

// Advance closes the ticks that the watermark has passed.
func (j *Task) Advance() {
	mark, holder := j.watermark.Now()
	j.stats.WatermarkMS, j.stats.Holder = mark, holder
	if mark == eventtime.Never || j.replay != nil {
		return
	}
	j.mark = mark
	limit := j.cfg.Grid.TickOf(mark) - 1
	if j.done == eventtime.Never {
		j.done = min(j.next(), limit+1) - 1
		j.history = append(j.history, stream.Advance{Offset: j.offset, Done: j.done})
	}
	if limit <= j.done {
		return
	}
	for tick := j.next(); tick <= limit; tick = j.next() {
		j.close(tick)
	}
	j.done = limit
	j.history = append(j.history, stream.Advance{Offset: j.offset, Done: j.done})
	j.trim()
}

// next returns the first tick that is not closed in which something happens.
func (j *Task) next() int64 {
	return min(j.facts.First(), j.reads.First(), j.spoke.First(), j.due.First())
}

// close works through a tick: first who signed in, then who read, then whose
// grace is over.
func (j *Task) close(tick int64) {
	if len(j.spoke.Take(tick)) > 0 {
		if j.since == eventtime.Never {
			j.since = tick
		}
		j.issues = append(j.issues, tick)
	}
	old, _ := slices.BinarySearch(j.issues, tick-tokenWait/j.cfg.Grid.Tick-j.grace)
	j.issues = slices.Delete(j.issues, 0, old)
	facts := j.facts.Take(tick)
	slices.SortFunc(facts, func(a, b stream.TokenFact) int {
		return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.Kind, b.Kind))
	})
	for _, f := range facts {
		t := token{kind: tokenValid, day: j.day(tick)}
		if f.Kind == stream.TokenRevoked {
			t.kind, t.revoked = tokenEnded, int32(tick)
		}
		j.set(f.Token, t)
	}
	for _, r := range j.reads.Take(tick) {
		j.read(tick, r)
	}
	due := j.due.Take(tick)
	if len(due) > 0 {
		j.listen(tick)
	}
	for _, hash := range due {
		j.judge(tick, hash)
	}
	j.bound()
	j.flush(tick)
	j.done = tick
}

func (j *Task) day(tick int64) int32 { return int32(eventtime.DayOf(j.cfg.Grid.TickStart(tick))) }

func (j *Task) set(hash uint64, t token) {
	j.tokens[hash] = t
	j.changed[hash] = true
}

// known returns what is known of a token, unless that is so old that it counts
// as forgotten.
func (j *Task) known(hash uint64, tick int64) (token, bool) {
	t, ok := j.tokens[hash]
	return t, ok && j.day(tick)-t.day <= tokenKeep
}

// read takes in what a token read that counts at a tick.
func (j *Task) read(tick int64, r stream.SessionTouch) {
	if r.Token > j.limit {
		return
	}
	t, ok := j.known(r.Token, tick)
	if !ok {
		if _, stale := j.tokens[r.Token]; stale {
			delete(j.tokens, r.Token)
			j.changed[r.Token] = true
		}
		if j.since == eventtime.Never || (tick-j.since)*j.cfg.Grid.Tick < fact.TokenLearn {
			j.stats.Adopted++
			j.set(r.Token, token{kind: tokenValid, day: j.day(tick)})
			return
		}
		j.hold(r)
		return
	}
	if day := j.day(tick); t.day != day {
		t.day = day
		j.set(r.Token, t)
	}
	if t.kind == tokenUnissued || t.kind == tokenEnded && r.Tick > int64(t.revoked) {
		j.find(&r)
	}
}

// hold keeps a read until the grace of its token is over.
func (j *Task) hold(r stream.SessionTouch) {
	h := j.held[r.Token]
	if h == nil {
		h = &heldToken{from: r.Apply}
		j.held[r.Token] = h
		j.due.Add(max(r.Apply+j.grace, j.done+1), r.Token)
	}
	for i := range h.reads {
		if slices.Equal(h.reads[i].Who, r.Who) {
			h.reads[i].Records.Merge(&r.Records)
			return
		}
	}
	h.reads = append(h.reads, r)
}

// judge decides on a token whose grace is over.
func (j *Task) judge(tick int64, hash uint64) {
	h := j.held[hash]
	if h == nil {
		return // passed over since then
	}
	t, ok := j.known(hash, tick)
	switch waited := (tick - h.from) * j.cfg.Grid.Tick; {
	case ok && t.kind != tokenEnded:
		// Its login came after the read.
	case ok:
		for i := range h.reads {
			if h.reads[i].Tick > int64(t.revoked) {
				j.find(&h.reads[i])
			}
		}
	case j.covered(h.from, tick):
		j.stats.Unissued++
		j.set(hash, token{kind: tokenUnissued, day: j.day(tick)})
		for i := range h.reads {
			j.find(&h.reads[i])
		}
	case waited < tokenWait:
		j.due.Add(tick+1, hash)
		return
	default:
		j.stats.Unjudged++
		j.set(hash, token{kind: tokenValid, day: j.day(tick)})
	}
	delete(j.held, hash)
}

// bound keeps the number of tokens within its limits: those of larger hash go.
func (j *Task) bound() {
	for len(j.tokens) > maxTokens || len(j.held) > maxHeldTokens {
		j.limit /= 2
		for hash := range j.tokens {
			if hash > j.limit {
				delete(j.tokens, hash)
				j.changed[hash] = true
			}
		}
		for hash := range j.held {
			if hash > j.limit {
				delete(j.held, hash)
			}
		}
	}
}

// Stats returns what the task did so far.
func (j *Task) Stats() JoinStats {
	s := j.stats
	s.Tokens, s.Held, s.Logins = int64(len(j.tokens)), int64(len(j.held)), j.since != eventtime.Never
	s.Share = float64(j.limit) / math.MaxUint64
	if j.done != eventtime.Never {
		s.ClosedMS = j.cfg.Grid.TickEnd(j.done)
	}
	return s
}

// Offset returns the next offset of weir.sessions that the task expects.
func (j *Task) Offset() int64 { return j.offset }

// Restoring reports whether the task is still catching up.
func (j *Task) Restoring() bool { return j.replay != nil }
