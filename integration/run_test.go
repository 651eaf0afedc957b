package integration_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/weirhq/weir/integration/kafkatest"
)

// What runs on Kafka and what reads files decide alike, whatever the form of
// the events.
func TestRunEqualsBacktest(t *testing.T) {
	c := company(t, 8)
	b := kafkatest.Shared(t)
	for format, path := range map[string]string{"native": c.native, "ocsf": c.ocsf} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			same(t, "backtest of "+format, backtest(t, format, path), c.alerts)
			source := b.Topic(t, 3)
			produce(t, producer(t, b), source, interleaved(3), 0, lines(t, path))
			d := deploy(t, b, source)
			d.format = format
			p := d.start(t, "one")
			same(t, "run on "+format, d.complete(t, len(c.alerts)), c.alerts)
			p.stop(t)
		})
	}
}

// Three days read as fast as possible, from partitions of which one is sparse,
// one is empty and one is a topic of its own: nothing is late, nothing is
// dropped. Peers whose tasks share no watermark lose 3 to 12 % here.
func TestReplayDropsNothing(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	source, empty := b.Topic(t, 5), b.Topic(t, 1)
	produce(t, producer(t, b), source, oneSparse(4), 0, c.events) // the fifth stays empty
	d := deploy(t, b, source, empty)
	p := d.start(t, "one")
	same(t, "replay", d.complete(t, len(c.alerts)), c.alerts)

	all := p.metric(t, "weir_events_total")
	if all != float64(len(c.events)) {
		t.Errorf("weir_events_total tells of %v events, want %d", all, len(c.events))
	}
	for _, outcome := range []string{"late", "ahead", "expired"} {
		if n := p.metric(t, "weir_events_total", "outcome", outcome); n != 0 {
			t.Errorf("%v events were %s", n, outcome)
		}
	}
	for _, name := range []string{"weir_overdue_partials", "weir_rejected_total", "weir_source_offsets_lost_total", "weir_task_failures_total"} {
		if n := p.metric(t, name); n != 0 {
			t.Errorf("%s is %v, want 0", name, n)
		}
	}
	p.stop(t)
}

// An empty topic is nothing to stumble over: the process is ready, says
// nothing, and takes what comes.
func TestEmptyTopic(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	d := deploy(t, b, b.Topic(t, 1))
	p := d.start(t, "one")
	p.ready(t)
	if got := d.complete(t, 0); len(got) > 0 {
		t.Fatalf("an empty topic raised %q", got)
	}
	produce(t, producer(t, b), d.sources[0], interleaved(1), 0, c.events)
	same(t, "what came at last", d.complete(t, len(c.alerts)), c.alerts)
	p.stop(t)
}

// A source topic that gets more partitions while weir runs is read whole.
func TestTopicGrows(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	source := b.Topic(t, 2)
	cut := tickBoundary(c.events)
	produce(t, producer(t, b), source, interleaved(2), 0, c.events[:cut])
	d := deploy(t, b, source)
	p := d.start(t, "one")
	adm := d.admin(t)
	eventually(t, longLimit, "the first half is read", func() bool {
		lag, known := d.lag(adm)
		return known && lag == 0
	})
	if _, err := adm.UpdatePartitions(t.Context(), 4, source); err != nil {
		t.Fatal(err)
	}
	eventually(t, shortLimit, "weir reads the new partitions", func() bool { return d.reads(adm, source) == 4 })
	produce(t, producer(t, b), source, interleaved(4), cut, c.events[cut:])
	same(t, "grown topic", d.complete(t, len(c.alerts)), c.alerts)
	if n := p.metric(t, "weir_overdue_partials"); n != 0 {
		t.Errorf("%v partials were overdue", n)
	}
	p.stop(t)
}

// tickBoundary returns the number of an event about half way that is the first
// of its tick: the time of the one before ends otherwise.
func tickBoundary(events [][]byte) int {
	tick := func(i int) string { // the time to ten minutes
		at := strings.Index(string(events[i]), `"time":"`)
		return string(events[i][at : at+len(`"time":"2026-01-05T00:0`)])
	}
	i := len(events) / 2
	for tick(i) == tick(i-1) {
		i++
	}
	return i
}

// reads returns how many partitions of a topic the ingest group is assigned.
func (d *deployment) reads(adm *kadm.Client, topic string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	groups, err := adm.DescribeGroups(ctx, d.group+"-ingest")
	if err != nil {
		return 0
	}
	all := groups.AssignedPartitions()
	return len(all[topic])
}

