package ingest

import (
	"cmp"
	"math"
	"slices"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// An event is far ahead when it is dated later than everything before it in its
// source partition by more than the lateness. Were its date wrong and believed,
// everything after it would be late, or expired. So the events after it vote: one
// that is no older than the event less the lateness is for it, an older one is
// against it. They wait until it is judged, then all are judged in the order of the
// log; only one that is believed comes after those that lead up to it. Nothing but the
// log decides, so portions and crashes cannot show. What waits is not stored: a restart
// reads it again. One that is voted down counts all the same, at the time that its source
// has reached: what a wrong clock did is seen as soon as what a right one did.

// LookAhead is how many events wait at most for one that is far ahead to be judged.
const LookAhead = 2*majority - 1

// majority is how many of the LookAhead next events decide: twice as many as any actor
// or address of three simulated companies has in a row in two weeks (15 events), so
// that one wrong clock does not outvote the others.
const majority = 32

// mostWaiting is how many record ids the waiting events of one source hold before
// the votes so far decide: four of the largest events, so that memory is bounded.
const mostWaiting = 4 * event.MaxRecords

// waiting is an event that waits for one that is far ahead to be judged, or is it; or
// for the aliases to be complete.
type waiting struct {
	at       position
	appended int64 // see sourceState
	stamp    int64 // the timestamp of its record, Unix ms
	event    *event.Event
}

// ahead reports whether an event is too far ahead of its source to be believed by
// itself. It is not if the broker's clock agrees, to within the lateness.
func (s *sourceState) ahead(at, appended, lateness int64) bool {
	if s.maxTime != eventtime.Never && at <= s.maxTime+lateness {
		return false
	}
	return appended == eventtime.Never || at < appended-lateness || at > appended+lateness
}

// impossible reports whether an event is dated past its record's own timestamp, or past
// the wall clock, by more than the future (ms), so that nothing confirms it. Where the
// source is as far past a clock already, or nothing was judged yet, that clock tells
// nothing. Who produces records chooses their timestamps, but not the wall clock.
func (in *Worker) impossible(s *sourceState, at, stamp int64) bool {
	past := func(clock int64) bool {
		limit := clock + in.cfg.Future
		return at > limit && s.maxTime != eventtime.Never && s.maxTime <= limit
	}
	return past(stamp) || in.wall != eventtime.Never && past(in.wall)
}

// verdict is what is known of the first waiting event.
type verdict int

const (
	undecided verdict = iota
	believed
	refuted
)

// voted is believed if the votes are for an event.
func voted(forIt bool) verdict {
	if forIt {
		return believed
	}
	return refuted
}

// judge judges the first waiting event. At the end of the log, and when the events that
// wait hold too many record ids, the votes so far decide, and an equal vote is for the
// event; when LookAhead events wait of which some have no vote, an equal one is against
// it. One that has not happened yet by the wall clock (Unix ms) at the end waits for the
// clock, if its record was written at about that time, and is else refuted.
func (in *Worker) judge(s *sourceState, end bool, wall int64) verdict {
	lateness := in.cfg.Lateness
	head := &s.waiting[0]
	switch {
	case in.impossible(s, head.event.Time, head.stamp):
		return refuted
	case !s.ahead(head.event.Time, head.appended, lateness):
		return believed
	}
	pro, contra, records := 0, 0, len(head.event.Records)
	for i := 1; i < len(s.waiting); i++ {
		ev := s.waiting[i].event
		records += len(ev.Records)
		switch {
		case in.impossible(s, ev.Time, s.waiting[i].stamp): // no witness
		case ev.Time >= head.event.Time-lateness:
			pro++
		default:
			contra++
		}
		switch {
		case pro == majority:
			return believed
		case contra == majority:
			return refuted
		case i == LookAhead: // the rest are no witnesses
			return voted(pro > contra)
		case records > mostWaiting:
			return voted(pro >= contra)
		}
	}
	switch {
	case !end:
		return undecided
	case pro < contra:
		return refuted
	case wall < in.cfg.Grid.TickEnd(in.cfg.Grid.TickOf(head.event.Time)):
		if head.event.Time > head.stamp+lateness {
			return refuted
		}
		return undecided
	}
	return believed
}

// settle judges what waits of a source, as far as that can be judged.
func (in *Worker) settle(s *sourceProgress, end bool, wall int64) {
	for len(s.waiting) > 0 {
		switch in.judge(&s.sourceState, end, wall) {
		case undecided:
			return
		case refuted:
			if !in.takeAhead(s) {
				return
			}
		case believed:
			if !in.believe(s) {
				return
			}
		}
	}
}

// mayCount reports whether the aliases are complete for an event time at which the first
// waiting event counts. If not, the source wants them.
func (in *Worker) mayCount(s *sourceProgress, at int64) bool {
	if in.named(at) {
		s.wants = 0
		return true
	}
	s.wants = max(at, 1)
	return false
}

// believe takes in the first waiting event, after those that lead up to it, all of which
// are older. It takes in nothing if the aliases are not complete for it.
func (in *Worker) believe(s *sourceProgress) (done bool) {
	if !in.mayCount(s, s.waiting[0].event.Time) {
		return false
	}
	first, before := s.waiting[0], s.leading(in.cfg.Lateness)
	for i := 1; i <= before; i++ {
		in.takeWaiting(s, &s.waiting[i])
	}
	in.takeWaiting(s, &first)
	s.waiting = slices.Delete(s.waiting, 0, 1+before)
	return true
}

// takeWaiting takes in an event that waited.
func (in *Worker) takeWaiting(s *sourceProgress, w *waiting) {
	ev := *w.event // what waits is read again after an abort
	outcome := in.take(s, &ev)
	in.decide(s, w, &ev, outcome)
}

// takeAhead counts the first waiting event, which was voted down, at the time that its
// source has reached; where nothing was judged before, at that of the oldest event that
// waits. What is told of a person or a key keeps its date, since it is in force from then
// on. It counts nothing if the aliases are not complete for that time.
func (in *Worker) takeAhead(s *sourceProgress) (done bool) {
	reached := s.maxTime
	if reached == eventtime.Never {
		reached = slices.MinFunc(s.waiting, func(a, b waiting) int { return cmp.Compare(a.event.Time, b.event.Time) }).event.Time
	}
	if !in.mayCount(s, reached) {
		return false
	}
	w := s.waiting[0]
	s.waiting = slices.Delete(s.waiting, 0, 1)
	apply, _ := s.place(reached, in.cfg.Grid, in.cfg.Lateness, in.cfg.Retention)
	ev := *w.event // what waits is read again after an abort
	if !tellsOfLifecycle(&ev) {
		ev.Time = reached
	}
	in.count(s, &ev, apply, reached)
	in.decide(s, &w, &ev, Ahead)
	return true
}

// leading returns how many of the events after the first waiting one are judged before
// it: those up to the first vote for it, which it would make late. Right after a gap
// there are none.
func (s *sourceState) leading(lateness int64) int {
	if !s.ahead(s.waiting[0].event.Time, s.waiting[0].appended, lateness) {
		return 0
	}
	for i := 1; i < len(s.waiting); i++ {
		if s.waiting[i].event.Time >= s.waiting[0].event.Time-lateness {
			return i - 1
		}
	}
	return len(s.waiting) - 1
}

// Decision is what became of an event of which Fold said that it waits.
type Decision struct {
	Source stream.Source
	Offset int64        // of its record
	Event  *event.Event // as it counts; not to be kept
	Dated  int64        // its own time, Unix ms; later than that of Event if its outcome is Ahead
	Outcome
}

// decide tells what became of a waiting event.
func (in *Worker) decide(s *sourceProgress, w *waiting, counted *event.Event, outcome Outcome) {
	if in.Decided != nil {
		in.Decided(Decision{s.source, w.at.offset, counted, w.event.Time, outcome})
	}
}

// End says that a source was read to its end: what waits is judged by the votes so
// far, and the source is idle.
func (in *Worker) End(src stream.Source) { in.Rest(src, math.MaxInt64) }

// Rest says that a source has come to the end of its log and is quiet, at a wall clock
// (Unix ms): what waits is judged by the votes so far, but for what is dated past the
// clock, and the source is idle.
func (in *Worker) Rest(src stream.Source, wall int64) {
	s := in.sources[src]
	in.settle(s, true, wall)
	s.idle = s.wants == 0
}

// Retry goes on with the sources that wanted aliases, once more of them are known. It
// does so in the order of the sources, so that the order of a map cannot show.
func (in *Worker) Retry() {
	if !in.Wants() {
		return
	}
	for _, p := range in.Progress() {
		if p.Wants != 0 && in.named(p.Wants) {
			s := in.sources[p.Source]
			s.wants = 0
			in.settle(s, false, 0)
		}
	}
}

// Wants reports whether a source wants aliases to go on.
func (in *Worker) Wants() bool {
	for _, s := range in.sources {
		if s.wants != 0 {
			return true
		}
	}
	return false
}

// Asks reports whether a source wants aliases of which the last commit did not tell.
func (in *Worker) Asks() bool {
	for _, s := range in.sources {
		if s.wants > s.committed.wants {
			return true
		}
	}
	return false
}

// Confirm says that most other sources have reached an event time, Unix ms. What waits
// is believed as far as it is dated no later than that by more than the lateness.
func (in *Worker) Confirm(src stream.Source, reached int64) {
	s := in.sources[src]
	for len(s.waiting) > 0 && reached != eventtime.Never && s.waiting[0].event.Time <= reached+in.cfg.Lateness {
		if !in.believe(s) {
			return
		}
		in.settle(s, false, 0)
	}
}

// Waiting returns how many events of a source wait to be judged.
func (in *Worker) Waiting(src stream.Source) int { return len(in.sources[src].waiting) }
