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
	// tell of logins again, in ms, longer than a weekend; then nothing is said of it.
	tokenWait = 4 * eventtime.Day
	// maxTokens bounds the tokens known to a task and maxWaiting those in their
	// grace. Beyond, half of all tokens, those of larger hash, are passed over.
	maxTokens  = 2_000_000
	maxWaiting = 200_000
)

// Task finds, for one partition of tokens, the reads through tokens that no
// login or issue stands behind. It works tick by tick, at the watermark of the
// sources: a token that read in a tick is judged when the grace after it is
// over, with all logins until then. What is found is counted in the tick in
// which it is found, as partials of everybody whom the reads were on behalf of.
type Task struct {
	cfg       Config
	dims      map[string]int
	watermark *stream.Watermark
	mark      int64 // the watermark, Unix ms
	done      int64 // last closed tick
	taken     int64 // done as of the last Take
	offset    int64 // next offset of weir.sessions
	grace     int64 // ticks

	facts    stream.ByTick[stream.TokenFact]    // by tick of application
	reads    stream.ByTick[stream.SessionTouch] // by tick of application
	signedIn stream.ByTick[struct{}]            // ticks in which tokens were issued
	logins   fact.LoginLog
	tokens   tokenStore
	waiting  readsInGrace
	used     map[uint64]token // revoked tokens that read for the first time in the tick that is being closed
	found    findings

	log    stream.ReplayLog
	replay *checkpoint // what is caught up with after a restore; nil: nothing
	stats  Stats
}

// Stats counts what a join task did since it started. Adopted are tokens
// taken for older than the log, Unjudged those of a time of which the source of
// logins does not tell, Unissued those that nobody issued.
type Stats struct {
	Tokens, Held                         int64
	Adopted, Unjudged, Unissued, Overdue int64
	Share                                float64 // of tokens that are looked at: 1 within the bounds
	Logins                               bool    // one has been seen
	WatermarkMS, ClosedMS                int64
	Holder                               stream.Source
}

// New returns a join task that knows nothing.
func New(cfg Config) *Task {
	grace := (cfg.Grace + cfg.Grid.Tick - 1) / cfg.Grid.Tick
	j := &Task{
		cfg: cfg, dims: map[string]int{}, watermark: stream.NewWatermark(cfg.Lateness, cfg.Grid),
		mark: eventtime.Never, done: eventtime.Never, taken: eventtime.Never, grace: grace,
		logins: fact.NewLoginLog(cfg.Grid, grace), tokens: newTokenStore(cfg.Grid),
		waiting: readsInGrace{byToken: map[uint64]*tokenReads{}}, used: map[uint64]token{}, found: newFindings(cfg.Grid, cfg.Dimensions, cfg.Partitions),
	}
	for i, d := range cfg.Dimensions {
		j.dims[d.Name] = i
	}
	return j
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
			j.signedIn.Add(tick, struct{}{})
		}
	}
	err := b.Each(dims, func(f stream.TokenFact) {
		if f.Apply = j.arrives(f.Apply, offset); f.Apply > j.done && !j.tokens.passesOver(f.Token) {
			j.facts.Add(f.Apply, f)
		}
	}, func(t stream.SessionTouch) {
		if t.Apply = j.arrives(t.Apply, offset); j.tokens.passesOver(t.Token) || t.Apply == eventtime.Never {
			return
		}
		if t.Apply > j.done {
			j.reads.Add(t.Apply, t)
		} else if _, known := j.tokens.known[t.Token]; !known { // a restore: it was waiting
			j.waiting.hold(t.Read())
		}
	})
	if err != nil {
		return fmt.Errorf("offset %d: %w", offset, err)
	}
	j.offset = offset + 1
	if j.replay != nil {
		if j.offset >= j.replay.offset {
			j.replay = nil
			for token, held := range j.waiting.byToken {
				j.waiting.due.Add(j.dueOf(held.from), token)
			}
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
		closes := j.log.Closes()
		for _, a := range closes {
			if a.Offset <= offset {
				done = a.Done
			}
		}
		if done == eventtime.Never && len(closes) > 0 && tick <= closes[0].Done {
			return eventtime.Never
		}
	}
	if done != eventtime.Never && tick <= done {
		tick = done + 1
		if j.replay == nil {
			j.stats.Overdue++
		}
	}
	j.log.Came(tick, offset)
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
		j.log.Closed(j.offset, j.done)
	}
	if limit <= j.done {
		return
	}
	for tick := j.next(); tick <= limit; tick = j.next() {
		j.close(tick)
	}
	j.done = limit
	j.log.Closed(j.offset, j.done)
	j.log.Trim(j.oldest())
}

// next returns the first tick that is not closed in which something happens.
func (j *Task) next() int64 {
	return min(j.facts.First(), j.reads.First(), j.signedIn.First(), j.waiting.due.First())
}

// oldest returns the first tick of which a restore needs the reads again.
func (j *Task) oldest() int64 { return j.waiting.oldest(j.done + 1) }

