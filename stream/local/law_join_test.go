package local_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/join"
)

const (
	sessionsTopic = "weir.sessions"
	loginGrace    = 15 * minute
)

// joined is the configuration of ingest tasks that send tokens to the join.
func (l *lab) joined(partitions int32) ingest.Config {
	cfg := l.ingest(partitions)
	cfg.SessionsTopic = sessionsTopic
	return cfg
}

// watchful is the configuration of detect tasks that tell facts.
func (l *lab) watchful() detect.Config {
	cfg := l.detect()
	cfg.Facts = l.facts()
	return cfg
}

// joiner is a join task and how far it has read.
type joiner struct {
	task *join.Task
	next int // index into the log
}

func (m *mesh) restoreJoin(p int) {
	in := m.lab.joined(int32(len(m.partials)))
	cfg := join.ConfigFor(&in, loginGrace)
	cfg.Partition = int32(p)
	r := join.NewRestore(cfg)
	for key, value := range m.tokens[p] {
		if err := r.Load([]byte(key), value); err != nil {
			m.t.Fatal(err)
		}
	}
	task, from, _ := r.Begin(0)
	next := 0
	for next < len(m.sessions[p]) && m.sessions[p][next].offset < from {
		next++
	}
	m.joins[p] = &joiner{task, next}
}

// joinOne lets a join task read up to n records and commit. It reports whether
// anything changed.
func (m *mesh) joinOne(p, n int) bool {
	j := m.joins[p]
	moved := false
	for ; n > 0 && j.next < len(m.sessions[p]); n-- {
		rec := m.sessions[p][j.next]
		batch, err := stream.DecodeSessions(rec.value)
		if err == nil {
			err = j.task.Apply(rec.offset, batch)
		}
		if err != nil {
			m.t.Fatal(err)
		}
		j.next++
		moved = true
	}
	j.task.Advance()
	found, changes := j.task.Take()
	if found == nil {
		return moved
	}
	for _, c := range append(changes, j.task.Checkpoint()) {
		if c.Value == nil {
			delete(m.tokens[p], string(c.Key))
		} else {
			m.tokens[p][string(c.Key)] = append([]byte(nil), c.Value...)
		}
	}
	for _, r := range found {
		m.write(m.partials, r.Partition, r.Value)
	}
	return true
}

func (m *mesh) joinAll() bool {
	moved := false
	for p := range m.joins {
		moved = m.joinOne(p, 10) || moved
	}
	return moved
}

// write appends a record to a log. Control records take offsets too.
func (m *mesh) write(logs [][]record, p int32, value []byte) {
	next := int64(0)
	if log := logs[p]; len(log) > 0 {
		next = log[len(log)-1].offset + 1
	}
	next += int64(m.dice.IntN(3))
	logs[p] = append(logs[p], record{next, append([]byte(nil), value...)})
}

// knownFacts is a log of leavers, revoked keys, forged tokens and logins that are
// missing now and then.
func (l *lab) knownFacts(t testing.TB) *lawLog {
	t.Helper()
	return factsLog.made(t, l, func() []event.Event {
		s := newChronicle(8, 10*minute)
		for at, n := int64(0), 0; at < 8*day; at, n = at+5*minute, n+1 {
			token := fmt.Sprint("s", n)
			if n%50 != 7 {
				s.add(at, event.Event{Action: event.Login, Actor: "shop", Session: token, KeyID: "mobile"})
			}
			s.read(at+minute, fmt.Sprint("u", n), "mobile", token, fmt.Sprint("u", n))
		}
		for i := range int64(60) {
			s.read(6*day+i*7*minute, "victim", "mobile", fmt.Sprint("forged", i/2), fmt.Sprint("v", i))
		}
		s.add(2*day, event.Event{Action: event.Leave, Actor: "hr", Subject: "kim"})
		s.add(2*day, event.Event{Action: event.Join, Actor: "eve", Subject: "ext"})
		s.add(3*day, event.Event{Action: event.Leave, Actor: "hr", Subject: "eve"})
		s.add(2*day, event.Event{Action: event.Leave, Actor: "hr", Subject: "lee"})
		for i := range int64(20) {
			s.add(3*day+i*hour, event.Event{Action: event.Login, Actor: "lee", Session: fmt.Sprint("lee", i)})
		}
		s.reads(4*day, 200, "kim", "sso", "")
		s.reads(5*day, 90, "ext", "sso", "")
		s.add(4*day, event.Event{Action: event.Revoke, Actor: "ops", Subject: "k2", KeyID: "k2"})
		s.reads(4*day+3*hour, 300, "app", "k2", "")
		s.sort()
		return s.events
	})
}

// Facts are order-free as statistics are: what is told of leavers, keys, tokens
// and their logins does not depend on who was told when, or killed.
func TestFactsAreOrderFree(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.knownFacts(t)
	want := log.calm
	for _, fact := range []string{"unissued_token", "acted_after_leave", "orphan_account_used", "revoked_key"} {
		if !slices.ContainsFunc(want, func(line string) bool { return strings.Contains(line, fact) }) {
			t.Errorf("nothing is told of %s, so that nothing is shown of it", fact)
		}
	}
	if !slices.ContainsFunc(want, func(line string) bool { return strings.Contains(line, `"lee"`) }) {
		t.Error("nothing is told of a leaver who only signs in")
	}
	for seed := range 2 * seeds() {
		dice := rand.New(rand.NewPCG(seed, 5))
		m := newMesh(t, l, seed, 1+dice.IntN(4), 1+dice.IntN(4), seed%3 != 0)
		m.mostKills, m.portion = 60, 300
		m.spread(log.events)
		compare(t, fmt.Sprintf("seed %d, %d kills", seed, m.killed), m.run(), want)
	}
}
