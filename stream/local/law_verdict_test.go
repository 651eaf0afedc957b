package local_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/local"
)

// answered returns what so many detect tasks in one process tell and hold back where
// people have said something of the episodes.
func (l *lab) answered(t *testing.T, said []correlate.Verdict, events []event.Event, tasks int) (sent, held []string) {
	t.Helper()
	runner := local.New(l.joined(1), l.watchful(), l.correlate(1), []stream.Topic{{Name: "access", Partitions: 1}}, tasks)
	runner.Held = func(s *correlate.Suppressed) { held = append(held, string(s.AppendJSON(nil))) }
	for i := range said {
		runner.Correlate.ApplyVerdict(int64(i), &said[i])
	}
	take := func(alerts []alerting.Alert, err error) {
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, lines(t, alerts)...)
	}
	for i := range events {
		runner.Fold(stream.Source{Topic: "access"}, stamp, &events[i])
		if i%5000 == 4999 {
			take(runner.Flush())
		}
	}
	take(runner.End())
	return sent, held
}

// Tasks that work side by side in one process tell what one tells.
func TestTasksSideBySide(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.knownFacts(t)
	verdicts := answers(t, log.calm)
	sent, held := l.answered(t, verdicts, log.events, 1)
	if len(sent) == 0 || len(held) == 0 {
		t.Fatalf("%d alerts, %d held back: there is nothing to compare", len(sent), len(held))
	}
	if s, h := l.answered(t, verdicts, log.events, 3); !slices.Equal(s, sent) || !slices.Equal(h, held) {
		t.Errorf("three tasks tell %d and hold back %d, one %d and %d, or others", len(s), len(h), len(sent), len(held))
	}
}

// Alerts are a function of the events and of what people said: killed or not,
// in however many tasks, what is confirmed is excised, and what is expected held
// back, at the same tick.
func TestVerdictsAreOrderFree(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.theft(t)
	if testing.Short() {
		log = l.knownFacts(t) // a short theft has too few episodes
	}
	events, plain := log.events, log.calm
	verdicts := answers(t, plain)
	sent, held := l.answered(t, verdicts, events, 1)
	if slices.Equal(sent, plain) || len(held) == 0 {
		t.Fatalf("the verdicts changed nothing: %d alerts, %d held back", len(sent), len(held))
	}
	for seed := range max(1, seeds()-1) {
		dice := rand.New(rand.NewPCG(seed, 8))
		m := newMesh(t, l, seed, 1+dice.IntN(4), 1+dice.IntN(4), true)
		for i := range verdicts {
			m.said = append(m.said, &verdicts[i])
		}
		m.restoreCorrelate()
		m.portion = len(events) / 20
		m.spread(events)
		got := m.run()
		name := fmt.Sprintf("seed %d, %d kills", seed, m.killed)
		compare(t, name, got, sent)
		compare(t, name+", held back", m.held, held)
	}
}

// answers says something of each of the first episodes.
func answers(t *testing.T, alerts []string) (out []correlate.Verdict) {
	t.Helper()
	kinds := []correlate.VerdictKind{correlate.Confirmed, correlate.Expected, correlate.Acknowledged}
	seen := map[string]bool{}
	for _, line := range alerts {
		a, err := alerting.ParseAlert([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if seen[a.DedupKey] || len(out) == 6 {
			continue
		}
		seen[a.DedupKey] = true
		out = append(out, correlate.Verdict{
			ID: fmt.Sprint(len(out)), Kind: kinds[len(out)%3], DedupKey: a.DedupKey, Author: "kim", Reason: "why",
			Expires: alerting.Time(a.Time.Std().AddDate(0, 1, 0).UnixMilli()),
		})
	}
	if len(out) < 3 {
		t.Fatalf("only %d episodes", len(out))
	}
	return out
}
