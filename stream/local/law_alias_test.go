package local_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/local"
)

// namesOf returns the three names that each person of a log has, and the table of them.
func namesOf(t testing.TB, events []event.Event) (of func(person string, which int) string, people []alias.Alias) {
	t.Helper()
	of = func(person string, which int) string {
		switch h := fnv.New32a(); which % 3 {
		case 1:
			return person + "@example.com"
		case 2:
			_, _ = h.Write([]byte(person))
			return fmt.Sprint("S-1-5-21-", h.Sum32())
		}
		return person
	}
	seen := map[string]bool{}
	var rows strings.Builder
	rows.WriteString("name,person\n")
	for i := range events {
		for _, person := range []string{events[i].Actor, events[i].Subject} {
			if person != "" && !seen[person] && !alias.Shared(person) {
				seen[person] = true
				fmt.Fprintf(&rows, "%s,%s\n%s,%s\n", strings.ToUpper(of(person, 1)), person, of(person, 2), of(person, 1))
			}
		}
	}
	people, err := alias.Read(strings.NewReader(rows.String()))
	if err != nil {
		t.Fatal(err)
	}
	return of, people
}

// split gives each event one of its person's three names.
func split(events []event.Event, of func(string, int) string) (out []event.Event) {
	out = slices.Clone(events)
	for i := range out {
		if ev := &out[i]; ev.Actor != "" && !alias.Shared(ev.Actor) {
			ev.Actor = of(ev.Actor, i)
		}
		if ev := &out[i]; ev.Subject != "" && !ev.Action.Access() && !alias.Shared(ev.Subject) {
			ev.Subject = of(ev.Subject, i+1)
		}
	}
	return out
}

// What is split over three names of each person is one log with that of one name, byte
// for byte, by many tasks that are killed. Without the table it is another.
func TestAliasesJoinNames(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.theft(t)
	of, people := namesOf(t, log.events)
	if got := l.calm(t, split(log.events, of)); slices.Equal(got, log.calm) {
		t.Error("without aliases the alerts are the same, so that nothing is shown")
	}
	l.people = alias.Of(people)
	for seed := range seeds() {
		m := newMesh(t, l, seed, 2, 2, true)
		m.spread(split(log.events, of))
		compare(t, fmt.Sprintf("three names each, seed %d", seed), nameless(t, m.run()), log.calm)
		if m.killed == 0 {
			t.Errorf("seed %d: nobody was killed", seed)
		}
	}
}

// nameless returns alerts without the names by which people acted, which there must be.
func nameless(t *testing.T, alerts []string) (out []string) {
	t.Helper()
	seen := false
	for _, a := range alerts {
		plain := names.ReplaceAllString(a, "")
		seen = seen || plain != a
		out = append(out, plain)
	}
	if !seen {
		t.Error("no alert tells by which names people acted")
	}
	return out
}

