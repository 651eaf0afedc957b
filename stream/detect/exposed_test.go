package detect

import (
	"fmt"
	"testing"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
)

// While an episode may be open, what the identity exposes is reported to the end, though
// its evidence has gone, or the threshold has risen far above it.
func TestExposureIsReportedToTheEnd(t *testing.T) {
	l := leaking(t)
	before := l.last(t)
	l.threshold = score.MaxLog
	for range 20 {
		l.read(2, "after")
	}
	after := l.last(t)
	if after.Log >= after.Threshold || after.Tick < before.Tick+18*12 || after.Exposed.Records < before.Exposed.Records+36 {
		t.Errorf("after the leak tick %d, %.1f nats, %d exposed; twenty hours later tick %d, %.1f nats, %d exposed",
			before.Tick, before.Log, before.Exposed.Records, after.Tick, after.Log, after.Exposed.Records)
	}
	if before.Spent || before.Stale || !after.Spent || !after.Stale {
		t.Errorf("the leak is spent %v, stale %v, and twenty hours later %v, %v: want false twice, then true twice", before.Spent, before.Stale, after.Spent, after.Stale)
	}
}

// leak is a desk at which ann reads.
type leak struct {
	*desk
	at int64 // minutes since the start
}

// leaking returns the desk after twelve days of two records an hour and an hour of 300.
func leaking(t *testing.T) *leak {
	l := &leak{desk: newDesk(t)}
	for range 12 * 24 {
		l.read(2, "usual")
	}
	l.read(300, "leak")
	return l
}

// read has ann read so many records in an hour that nobody else has read.
func (l *leak) read(n int, name string) {
	for i := range n {
		l.act(l.at+int64(i%50), event.Event{Actor: "ann", Records: []string{fmt.Sprint(name, l.at, i)}})
	}
	l.at += 60
	l.until(l.at - 10)
}

// last returns the last candidate about a user.
func (d *desk) last(t *testing.T) stream.Candidate {
	t.Helper()
	for i := len(d.found) - 1; i >= 0; i-- {
		if d.found[i].Dimension == dimUser {
			return d.found[i]
		}
	}
	t.Fatal("nobody is a candidate")
	return stream.Candidate{}
}

// What an episode told that is over does not count in the next, however alike they are.
func TestNextEpisodeBeginsAfterTheLast(t *testing.T) {
	l := leaking(t)
	first := l.last(t)
	l.at += 7 * 24 * 60
	l.read(300, "leak")
	second := l.last(t)
	if first.Margin() < 0 || second.Margin() < 0 {
		t.Fatalf("the leaks lie %.1f and %.1f nats above the threshold: want both above", first.Margin(), second.Margin())
	}
	closed := l.grid.TickEnd(first.Tick) + episode.Quiet
	if second.Earliest < closed || second.Onset < closed || second.Exposed.Since < closed || second.Exposed.Records > 500 {
		t.Errorf("an episode that closed at %d is followed by one since %d (%d at the earliest), of %d records since %d",
			closed, second.Onset, second.Earliest, second.Exposed.Records, second.Exposed.Since)
	}
}

// Records at unusual hours add up over an episode, though the engine counts them anew
// after a calm day; what nobody was told of begins anew with it.
func TestOddHoursAddUp(t *testing.T) {
	e := &followed{}
	for _, step := range []struct {
		counted, want int64
		opened        bool
	}{{3, 3, false}, {1, 1, false}, {2, 2, true}, {6, 6, true}, {0, 6, true}, {4, 10, true}, {1, 11, true}} {
		e.opened = step.opened
		e.countOdd(step.counted)
		if got := e.odd + e.oddPast; got != step.want {
			t.Errorf("the engine counts %d: %d, want %d", step.counted, got, step.want)
		}
	}
}