// close works through a tick: first who signed in, then who read, then whose
// grace is over.
func (j *Task) close(tick int64) {
	if len(j.signedIn.Take(tick)) > 0 {
		j.logins.SignedIn(tick)
	}
	j.logins.Forget(tick - tokenWait/j.cfg.Grid.Tick - j.grace)
	facts := j.facts.Take(tick)
	slices.SortFunc(facts, func(a, b stream.TokenFact) int {
		return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.Kind, b.Kind))
	})
	for _, f := range facts {
		t := token{status: tokenIssued}
		if f.Kind == stream.TokenRevoked {
			t.status, t.revoked = tokenRevoked, int32(tick)
		}
		j.tokens.set(f.Token, t, tick)
	}
	reads := j.reads.Take(tick)
	for i := range reads {
		j.read(tick, &reads[i])
	}
	for hash, t := range j.used {
		t.status = tokenRevokedRead
		j.tokens.set(hash, t, tick)
	}
	clear(j.used)
	due := j.waiting.due.Take(tick)
	if len(due) > 0 {
		j.logins.FindGaps(tick)
	}
	for _, hash := range due {
		j.judge(tick, hash)
	}
	for len(j.tokens.known) > maxTokens || len(j.waiting.byToken) > maxWaiting {
		j.tokens.halve()
		j.waiting.drop(j.tokens.passesOver)
	}
	j.found.close(tick)
	j.done = tick
}

// read takes in what a token read that counts at a tick.
func (j *Task) read(tick int64, r *stream.SessionTouch) {
	if j.tokens.passesOver(r.Token) {
		return
	}
	t, ok := j.tokens.get(r.Token, tick)
	switch {
	case !ok && j.logins.Learns(tick):
		j.stats.Adopted++
		j.tokens.set(r.Token, token{status: tokenIssued}, tick)
		return
	case !ok:
		j.tokens.forget(r.Token)
		if j.waiting.hold(r.Read()) {
			j.waiting.due.Add(j.dueOf(r.Apply), r.Token)
		}
		return
	}
	if j.tokens.day(tick) != t.day {
		j.tokens.set(r.Token, t, tick)
	}
	if t.status == tokenUnissued || t.status >= tokenRevoked && r.Tick > int64(t.revoked) {
		found := r.Read()
		j.found.add(&found, t.status == tokenRevoked)
		if t.status == tokenRevoked {
			j.used[r.Token] = t
		}
	}
}

// dueOf returns the tick in which a token is judged whose first read counts at a tick.
func (j *Task) dueOf(from int64) int64 { return max(from+j.grace, j.done+1) }

// judge decides on a token whose grace is over.
func (j *Task) judge(tick int64, hash uint64) {
	held := j.waiting.byToken[hash]
	if held == nil {
		return // passed over since then
	}
	_, known := j.tokens.get(hash, tick)
	switch waited := (tick - held.from) * j.cfg.Grid.Tick; {
	case known:
		// Its login came after the reads, or it was revoked after them.
	case j.logins.Covers(held.from, tick) && !j.logins.Lost(held.from):
		j.stats.Unissued++
		j.tokens.set(hash, token{status: tokenUnissued}, tick)
		for i := range held.reads {
			j.found.add(&held.reads[i], true)
		}
	case waited < tokenWait && !j.logins.Covers(held.from, tick):
		j.waiting.due.Add(tick+1, hash)
		return
	default:
		j.stats.Unjudged++
		j.tokens.set(hash, token{status: tokenIssued}, tick)
	}
	delete(j.waiting.byToken, hash)
}

// Take hands out what was found since the last call, as records of
// weir.partials, and the changes of the state, to be committed together with
// the Checkpoint; nothing as long as no tick was closed since. Every partition
// gets at least one record, so that all of them learn how far the join is.
func (j *Task) Take() ([]stream.Routed, []stream.Change) {
	if j.replay != nil || j.done == eventtime.Never || j.done == j.taken {
		return nil, nil
	}
	j.taken = j.done
	// As if the task were a source partition: a watermark of those that wait
	// for it comes to the one that it has itself.
	progress := []stream.Progress{{
		Source: stream.Source{Topic: j.cfg.Topic, Partition: j.cfg.Partition}, Offset: j.offset, MaxTime: j.mark + j.cfg.Lateness,
	}}
	return j.found.take(progress), j.tokens.changes()
}

// Stats returns what the task did so far.
func (j *Task) Stats() Stats {
	s := j.stats
	s.Tokens, s.Held, s.Logins = int64(len(j.tokens.known)), int64(len(j.waiting.byToken)), j.logins.First != eventtime.Never
	s.Share = float64(j.tokens.limit) / math.MaxUint64
	if j.done != eventtime.Never {
		s.ClosedMS = j.cfg.Grid.TickEnd(j.done)
	}
	return s
}

// Offset returns the next offset of weir.sessions that the task expects.
func (j *Task) Offset() int64 { return j.offset }

// Restoring reports whether the task is still catching up.
func (j *Task) Restoring() bool { return j.replay != nil }
