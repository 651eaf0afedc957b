package local_test

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/alias"
)

// names returns the three names that each person of a log has, and the table of them.
func names(t testing.TB, events []event.Event) (of func(person string, which int) string, people *alias.Table) {
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
	of, people := names(t, log.events)
	if got := l.calm(t, split(log.events, of)); slices.Equal(got, log.calm) {
		t.Error("without aliases the alerts are the same, so that nothing is shown")
	}
	l.people = people
	for seed := range seeds() {
		m := newMesh(t, l, seed, 2, 2, true)
		m.spread(split(log.events, of))
		compare(t, fmt.Sprintf("three names each, seed %d", seed), m.run(), log.calm)
		if m.killed == 0 {
			t.Errorf("seed %d: nobody was killed", seed)
		}
	}
}