// Names that are linked while people work are no flood of first touches: what the names
// have read is nothing new to the person, whatever the case of the name, and what the names
// together are used to read in a day is expected of the person.
func TestLinkingIsNoFlood(t *testing.T) {
	t.Parallel()
	const days = 9
	l := newLab(t)
	start := simulate.DefaultStart.UnixMilli()
	var events []event.Event
	for hour := range int64(24 * days) {
		if hour%24 < 8 || hour%24 >= 17 {
			continue
		}
		for i, name := range []string{"kim", "KIM@example.com", "S-1-5-21-7"} {
			for n := range int64(4 * (i + 1)) { // 36, 72 and 108 a day, of other customers each
				id := fmt.Sprint(name, "/", hour%24*100+n)
				events = append(events, event.Event{Time: start + hour*eventtime.Hour + n*eventtime.Minute, Actor: name, Records: []string{id}})
			}
		}
	}
	linked := start + (days-1)*eventtime.Day
	people, err := alias.Read(strings.NewReader("name,person,since\nkim@example.com,kim," + eventtime.Text(linked) + "\ns-1-5-21-7,kim@example.com," + eventtime.Text(linked) + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	l.people = alias.Of(people)
	for _, tasks := range []int{1, 3} {
		bin := l.grid.BinOf(linked + 15*eventtime.Hour)
		of := l.measures(t, events, tasks, "kim", bin)
		if m := of["first_touch"]; m.Observed != 0 {
			t.Errorf("%d tasks: %v first touches, want none", tasks, m.Observed)
		}
		if m := of["distinct"]; m.Observed != 192 || m.Expected < 180 || m.Expected > 230 {
			t.Errorf("%d tasks: %v records where %v are expected, want 192 where about 216 are", tasks, m.Observed, m.Expected)
		}
	}
}

// measures returns what is counted and expected of a user at the end of a bin.
func (l *lab) measures(t *testing.T, events []event.Event, tasks int, user string, bin int64) map[string]stream.MeasureEvidence {
	t.Helper()
	dim := slices.Index(l.names, "user")
	runner := local.New(l.ingest(1), l.detect(), l.correlate(1), []stream.Topic{{Name: "access", Partitions: 1}}, tasks)
	runner.Ask(dim, user, bin)
	for i := range events {
		runner.Fold(stream.Source{Topic: "access"}, stamp, &events[i])
		if i%100 == 99 {
			if _, err := runner.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := runner.End(); err != nil {
		t.Fatal(err)
	}
	answer := runner.Answer(dim, user)
	if answer == nil {
		t.Fatal("the bin has not ended")
	}
	out := map[string]stream.MeasureEvidence{}
	for _, m := range answer.Measures {
		out[m.Measure] = m
	}
	return out
}

var names = regexp.MustCompile(`,"names":\[[^\]]*\]`)

// aliasWriter is the one writer of the aliases of a mesh, with the log that it writes.
type aliasWriter struct {
	register *alias.Register
	queue    []alias.Alias // what comes, in order
	log      []alias.Record
	grants   int
}

// step takes in some aliases and grants what ingest asks for, as the dice say.
func (w *aliasWriter) step(m *mesh) {
	for n := m.dice.IntN(len(w.queue)/3 + 2); n > 0 && len(w.queue) > 0; n-- {
		if _, err := w.register.Add(w.queue[0]); err != nil {
			m.t.Fatal(err)
		}
		w.queue = w.queue[1:]
	}
	furthest := int64(eventtime.Never)
	for _, p := range m.committed {
		if furthest = max(furthest, p.MaxTime); p.Wants != 0 {
			furthest = max(furthest, p.Wants)
		}
	}
	if furthest != eventtime.Never {
		w.register.Grant(furthest + (1+m.dice.Int64N(24))*eventtime.Hour)
		w.grants++
	}
	w.log = append(w.log, w.register.Take()...)
}

// follow returns the table of one that has not read the last records of the log yet.
func (w *aliasWriter) follow(t testing.TB, behind int) *alias.Table {
	table := alias.NewTable(alias.Always)
	for _, rec := range w.log[:max(0, len(w.log)-behind)] {
		if err := table.Follow(rec.Key, rec.Value); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

// Aliases that come while events are counted, by a log of their own, late, to workers that
// have read it more or less far and are killed: what they do is a function of the events
// and of what the log says in the end.
func TestLateAliasesAreOrderFree(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.theft(t)
	of, people := namesOf(t, log.events)
	events := split(log.events, of)
	for seed := range seeds() {
		dice := rand.New(rand.NewPCG(seed, 9))
		m := newMesh(t, l, seed, 2+dice.IntN(2), 2, true)
		m.aliases = &aliasWriter{register: alias.NewRegister(l.grid), queue: slices.Clone(people)}
		for p := range m.detects {
			m.restoreDetect(p)
		}
		dice.Shuffle(len(m.aliases.queue), func(i, j int) {
			m.aliases.queue[i], m.aliases.queue[j] = m.aliases.queue[j], m.aliases.queue[i]
		})
		m.portion = len(events) / 40
		m.spread(events)
		got := m.run()
		if m.killed == 0 || len(m.aliases.queue) > 0 || m.aliases.grants < 10 {
			t.Errorf("seed %d: %d killed, %d aliases left, %d grants", seed, m.killed, len(m.aliases.queue), m.aliases.grants)
		}
		calm := *l
		calm.people = m.aliases.follow(t, 0)
		calm.people.SetComplete(alias.Forever)
		want := calm.calm(t, events)
		if slices.Equal(want, log.calm) {
			t.Error("late aliases change nothing, so that nothing is shown")
		}
		compare(t, fmt.Sprintf("seed %d", seed), got, want)
		if m.handed == 0 {
			t.Errorf("seed %d: nothing was handed over", seed)
		}
	}
}
