package stream

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// JoinConfig is what a join task needs to know. Times are in ms.
type JoinConfig struct {
	Grid       eventtime.Grid
	Dimensions []event.Dimension
	Topic      string // under which it reports its progress: IngestConfig.SessionsTopic
	Partition  int32
	Partitions int32 // of weir.sessions and of weir.partials
	Lateness   int64
	Grace      int64 // for how long a login may come after the reads it stands behind
}

// JoinConfigFor returns the configuration of the join task of one partition that
// goes with an ingest worker's; grace is in ms.
func JoinConfigFor(c *IngestConfig, grace int64) JoinConfig {
	return JoinConfig{
		Grid: c.Grid, Dimensions: c.Dimensions, Topic: c.SessionsTopic,
		Partitions: c.Partitions, Lateness: c.Lateness, Grace: grace,
	}
}

// tokenLearn is how long after the first login of the log a token that nobody
// issued is taken for one that is older than the log, in ms of event time.
const tokenLearn = eventtime.Day

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

// Join finds, for one partition of tokens, the reads through tokens that no
// login or issue stands behind. It works tick by tick, at the watermark of the
// sources: a token that read in a tick is judged when the grace after it is
// over, with all logins until then. What is found is counted in the tick in
// which it is found, as partials of everybody whom the reads were on behalf of.
type Join struct {
	cfg       JoinConfig
	dims      map[string]int
	first     []int // dimensions in the order in which tokens are counted
	watermark *Watermark
	done      int64
	offset    int64
	grace     int64 // ticks

	tokens  map[uint64]token
	limit   uint64  // tokens of larger hash are passed over
	since   int64   // first tick in which a token was issued; never while there was none
	issues  []int64 // later such ticks, sorted, of the last tokenWait
	backlog int64   // tick until which that of a gap between them is waited for, as of the tick being closed

	facts   byTick[tokenFact]     // by tick of application
	reads   byTick[sessionTouch]  // likewise
	spoke   byTick[struct{}]      // ticks not closed in which tokens were issued
	held    map[uint64]*heldToken // whose grace is not over
	due     byTick[uint64]        // those, by the tick in which they are judged
	origin  map[int64]int64       // tick: first offset that brought something for it
	history advances
	replay  *joinCheckpoint

	found   map[string]*finding // of the tick being closed, by dimension byte and name
	out     []*partialWriter    // per partition of weir.partials
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
	reads []sessionTouch
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
	Holder                               Source
}

// Routed is a record for one partition of weir.partials.
type Routed struct {
	Partition int32
	Value     []byte
}

