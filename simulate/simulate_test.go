package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
)

var update = flag.Bool("update", false, "write testdata/golden.txt anew")

// run gives every event of a company to visit.
func run(t testing.TB, opt Options, visit func(c *Company, ev *event.Event)) *Company {
	t.Helper()
	c, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	var ev event.Event
	for c.Next(&ev) {
		visit(c, &ev)
	}
	return c
}

// small is a company of every scenario's kind that runs in no time.
func small(scenario string) Options {
	return Options{Scenario: scenario, Seed: 3, Days: 15, Scale: 0.1}
}

// same reports whether two events are equal in everything.
func same(a, b *event.Event) bool {
	x, y := *a, *b
	x.Records, y.Records = nil, nil
	return reflect.DeepEqual(x, y) && slices.Equal(a.Records, b.Records)
}

// appendText writes an event so that different events are different texts.
func appendText(b []byte, ev *event.Event) []byte {
	b = strconv.AppendInt(b, ev.Time, 10)
	b = strconv.AppendInt(append(b, ' '), int64(ev.Action), 10)
	b = strconv.AppendInt(append(b, ' '), ev.Rows, 10)
	for _, s := range append([]string{ev.ID, ev.Actor, ev.Subject, ev.KeyID, ev.Session, ev.IP, ev.Client, ev.Endpoint}, ev.Records...) {
		b = append(append(b, '|'), s...)
	}
	return append(b, '\n')
}

// A stream depends on its options alone. A change of the golden sums is a
// change of everyone's test traffic: make it on purpose, with -update.
func TestRunsRepeatByteForByte(t *testing.T) {
	const golden = "testdata/golden.txt"
	var got strings.Builder
	for _, s := range Scenarios() {
		sum := sha256.New()
		var b []byte
		c := run(t, small(s.Name), func(_ *Company, ev *event.Event) {
			b = appendText(b[:0], ev)
			sum.Write(b)
		})
		fmt.Fprintf(&got, "%s %d %s\n", s.Name, c.Events(), hex.EncodeToString(sum.Sum(nil)[:16]))
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the streams have changed:\n%s\nwant:\n%s", got.String(), want)
	}
}

func TestAnotherSeedIsAnotherCompany(t *testing.T) {
	ids := map[string]bool{}
	for seed := range uint64(3) {
		opt := small("calm")
		opt.Seed, opt.Days = seed, 1
		run(t, opt, func(_ *Company, ev *event.Event) {
			if ids[ev.ID] {
				t.Fatalf("seed %d repeats the id %s of another seed", seed, ev.ID)
			}
			ids[ev.ID] = true
		})
	}
}

// Whatever the options: events in order, inside the span, ids unique, fields sane.
func TestEveryStreamIsWellFormed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opt := Options{
			Scenario:   rapid.SampledFrom(scenarioNames()).Draw(t, "scenario"),
			Seed:       rapid.Uint64().Draw(t, "seed"),
			Days:       rapid.IntRange(1, 9).Draw(t, "days"),
			Start:      time.UnixMilli(rapid.Int64Range(1e12, 2e12).Draw(t, "start")),
			Scale:      rapid.Float64Range(MinScale, 0.08).Draw(t, "scale"),
			LeakFactor: rapid.Float64Range(0.1, 5).Draw(t, "factor"),
		}
		c, err := New(opt)
		if err != nil {
			t.Fatal(err)
		}
		start, end := c.Span()
		last := start.UnixMilli()
		ids := map[string]bool{}
		var ev event.Event
		for c.Next(&ev) {
			if ev.Time < last || ev.Time >= end.UnixMilli() {
				t.Fatalf("time %d after %d, in %v..%v", ev.Time, last, start, end)
			}
			last = ev.Time
			if len(ev.ID) != 16 || ids[ev.ID] {
				t.Fatalf("id %q is malformed or repeats", ev.ID)
			}
			ids[ev.ID] = true
			if ev.Actor == "" || ev.Action.Access() != (len(ev.Records) > 0 || ev.Rows > 0) {
				t.Fatalf("neither a sane access nor a sane fact: %+v", ev)
			}
		}
	})
}

// A leak only adds. Without what it added, the stream is the calm one.
func TestScenarioIsCalmPlusItsLeak(t *testing.T) {
	for _, s := range Scenarios() {
		twin := small("calm")
		if findScenario(s.Name).quiet { // quieter than calm; its twin is itself before the leak
			twin = small(s.Name)
			twin.LeakStart = DefaultStart.AddDate(1, 0, 0)
		}
		calm, err := New(twin)
		if err != nil {
			t.Fatal(err)
		}
		var next event.Event
		more := calm.Next(&next)
		added := 0
		run(t, small(s.Name), func(c *Company, ev *event.Event) {
			if more && ev.ID == next.ID {
				if c.Leak() >= 0 || !same(ev, &next) {
					t.Fatalf("%s: the leak changes a calm event to %+v", s.Name, *ev)
				}
				more = calm.Next(&next)
				return
			}
			added++
		})
		if more {
			t.Errorf("%s: lacks an event of the calm company: %+v", s.Name, next)
		}
		if (added > 0) != (s.Name != "calm") {
			t.Errorf("%s: added %d events", s.Name, added)
		}
	}
}

