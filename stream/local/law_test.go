package local_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
)

const minute = eventtime.Minute

// lab holds the configuration that the tests of this package share.
type lab struct {
	grid   eventtime.Grid
	engine *score.Engine
	dims   []event.Dimension
	names  []string
	people *alias.Table
	hasher event.Hasher
	secret []byte // of the keys of episodes
	most   int    // identities of a dimension that are kept; 0: all
}

func newLab(t testing.TB) *lab {
	t.Helper()
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{grid: grid, dims: event.DefaultDimensions(), hasher: event.FixedHasher()}
	for _, d := range l.dims {
		l.names = append(l.names, d.Name)
	}
	l.engine = score.NewEngine(time.Hour, time.UTC, score.DefaultTuning())
	return l
}

func (l *lab) ingest(partitions int32) ingest.Config {
	return ingest.Config{
		Grid: l.grid, Dimensions: l.dims, Hasher: l.hasher, Partitions: partitions,
		Lateness: 10 * minute, Future: 10 * minute, Retention: 30 * 24 * 60 * minute, Aliases: l.people,
	}
}

func (l *lab) detect() detect.Config {
	var heirs *detect.HeirsConfig
	if l.people != nil {
		heirs = &detect.HeirsConfig{Table: l.people, Dimension: slices.Index(l.names, "user"), Partitions: 1}
	}
	return detect.Config{
		Heirs: heirs,
		Grid:  l.grid, Dimensions: l.names, Persons: detect.Persons(l.dims), Peers: detect.DefaultPeers(l.dims), Engine: l.engine,
		Lateness: 10 * minute, Retention: 30 * 24 * 60 * minute, SnapshotTicks: 12, Identities: l.most,
	}
}

func (l *lab) correlate(partitions int32) correlate.Config {
	return correlate.Config{
		Grid: l.grid, Dimensions: l.names, Engine: l.engine, Partitions: partitions, Retention: 30 * 24 * 60 * minute,
		Budget: fleet.NewConfig(2, l.names, 24), Location: time.UTC, DedupSecret: l.secret,
	}
}

// traffic returns the events of a simulated company, in order of time.
func traffic(t testing.TB, o simulate.Options) []event.Event {
	t.Helper()
	c, err := simulate.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var out []event.Event
	var ev event.Event
	for c.Next(&ev) {
		e := ev
		e.Records = append([]string(nil), ev.Records...)
		out = append(out, e)
	}
	return out
}

func lines(t testing.TB, alerts []alerting.Alert) (out []string) {
	t.Helper()
	for i := range alerts {
		out = append(out, string(alerts[i].AppendJSON(nil)))
	}
	return out
}

const stamp = int64(4e12) // the records' own timestamps: never in the events' past

// calm returns what one ingest, one join and one detect task make of the events.
func (l *lab) calm(t testing.TB, events []event.Event) []string {
	t.Helper()
	alerts, _ := l.judged(t, events)
	return alerts
}

func compare(t *testing.T, name string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "(none)", "(none)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%s: alert %d of %d (want %d) differs:\n got %s\nwant %s", name, i, len(got), len(want), g, w)
		}
	}
}

// lawLog is a log that several laws are held against, and what one task of each
// kind says of it. Both are made once, by the first test that asks.
type lawLog struct {
	once   sync.Once
	events []event.Event
	calm   []string
}

var theftLog, factsLog lawLog

func (g *lawLog) made(t testing.TB, l *lab, events func() []event.Event) *lawLog {
	t.Helper()
	g.once.Do(func() {
		g.events = events()
		g.calm = l.calm(t, g.events)
	})
	if n := len(g.calm); n < 3 {
		t.Fatalf("the traffic raises %d alerts: too few to tell anything", n)
	}
	return g
}

// theft is a company in which tokens are forged and an agent turns greedy.
func (l *lab) theft(t testing.TB) *lawLog {
	t.Helper()
	return theftLog.made(t, l, func() []event.Event {
		o := simulate.Options{Scenario: "demo", Seed: 3, Days: soakOr(9, 15), Scale: 0.05}
		if testing.Short() {
			o.Days, o.LeakStart = 4, simulate.DefaultStart.AddDate(0, 0, 3).Add(10*time.Hour)
		}
		return traffic(t, o)
	})
}

