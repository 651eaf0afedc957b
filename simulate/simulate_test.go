package simulate

import (
	"testing"

	"github.com/weirhq/weir/event"
)

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

func TestEventsComeInOrderOfTime(t *testing.T) {
	for _, s := range Scenarios() {
		var last int64
		c := run(t, Options{Scenario: s.Name, Seed: 1}, func(c *Company, ev *event.Event) {
			if ev.Time < last {
				t.Fatalf("%s: an event at %d after one at %d", s.Name, ev.Time, last)
			}
			last = ev.Time
		})
		t.Logf("%s: %d events, %+v", s.Name, c.Events(), c.Truth().Leaks)
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
