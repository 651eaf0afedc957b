package local_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/local"
)

// judged returns the alerts of one task of each kind, and what became of the events.
func (l *lab) judged(t testing.TB, events []event.Event) (alerts []string, outcomes [ingest.NumOutcomes]int) {
	t.Helper()
	runner := local.New(l.joined(1), l.watchful(), l.correlate(1), []stream.Topic{{Name: "access", Partitions: 1}})
	runner.Ingest.Decided = func(_ stream.Source, _ int64, _ *event.Event, o ingest.Outcome) { outcomes[o]++ }
	take := func(found []alerting.Alert, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		alerts = append(alerts, lines(t, found)...)
	}
	for i := range events {
		if o := runner.Fold(stream.Source{Topic: "access"}, stamp, &events[i]); o != ingest.Waiting {
			outcomes[o]++
		}
		if i%5000 == 4999 {
			take(runner.Flush())
		}
	}
	take(runner.End())
	return alerts, outcomes
}

// wrongClock puts events of a host of its own into a log, each dated so much later
// than the event before it, with this probability after each in the hours of work; at
// least one.
func wrongClock(events []event.Event, dice *rand.Rand, ahead int64, share float64) (out []event.Event, wrong int) {
	must := dice.IntN(len(events) / 2)
	for i := range events {
		out = append(out, events[i])
		hour := events[i].Time % day / (60 * minute)
		atWork := hour >= 9 && hour < 16
		if i == must || atWork && i < len(events)-100 && dice.Float64() < share {
			out = append(out, wrongly(events[i].Time+ahead, wrong))
			wrong++
		}
	}
	return out, wrong
}

func wrongly(at int64, n int) event.Event {
	return event.Event{Time: at, Actor: "wrong-host", IP: "192.0.2.7", Client: "agent/1", Records: []string{fmt.Sprint("w", n)}}
}

// However far ahead the clock of a host is, and however often it speaks, everybody
// else's alerts are those of the log without it, and each of its events is rejected.
func TestWrongClockHarmsNobodyElse(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.theft(t)
	for _, c := range []struct {
		name  string
		ahead int64
		share float64
	}{
		{"one event, 50 minutes", 50 * minute, 0},
		{"one event, a day", day, 0},
		{"one event, a month", 31 * day, 0},
		{"one event, a year", 365 * day, 0},
		{"0.1 %, a month", 31 * day, 0.001},
		{"a host that is always 50 minutes ahead, 5 %", 50 * minute, 0.05},
	} {
		t.Run(c.name, func(t *testing.T) {
			events, wrong := wrongClock(log.events, rand.New(rand.NewPCG(7, 1)), c.ahead, c.share)
			got, outcomes := l.judged(t, events)
			compare(t, c.name, got, log.calm)
			if outcomes[ingest.Ahead] != wrong || outcomes[ingest.Expired]+outcomes[ingest.Future] != 0 {
				t.Errorf("%v, want %d ahead", outcomes, wrong)
			}
		})
	}
	first := append([]event.Event{wrongly(log.events[0].Time+365*day, 0)}, log.events...)
	got, outcomes := l.judged(t, first)
	compare(t, "the first event of all, a year", got, log.calm)
	if outcomes[ingest.Ahead] != 1 {
		t.Errorf("the first event of all: %v", outcomes)
	}
}

// An event dated at the beginning of time is rejected as ever, and harms nobody.
func TestEventOfTheBeginningOfTime(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.theft(t)
	n := len(log.events) / 2
	events := append(append([]event.Event{}, log.events[:n]...), wrongly(event.MinTime, 0))
	got, outcomes := l.judged(t, append(events, log.events[n:]...))
	compare(t, "a log with one event of the beginning of time", got, log.calm)
	if outcomes[ingest.Expired] != 1 || outcomes[ingest.Ahead] != 0 {
		t.Errorf("%v, want one expired", outcomes)
	}
}

// A real gap costs nothing: neither when the whole source goes on a month later, nor
// when the last thing after 60 silent hours is one export.
func TestGapsPass(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	calm := l.theft(t).events
	_, before := l.judged(t, calm)
	jump := append([]event.Event{}, calm...)
	for i := len(jump) / 2; i < len(jump); i++ {
		jump[i].Time += 31 * day
	}
	end := calm[len(calm)-1].Time
	export := event.Event{Time: end + 60*60*minute, Actor: "thief", IP: "192.0.2.7", Action: event.Export, Rows: 1_000_000}
	for _, c := range []struct {
		name   string
		events []event.Event
		more   int
	}{
		{"a jump of the whole source", jump, 0},
		{"one export after 60 silent hours", append(append([]event.Event{}, calm...), export), 1},
	} {
		_, got := l.judged(t, c.events)
		want := before
		if want[ingest.Counted] += c.more; got != want {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
	}
}

// How a log is cut into portions, and who is killed while an event waits, cannot show:
// the alerts are those of the log without the wrong events, which are all rejected.
func TestWrongClockIsOrderFree(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.theft(t)
	for seed := range seeds() {
		events, _ := wrongClock(log.events, rand.New(rand.NewPCG(seed, 9)), 31*day, 0.01)
		m := newMesh(t, l, seed, 2, 2, true)
		m.portion, m.mostKills = 500, 100
		m.spread(events)
		name := fmt.Sprintf("seed %d", seed)
		compare(t, name, m.run(), log.calm)
		if m.replayed == 0 {
			t.Errorf("%s: nothing waited at a commit", name)
		}
	}
}