// NewJoin returns a join task that knows nothing.
func NewJoin(cfg JoinConfig) *Join {
	j := &Join{
		cfg: cfg, dims: map[string]int{}, watermark: NewWatermark(cfg.Lateness, cfg.Grid),
		done: eventtime.Never, taken: eventtime.Never, since: eventtime.Never, mark: eventtime.Never, limit: math.MaxUint64,
		grace:  (cfg.Grace + cfg.Grid.Tick - 1) / cfg.Grid.Tick,
		tokens: map[uint64]token{}, changed: map[uint64]bool{},
		held: map[uint64]*heldToken{}, origin: map[int64]int64{}, found: map[string]*finding{},
	}
	shape := layout{tickMinutes: uint64(cfg.Grid.TickMinutes()), actors: none}
	for range cfg.Partitions {
		j.out = append(j.out, newPartialWriter(shape, len(cfg.Dimensions)))
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
func (j *Join) Apply(offset int64, b *SessionBatch) error {
	dims := make([]int, len(b.Dimensions))
	for i, name := range b.Dimensions {
		var ok bool
		if dims[i], ok = j.dims[name]; !ok {
			dims[i] = none
		}
	}
	for _, tick := range b.Issues {
		if tick = j.arrives(tick, offset); tick > j.done {
			j.spoke.add(tick, struct{}{})
		}
	}
	err := b.each(func(f tokenFact) {
		if f.apply = j.arrives(f.apply, offset); f.apply > j.done && f.token <= j.limit {
			j.facts.add(f.apply, f)
		}
	}, func(t sessionTouch) {
		t.who = slices.DeleteFunc(t.who, func(r identityRef) bool { return dims[r.dimension] == none })
		for i := range t.who {
			t.who[i].dimension = dims[t.who[i].dimension]
		}
		if t.apply = j.arrives(t.apply, offset); t.token > j.limit || t.apply == eventtime.Never {
			return
		}
		if t.apply > j.done {
			j.reads.add(t.apply, t)
		} else if _, known := j.tokens[t.token]; !known { // a restore: it was waiting
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
func (j *Join) arrives(tick, offset int64) int64 {
	done := j.done
	if j.replay != nil {
		done = eventtime.Never
		for _, a := range j.history {
			if a.offset <= offset {
				done = a.done
			}
		}
		if done == eventtime.Never && len(j.history) > 0 && tick <= j.history[0].done {
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
func (j *Join) Advance() {
	mark, holder := j.watermark.Now()
	j.stats.WatermarkMS, j.stats.Holder = mark, holder
	if mark == eventtime.Never || j.replay != nil {
		return
	}
	j.mark = mark
	limit := j.cfg.Grid.TickOf(mark) - 1
	if j.done == eventtime.Never {
		j.done = min(j.next(), limit+1) - 1
		j.history = append(j.history, advance{j.offset, j.done})
	}
	if limit <= j.done {
		return
	}
	for tick := j.next(); tick <= limit; tick = j.next() {
		j.close(tick)
	}
	j.done = limit
	j.history = append(j.history, advance{j.offset, j.done})
	j.trim()
}

// next returns the first tick that is not closed in which something happens.
func (j *Join) next() int64 {
	return min(j.facts.first(), j.reads.first(), j.spoke.first(), j.due.first())
}

// close works through a tick: first who signed in, then who read, then whose
// grace is over.
func (j *Join) close(tick int64) {
	if len(j.spoke.take(tick)) > 0 {
		if j.since == eventtime.Never {
			j.since = tick
		}
		j.issues = append(j.issues, tick)
	}
	old, _ := slices.BinarySearch(j.issues, tick-tokenWait/j.cfg.Grid.Tick-j.grace)
	j.issues = slices.Delete(j.issues, 0, old)
	facts := j.facts.take(tick)
	slices.SortFunc(facts, func(a, b tokenFact) int { return cmp.Or(cmp.Compare(a.token, b.token), cmp.Compare(a.kind, b.kind)) })
	for _, f := range facts {
		t := token{kind: tokenValid, day: j.day(tick)}
		if f.kind == tokenRevoked {
			t.kind, t.revoked = tokenEnded, int32(tick)
		}
		j.set(f.token, t)
	}
	for _, r := range j.reads.take(tick) {
		j.read(tick, r)
	}
	due := j.due.take(tick)
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

func (j *Join) day(tick int64) int32 { return int32(eventtime.DayOf(j.cfg.Grid.TickStart(tick))) }

func (j *Join) set(hash uint64, t token) {
	j.tokens[hash] = t
	j.changed[hash] = true
}

// known returns what is known of a token, unless that is so old that it counts
// as forgotten.
func (j *Join) known(hash uint64, tick int64) (token, bool) {
	t, ok := j.tokens[hash]
	return t, ok && j.day(tick)-t.day <= tokenKeep
}

// read takes in what a token read that counts at a tick.
func (j *Join) read(tick int64, r sessionTouch) {
	if r.token > j.limit {
		return
	}
	t, ok := j.known(r.token, tick)
	if !ok {
		if _, stale := j.tokens[r.token]; stale {
			delete(j.tokens, r.token)
			j.changed[r.token] = true
		}
		if j.since == eventtime.Never || (tick-j.since)*j.cfg.Grid.Tick < tokenLearn {
			j.stats.Adopted++
			j.set(r.token, token{kind: tokenValid, day: j.day(tick)})
			return
		}
		j.hold(r)
		return
	}
	if day := j.day(tick); t.day != day {
		t.day = day
		j.set(r.token, t)
	}
	if t.kind == tokenUnissued || t.kind == tokenEnded && r.tick > int64(t.revoked) {
		j.find(&r)
	}
}

// hold keeps a read until the grace of its token is over.
func (j *Join) hold(r sessionTouch) {
	h := j.held[r.token]
	if h == nil {
		h = &heldToken{from: r.apply}
		j.held[r.token] = h
		j.due.add(max(r.apply+j.grace, j.done+1), r.token)
	}
	for i := range h.reads {
		if slices.Equal(h.reads[i].who, r.who) {
			h.reads[i].records.Merge(&r.records)
			return
		}
	}
	h.reads = append(h.reads, r)
}

// judge decides on a token whose grace is over.
func (j *Join) judge(tick int64, hash uint64) {
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
			if h.reads[i].tick > int64(t.revoked) {
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
		j.due.add(tick+1, hash)
		return
	default:
		j.stats.Unjudged++
		j.set(hash, token{kind: tokenValid, day: j.day(tick)})
	}
	delete(j.held, hash)
}

// bound keeps the number of tokens within its limits: those of larger hash go.
func (j *Join) bound() {
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
func (j *Join) Stats() JoinStats {
	s := j.stats
	s.Tokens, s.Held, s.Logins = int64(len(j.tokens)), int64(len(j.held)), j.since != eventtime.Never
	s.Share = float64(j.limit) / math.MaxUint64
	if j.done != eventtime.Never {
		s.ClosedMS = j.cfg.Grid.TickEnd(j.done)
	}
	return s
}

// Offset returns the next offset of weir.sessions that the task expects.
func (j *Join) Offset() int64 { return j.offset }

// Restoring reports whether the task is still catching up.
func (j *Join) Restoring() bool { return j.replay != nil }
