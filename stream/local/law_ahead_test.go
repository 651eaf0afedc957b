package local_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/local"
)

// judged returns the alerts of one task of each kind, and what became of the events.
func (l *lab) judged(t testing.TB, events []event.Event) (alerts []string, outcomes [ingest.NumOutcomes]int) {
	t.Helper()
	return l.judgedBy(t, events, 1)
}

// judgedBy returns what so many detect tasks make of the events.
func (l *lab) judgedBy(t testing.TB, events []event.Event, tasks int) (alerts []string, outcomes [ingest.NumOutcomes]int) {
	t.Helper()
	runner := local.New(l.joined(1), l.watchful(), l.correlate(1), []stream.Topic{{Name: "access", Partitions: 1}}, tasks)
	runner.Ingest.Decided = func(d ingest.Decision) { outcomes[d.Outcome]++ }
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
// than the latest event before it, with this probability after each in the hours of
// work; at least one.
func wrongClock(events []event.Event, dice *rand.Rand, ahead int64, share float64) (out []event.Event, wrong int) {
	must, latest := dice.IntN(len(events)/2), int64(0)
	for i := range events {
		out = append(out, events[i])
		latest = max(latest, events[i].Time)
		hour := events[i].Time % day / (60 * minute)
		atWork := hour >= 9 && hour < 16
		if i == must || atWork && i < len(events)-100 && dice.Float64() < share {
			out = append(out, wrongly(latest+ahead, wrong))
			wrong++
		}
	}
	return out, wrong
}

func wrongly(at int64, n int) event.Event {
	return event.Event{Time: at, Actor: "wrong-host", IP: "192.0.2.7", Client: "agent/1", Records: []string{fmt.Sprint("w", n)}}
}

// However far ahead the clock of a host is, and however often it speaks, the alerts are
// those of the log in which its clock is right: nobody else is harmed, and the host gains
// nothing by it.
func TestWrongClockHarmsNobodyElse(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.theft(t)
	known := map[float64][]string{}
	right := func(share float64) []string { // the alerts if the clock is right
		if known[share] == nil {
			events, _ := wrongClock(log.events, rand.New(rand.NewPCG(7, 1)), 0, share)
			known[share], _ = l.judged(t, events)
		}
		return known[share]
	}
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
			compare(t, c.name, got, right(c.share))
			if outcomes[ingest.Ahead] != wrong || outcomes[ingest.Expired] != 0 {
				t.Errorf("%v, want %d ahead", outcomes, wrong)
			}
		})
	}
	first := func(ahead int64) []event.Event {
		return append([]event.Event{wrongly(log.events[0].Time+ahead, 0)}, log.events...)
	}
	got, outcomes := l.judged(t, first(365*day))
	want, _ := l.judged(t, first(0))
	compare(t, "the first event of all, a year", got, want)
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

// Thieves whose clocks are always a day ahead are caught as if each acted at the same
// time as whoever acted last before, while others make most events.
func TestThiefWithAWrongClock(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.theft(t)
	issued := map[string]bool{}
	for i := range log.events {
		if !log.events[i].Action.Access() {
			issued[log.events[i].Session] = true
		}
	}
	events, right := slices.Clone(log.events), slices.Clone(log.events)
	from, latest := firstForged(t, log.calm), int64(0)
	for i := range events {
		if ev := &events[i]; ev.Time >= from && ev.Time < from+6*60*minute && ev.Session != "" && !issued[ev.Session] {
			ev.Time += day
			right[i].Time = latest
		}
		latest = right[i].Time
	}
	got, outcomes := l.judged(t, events)
	want, _ := l.judged(t, right)
	compare(t, "thieves whose clocks are a day ahead", got, want)
	if outcomes[ingest.Ahead] < 100 {
		t.Errorf("%v: too few are ahead", outcomes)
	}
}

// firstForged returns when the first alert tells of a forged token, Unix ms.
func firstForged(t *testing.T, alerts []string) int64 {
	t.Helper()
	for _, line := range alerts {
		a, err := alerting.ParseAlert([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if a.Fact == fact.UnissuedToken {
			return a.Time.Std().UnixMilli()
		}
	}
	t.Fatal("no token was forged")
	return 0
}

// With the same logs, how they are cut into portions, and who is killed while an event
// waits, cannot show.
func TestWrongClockIsRepeatable(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	events, _ := wrongClock(l.theft(t).events, rand.New(rand.NewPCG(1, 9)), 31*day, 0.01)
	var want []string
	for seed := range seeds() + 1 {
		m := newMesh(t, l, 7, 2, 2, false)
		m.spread(events) // by the same dice each time: the same logs
		m.dice, m.kills = rand.New(rand.NewPCG(seed, 4)), seed > 0
		m.portion, m.mostKills = 500, 100
		got := m.run()
		name := fmt.Sprintf("seed %d", seed)
		if m.replayed == 0 || m.outcomes[ingest.Ahead] == 0 {
			t.Errorf("%s: nothing waited at a commit, or nothing was ahead", name)
		}
		if seed == 0 {
			want = got
			continue
		}
		compare(t, name, got, want)
	}
}