// What a reset reads again gives the same alerts under the same keys, and one that tells of
// the reset; and a reset is refused while a process runs.
func TestReset(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	d := deploy(t, b, b.Topic(t, 3))
	produce(t, producer(t, b), d.sources[0], interleaved(3), 0, c.events)
	p := d.start(t, "one")
	same(t, "first run", d.complete(t, len(c.alerts)), c.alerts)

	reset := []string{"reset", "-c", d.config(t, "one"), "--from", "earliest", "--yes"}
	refused(t, weir(t, reset...), 1, "stop every weir process first")
	p.stop(t)
	must(t, reset...)
	p = d.start(t, "one")
	all := d.complete(t, 2*len(c.alerts)+1)
	opened := 0
	rest := slices.DeleteFunc(all, func(alert string) bool {
		ofReset := strings.Contains(alert, "all that weir had learned is gone")
		if ofReset && strings.Contains(alert, `"status":"open"`) {
			opened++
		}
		return ofReset
	})
	same(t, "both runs", rest, slices.Concat(c.alerts, c.alerts))
	if opened != 1 {
		t.Errorf("the reset is alerted of %d times, want once", opened)
	}
	p.stop(t)
}

// refused expects an exit code and a message that has all the hints.
func refused(t testing.TB, r result, code int, hints ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\n%s", r.code, code, r.stderr)
	}
	for _, hint := range hints {
		if !strings.Contains(r.stderr, hint) {
			t.Errorf("the message does not say %q:\n%s", hint, r.stderr)
		}
	}
}

// A configuration that does not fit the state in Kafka is refused with the way
// out, and the state is left as it was.
func TestChangedConfiguration(t *testing.T) {
	t.Parallel()
	b := kafkatest.Shared(t)
	source := b.Topic(t, 1)
	d := deploy(t, b, source)
	p := d.start(t, "one")
	p.ready(t)
	p.stop(t)
	for _, test := range []struct {
		name   string
		change func(*deployment)
		hints  []string
	}{
		{"record key", func(d *deployment) { d.key = "ff" + recordKey[2:] },
			[]string{"record key", "use the old key file", "weir reset --from"}},
		{"dimensions", func(d *deployment) { d.dimensions = "{user: [actor], key: [key_id]}" },
			[]string{"dimensions", "set them back", "weir reset --from"}},
		{"partitions", func(d *deployment) { d.partitions = 5 },
			[]string{"partials has 4 partitions", "the configuration says 5", "set `partitions` back", "weir reset"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := *d
			changed.dir = t.TempDir()
			test.change(&changed)
			refused(t, weir(t, "run", "-c", changed.config(t, "one")), 1, test.hints...)
		})
	}
	p = d.start(t, "one")
	p.ready(t)
	p.stop(t)
}

// What is served while it runs, and what an orderly end leaves: exit code 0, no
// member in any group, no transaction open.
func TestServesAndStops(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	d := deploy(t, b, b.Topic(t, 2))
	produce(t, producer(t, b), d.sources[0], interleaved(2), 0, c.events)
	p := d.start(t, "one")
	if status, body := p.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("/healthz answers %d: %s", status, body)
	}
	p.ready(t)
	eventually(t, shortLimit, "events are counted", func() bool {
		return p.metric(t, "weir_events_total", "outcome", "counted") > 0
	})
	for _, stage := range []string{"ingest", "detect", "correlate"} {
		eventually(t, shortLimit, stage+" has a heartbeat", func() bool {
			return p.metric(t, "weir_heartbeat_timestamp_seconds", "stage", stage) > 0
		})
	}
	p.stop(t) // in the midst of its work

	adm := d.admin(t)
	groups, err := adm.DescribeGroups(t.Context(), d.group+"-ingest", d.group+"-detect", d.group+"-correlate")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups.Sorted() {
		if len(g.Members) > 0 {
			t.Errorf("group %s still has %d members", g.Group, len(g.Members))
		}
	}
	ids := []string{d.group + "-ingest-one-0", d.group + "-correlate"}
	for partition := range d.partitions {
		ids = append(ids, fmt.Sprintf("%s-detect-%d", d.group, partition))
	}
	transactions, err := adm.DescribeTransactions(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if state := transactions[id].State; strings.HasPrefix(state, "Ongoing") || state == "" {
			t.Errorf("transaction of %s is %q after the end", id, state)
		}
	}
	p = d.start(t, "one")
	same(t, "stopped and started again", d.complete(t, len(c.alerts)), c.alerts)
	p.stop(t)
}
