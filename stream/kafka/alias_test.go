package kafka_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/task"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// renamed returns events of which every second one gives another name of who acted, and
// the aliases that say so, beside two that cannot be one.
func renamed(events [][]byte) (out, aliases [][]byte) {
	aliases = [][]byte{[]byte(`{"name":"root","person":"kim"}`), []byte("no alias")}
	actor, seen := regexp.MustCompile(`"actor":"([^"]+)"`), map[string]bool{}
	for i, value := range events {
		if name := actor.FindSubmatch(value); name != nil && !alias.Shared(string(name[1])) {
			if !seen[string(name[1])] {
				seen[string(name[1])] = true
				aliases = append(aliases, fmt.Appendf(nil, `{"name":"CRM:%s","person":"%s"}`, name[1], name[1]))
			}
			if i%2 == 0 {
				value = actor.ReplaceAll(value, []byte(`"actor":"crm:$1"`))
			}
		}
		out = append(out, value)
	}
	return out, aliases
}

// noon returns the first of some events of a day's second half: at midday on the second
// day of the log.
func noon(t *testing.T, events [][]byte) int {
	t.Helper()
	day := events[0][:bytes.IndexByte(events[0], 'T')]
	for i, value := range events {
		if at := bytes.IndexByte(value, 'T'); !bytes.Equal(value[:at], day) && bytes.HasPrefix(value[at:], []byte("T12:")) {
			return i
		}
	}
	t.Fatal("no day has a noon")
	return 0
}

// Aliases that come by a topic, before the events and late, to two processes of which one
// is stopped, do what they do in a backtest that reads what came to count.
func TestAliasesOnKafka(t *testing.T) { inBubble(t, testAliasesOnKafka) }

func testAliasesOnKafka(t *testing.T) {
	d := newDeployment(t, 2)
	events, _, _ := d.leak(t)
	events, aliases := renamed(events)
	early, cut := len(aliases)/2, noon(t, events)
	d.deal(t, "hr", 2, aliases[:early], func(i int) int32 { return int32(i % 2) })
	d.deal(t, "access", 3, nil, nil)
	var stops []func()
	for _, name := range []string{"p", "q"} {
		stops = append(stops, start(t, d.withAliases(d.options(t, name))).stop)
		time.Sleep(20 * time.Second)
	}
	defer stops[0]()
	d.deal(t, "access", 3, events[:cut], func(i int) int32 { return int32(i/7) % 3 })
	time.Sleep(20 * time.Second)
	d.deal(t, "hr", 2, aliases[early:], func(i int) int32 { return int32(i % 2) })
	time.Sleep(20 * time.Second)
	d.deal(t, "access", 3, events[cut:], func(i int) int32 { return int32(i/7) % 3 })
	stops[1]()

	without, _ := d.local(t, events)
	time.Sleep(4 * time.Minute)
	var err error
	if d.people, err = topics.ReadAliases(t.Context(), &d.conn, topics.Named("weir."), "hr", d.grid); err != nil {
		t.Fatal(err)
	}
	first, err := alias.Decode(aliases[2])
	if err != nil {
		t.Fatal(err)
	}
	last, err := alias.Decode(aliases[len(aliases)-1])
	if err != nil {
		t.Fatal(err)
	}
	if n := d.people.Len(); n != len(aliases)-2 {
		t.Errorf("%d aliases count, want %d", n, len(aliases)-2)
	}
	if got := d.people.Person(first.Name, 0); got != first.Person {
		t.Errorf("what came before the first event does not count for it: %s is %s", first.Name, got)
	}
	if d.people.Person(last.Name, 0) != last.Name || d.people.Person(last.Name, afterTraffic.UnixMilli()) != last.Person {
		t.Error("what came late does not count from an event time on")
	}
	want, _ := d.local(t, events)
	if slices.Equal(want, without) {
		t.Error("the names change nothing, so that nothing is shown")
	}
	compare(t, d.alerts(t, len(want), 5*time.Minute), want)
}

// withAliases has a process go by the aliases of the topic hr.
func (d *deployment) withAliases(o *kafka.Options) *kafka.Options {
	o.Ingest.Aliases = alias.NewTable(alias.Always)
	o.Aliases = &task.Aliases{Topic: "hr"}
	o.Sources.Idle = 2 * time.Minute // longer than the test waits between events
	return o
}

// What was written of aliases before the deployment began counts in a backtest too, where
// nothing has run yet.
func TestReadAliasesOfTheirTopic(t *testing.T) { inBubble(t, testReadAliasesOfTheirTopic) }

func testReadAliasesOfTheirTopic(t *testing.T) {
	d := newDeployment(t, 1)
	cl, err := d.conn.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	d.deal(t, "hr", 1, [][]byte{[]byte(`{"name":"a","person":"kim"}`), []byte(`{"name":"b","person":"kim"}`)}, func(int) int32 { return 0 })
	if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "hr", Key: []byte("A")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]string{"hr": "kim", "": ""} {
		people, err := topics.ReadAliases(t.Context(), &d.conn, topics.Named("weir."), topic, d.grid)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			if people != nil {
				t.Error("there are aliases where none were written")
			}
			continue
		}
		if got := people.Person("b", 0); got != want || people.Person("a", 0) != "a" || people.Complete() != alias.Forever {
			t.Errorf("b is %s, a is %s, complete up to %d", got, people.Person("a", 0), people.Complete())
		}
	}
}
