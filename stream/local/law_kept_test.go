package local_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/simulate"
)

// minted adds events whose actor, client and network are seen once, one for every event of
// a log, and among them a thief who has a new name too, but one.
func minted(events []event.Event) (out []event.Event) {
	dice := rand.New(rand.NewPCG(17, 0))
	last := events[len(events)-1].Time
	for i := range events {
		at := events[i].Time
		out = append(out, events[i], event.Event{
			Time: at, Actor: fmt.Sprintf("m%06d@example.com", i), Client: fmt.Sprintf("Mint%d/1.0", i), KeyID: events[i].KeyID,
			IP: fmt.Sprintf("10.%d.%d.7", i>>8&255, i&255), Endpoint: "/orders", Records: []string{fmt.Sprint("c", dice.IntN(5000))},
		})
		if last-at < 20*eventtime.Hour {
			out = append(out, event.Event{
				Time: at, Actor: "thief@example.com", Client: "Thief/1.0", KeyID: events[i].KeyID, IP: "10.9.9.9", Endpoint: "/orders",
				Records: []string{fmt.Sprint("stolen", i), fmt.Sprint("stolen too", i)},
			})
		}
	}
	return out
}

// oneOf returns one of so many events.
func oneOf(n int, events []event.Event) (out []event.Event) {
	for i := 0; i < len(events); i += n {
		out = append(out, events[i])
	}
	return out
}

// kept returns whom the tasks of a mesh keep, once all of it is written.
func (m *mesh) kept() (names []string) {
	for p, d := range m.detects {
		for d.task.Settle(); m.detectOne(p, 0); d.task.Settle() {
		}
		for key := range m.state[p] {
			if key[0] != 0 { // not a checkpoint, a fact or a shard
				names = append(names, key)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Who is kept, where there are more identities than may be, is a function of the events:
// in one partition, eight and sixty-four the same are kept and told of, whoever is killed.
// The thief among those who are seen once is told of.
func TestKeptIsOrderFree(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	events := minted(oneOf(soakOr(8, 1), traffic(t, simulate.Options{Scenario: "demo", Seed: 5, Days: soakOr(2, 12), Scale: 0.05})))
	all := map[string]bool{}
	for i := range events {
		all[events[i].Actor] = true
	}
	l.most = 4096
	want, kept := l.calm(t, events), []string(nil)
	if reported := strings.Join(want, "\n"); !strings.Contains(reported, "thief@example.com") {
		t.Errorf("the thief among minted names is not told of:\n%s", reported)
	}
	for seed := range seeds() {
		for _, partitions := range []int{1, 8, 64} {
			m := newMesh(t, l, seed, 3, partitions, partitions > 1)
			m.portion, m.mostKills = len(events)/20, 60
			m.spread(events)
			alerts, names := m.run(), m.kept()
			name := fmt.Sprintf("seed %d, %d partitions, %d kills", seed, partitions, m.killed)
			compare(t, name, alerts, want)
			if kept == nil {
				kept = names
			}
			if !slices.Equal(names, kept) {
				t.Errorf("%s: %d are kept, others than the %d of one partition", name, len(names), len(kept))
			}
			users := 0
			for _, n := range names {
				if strings.HasPrefix(n, "user\x00") {
					users++
				}
			}
			if users > l.most || users == len(all) {
				t.Errorf("%s: %d of %d users are kept, want at most %d", name, users, len(all), l.most)
			}
		}
	}
}