func TestTruthAgreesWithARecount(t *testing.T) {
	for _, s := range Scenarios() {
		var recount []Leak
		victims := map[int]map[string]bool{}
		c := run(t, small(s.Name), func(c *Company, ev *event.Event) {
			i := c.Leak()
			if i < 0 || !ev.Action.Access() {
				return
			}
			for len(recount) <= i {
				recount = append(recount, Leak{})
			}
			l := &recount[i]
			at := time.UnixMilli(ev.Time).UTC()
			if l.Events == 0 {
				l.Start, victims[i] = at, map[string]bool{}
			}
			l.End = at
			l.Events++
			l.Rows += ev.Rows
			if ev.Action == event.Delete {
				l.Deletes++
			}
			for _, r := range ev.Records {
				victims[i][r] = true
			}
			l.Records = int64(len(victims[i]))
		})
		truth := c.Truth()
		if len(truth.Leaks) != len(recount) {
			t.Fatalf("%s: %d leaks in the truth, %d in the events", s.Name, len(truth.Leaks), len(recount))
		}
		if (s.Leak == "none" || strings.HasPrefix(s.Leak, "none;")) != (len(recount) == 0) {
			t.Errorf("%s: is described with the leak %q and has %d", s.Name, s.Leak, len(recount))
		}
		for i, got := range truth.Leaks {
			want := recount[i]
			want.Kind, want.Identities = got.Kind, got.Identities
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: the truth says\n%+v, the events\n%+v", s.Name, got, want)
			}
		}
	}
}

// decoder returns a function that sends an event through an encoding and back.
func decoder(t *testing.T, format string, encode func([]byte, *event.Event) []byte) func(ev *event.Event) *event.Event {
	f, err := files.LoadFormat(format)
	if err != nil {
		t.Fatal(err)
	}
	d := f.NewDecoder()
	var line []byte
	return func(ev *event.Event) (got *event.Event) {
		line = encode(line[:0], ev)
		d.Decode(line, func(ev *event.Event, rej *event.Reject) {
			if rej != nil {
				t.Fatalf("%s rejects %s: %+v", format, line, *rej)
			}
			got = ev
		})
		return got
	}
}

// Every identity that the truth names is behind events of the leak, written as
// weir's dimensions write it; and the two formats tell the same events.
func TestLeaksShowWhereTheTruthSays(t *testing.T) {
	native, ocsf := decoder(t, "native", event.AppendNative), decoder(t, "ocsf", event.AppendOCSF)
	for _, s := range Scenarios() {
		seen := map[string]bool{}
		opt := small(s.Name)
		opt.Scale = MinScale
		c := run(t, opt, func(c *Company, ev *event.Event) {
			if c.Leak() < 0 && c.Events()%16 != 0 {
				return // a sample of the benign ones is enough
			}
			decoded := native(ev)
			if other := ocsf(ev); !same(decoded, other) {
				t.Fatalf("%s: native tells %+v, OCSF %+v", s.Name, *decoded, *other)
			}
			if c.Leak() < 0 {
				return
			}
			for _, d := range event.DefaultDimensions() {
				if id, ok := d.AppendIdentity(nil, decoded, event.FixedHasher()); ok {
					seen[fmt.Sprint(c.Leak(), d.Name, string(id))] = true
				}
			}
		})
		for i, l := range c.Truth().Leaks {
			for dim, ids := range l.Identities {
				for _, id := range ids {
					if !seen[fmt.Sprint(i, dim, id)] {
						t.Errorf("%s: no event of the leak is behind %s %q", s.Name, dim, id)
					}
				}
			}
		}
	}
}

func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	for _, tt := range []struct {
		opt  Options
		want string
	}{
		{Options{Scenario: "clam"}, `choosing the scenario: no scenario "clam", choose one of: calm, forged-key, dormant, leaver, report, scrape, mules, greedy-agent, slow, newcomer, reread, retired-key, accounts, twin, returned, manager, analyst, migration, concealed, demo`},
		{Options{Scenario: "calm", Days: -1}, "setting the days: -1 is not in 1..3660"},
		{Options{Scenario: "calm", Scale: 1000}, "setting the scale: 1000 is not in 0.05..100"},
		{Options{Scenario: "calm", LeakFactor: -1}, "setting the leak factor: -1 is not above 0 and at most 1000"},
		{Options{Scenario: "calm", Start: time.Unix(0, 0)}, "setting the start: 21 days from 1970-01-01 are not in 2000-01-01..2100-01-01"},
	} {
		if _, err := New(tt.opt); err == nil || err.Error() != tt.want {
			t.Errorf("New(%+v) says %v, want %s", tt.opt, err, tt.want)
		}
	}
}

func TestEveryScenarioIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/simulate.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Scenarios() {
		if !strings.Contains(string(page), "`"+s.Name+"` | "+s.Leak) {
			t.Errorf("docs/simulate.md lacks the line of %s: | `%s` | %s |", s.Name, s.Name, s.Leak)
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(scenarioNames())))) != len(scenarios) {
		t.Error("two scenarios have one name")
	}
}

func BenchmarkNext(b *testing.B) {
	b.ReportAllocs()
	var ev event.Event
	c, err := New(Options{Scenario: "calm", Days: MaxDays})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !c.Next(&ev) {
			b.Fatal("the company ended")
		}
	}
}