// The alerts are a function of the set of events: neither how they are spread
// over partitions, nor in which order and portions they come, nor how many
// tasks there are, nor who is killed when, can show in a byte of them.
func TestOrderFree(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.theft(t)
	for seed := range seeds() {
		for _, kills := range []bool{false, true} {
			if testing.Short() && !kills {
				continue
			}
			dice := rand.New(rand.NewPCG(seed, 2))
			sources, partitions := 1+dice.IntN(5), 1+dice.IntN(4)
			m := newMesh(t, l, seed, sources, partitions, kills)
			m.spread(log.events)
			got := m.run()
			name := fmt.Sprintf("seed %d, %d sources, %d partitions, %d kills", seed, sources, partitions, m.killed)
			compare(t, name, got, log.calm)
			if kills && m.killed == 0 {
				t.Errorf("%s: nobody was killed", name)
			}
		}
	}
}

// soakOr returns the second under make soak, else the first.
func soakOr[T int | uint64](short, long T) T {
	if os.Getenv("WEIR_SOAK") != "" {
		return long
	}
	return short
}

// seeds is how many dice a law is held against.
func seeds() uint64 {
	if testing.Short() {
		return 1
	}
	return soakOr[uint64](2, 20)
}

// TestSoakLaws holds the laws against longer traffic and many more dice.
func TestSoakLaws(t *testing.T) {
	if soakOr(0, 1) == 0 {
		t.Skip("hours of work: make soak")
	}
	for _, law := range []struct {
		name  string
		holds func(*testing.T)
	}{
		{"order-free", TestOrderFree},
		{"silent partitions", TestSilentPartitionsAreRestored},
		{"late", TestLateIsRepeatable},
		{"evidence", TestEvidenceIsOrderFree},
		{"facts", TestFactsAreOrderFree},
		{"verdicts", TestVerdictsAreOrderFree},
	} {
		t.Run(law.name, law.holds)
	}
}

// Partitions that are silent for long, in which only watched identities are
// closed bin by bin, are restored like the others: here many small partitions,
// and somebody killed all the time.
func TestSilentPartitionsAreRestored(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.theft(t)
	for seed := range seeds() {
		m := newMesh(t, l, seed, 2, 24, true)
		m.mostKills = 300
		m.spread(log.events)
		compare(t, fmt.Sprintf("seed %d", seed), m.run(), log.calm)
	}
}

// What comes later than the lateness is applied at a tick that follows from its
// own source partition's log, so with the same logs neither kills nor the
// number of tasks can show. Here a source fails for hours and its backlog comes
// afterwards, in one burst.
func TestLateIsRepeatable(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var events []event.Event
	if testing.Short() {
		events = withBacklog(l.theft(t).events, simulate.DefaultStart.AddDate(0, 0, 2).Add(10*time.Hour), 3*time.Hour)
	} else {
		events = traffic(t, simulate.Options{Scenario: "scrape", Seed: 5, Days: soakOr(9, 14), Scale: 0.05, Backlog: true})
	}
	var want []string
	for seed := range seeds() + 1 {
		dice := rand.New(rand.NewPCG(seed, 3))
		m := newMesh(t, l, 7, 3, 1+dice.IntN(4), false)
		m.spread(events) // by the same dice each time: the same logs
		m.dice, m.kills = rand.New(rand.NewPCG(seed, 4)), seed > 0
		got := m.run()
		if m.outcomes[ingest.Late] == 0 {
			t.Fatal("nothing was late")
		}
		if seed == 0 {
			want = got
			continue
		}
		compare(t, fmt.Sprintf("seed %d, %d kills", seed, m.killed), got, want)
	}
	if len(want) < 3 {
		t.Fatalf("the traffic raises %d alerts: too few to tell anything", len(want))
	}
}

// withBacklog lets what happens within an outage come half an hour after its end,
// in one burst.
func withBacklog(events []event.Event, outage time.Time, lasts time.Duration) (out []event.Event) {
	from, to := outage.UnixMilli(), outage.Add(lasts).UnixMilli()
	var held []event.Event
	for _, ev := range events {
		switch {
		case ev.Time >= from && ev.Time < to:
			held = append(held, ev)
			continue
		case ev.Time >= to+30*minute:
			out = append(out, held...)
			held = nil
		}
		out = append(out, ev)
	}
	return out
}
