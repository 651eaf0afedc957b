package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/integration/kafkatest"
)

// secret stands in every poison; what was rejected must not travel on.
const secret = "S3CRET-4711"

// poison is a record that must not stop the stream. Without a reason it is
// taken in, cut to the limits and without the fields that cannot be read, as of the time of the event before it: what comes
// two days late opens its episode at the tick at which it comes, which is not the
// same for three partitions and a file.
type poison struct {
	reason string
	value  string
}

// onTime stands for the time of the event before.
const onTime = "on time"

func poisons() []poison {
	event := func(fields string) string {
		return fmt.Sprintf(`{"actor":%q,"action":"read",%s}`, secret, fields)
	}
	var ids strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&ids, "%d,", i)
	}
	future := time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	return []poison{
		{"not_json", secret + " is no JSON"},
		{"not_json", event(`"time":NaN`)},
		{"not_json", event(`"time":"2026-01-06T10:00:00Z"`)[:40]},
		{"empty", ""},
		{"not_an_object", `"` + secret + `"`},
		{"invalid_utf8", event(`"time":"2026-01-06T10:00:00Z","client":"` + "\xff\xfe" + `"`)},
		{"too_deep", strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)},
		{"too_large", event(`"time":"2026-01-06T10:00:00Z","client":"` + strings.Repeat("x", 10<<20) + `"`)},
		{"time_missing", event(`"rows":1`)},
		{"time_unreadable", event(`"time":"yesterday"`)},
		{"time_out_of_range", event(`"time":"9999-12-31T23:59:59Z"`)},
		{"time_unreadable", event(`"time":1e300`)},
		{"", `{"time":"` + onTime + `","action":"read","actor":"clerk","records":[{"id":1}]}`},
		{"", `{"time":"` + onTime + `","action":"read","actor":"clerk","rows":-1}`},
		{"", `{"time":"` + onTime + `","actor":"export","action":"export","records":[` + ids.String() + `1]}`},
		{"", `{"time":"` + future + `","action":"read","actor":"clerk"}`}, // counts at the time that others have reached
		{"", `{"time":"` + onTime + `","action":"conquer","ip":"999.1.1.1","actor":"` + strings.Repeat("y", 100_000) + `"}`},
	}
}

// Poison lands on weir.rejects with its position and reason, is counted, quotes
// nothing, and changes nothing else: alerts are those of a backtest of the same
// records.
func TestPoison(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	source := b.Topic(t, 3, "max.message.bytes", fmt.Sprint(16<<20))
	client := producer(t, b)
	large, err := kgo.NewClient(kgo.SeedBrokers(b.AdminAddr()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(16<<20))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(large.Close)

	want := map[position]string{}
	var file bytes.Buffer
	list := poisons()
	from := 0
	for i, p := range list {
		to := (i + 1) * len(c.events) / (len(list) + 1)
		produce(t, client, source, interleaved(3), from, c.events[from:to])
		file.Write(bytes.Join(c.events[from:to], []byte("\n")))
		file.WriteByte('\n')
		from = to
		value := strings.Replace(p.value, onTime, timeOf(t, c.events[to-1]), 1)
		r := &kgo.Record{Topic: source, Partition: int32(i % 3), Value: []byte(value)}
		if err := large.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatalf("producing poison (%s): %v", p.reason, err)
		}
		file.WriteString(value + "\n")
		if p.reason != "" {
			want[position{r.Partition, r.Offset}] = p.reason
		}
	}
	produce(t, client, source, interleaved(3), from, c.events[from:])
	file.Write(bytes.Join(c.events[from:], []byte("\n")))
	alerts := backtest(t, "native", write(t, filepath.Join(t.TempDir(), "poison.ndjson"), file.String()))

	d := deploy(t, b, source)
	p := d.start(t, "one")
	same(t, "poisoned run", d.complete(t, len(alerts)), alerts)

	got := d.rejects(t, source, len(want))
	for at, reason := range want {
		if got[at] != reason {
			t.Errorf("partition %d offset %d was rejected as %q, want %q", at.partition, at.offset, got[at], reason)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d records were rejected, want %d: %v", len(got), len(want), got)
	}
	taken := p.metric(t, "weir_events_total")
	if n := float64(len(c.events) + len(list) - len(want)); taken != n {
		t.Errorf("%v events were taken in, want %v", taken, n)
	}
	if n := p.metric(t, "weir_rejected_total"); n != float64(len(want)) {
		t.Errorf("weir_rejected_total is %v, want %d", n, len(want))
	}
	if n := p.metric(t, "weir_task_failures_total"); n != 0 {
		t.Errorf("weir_task_failures_total is %v, want 0", n)
	}
	_, metrics := p.get(t, "/metrics")
	for where, text := range map[string]string{"the log": p.stderr.String(), "the metrics": metrics} {
		if strings.Contains(text, secret) {
			t.Errorf("%s quotes a rejected value", where)
		}
	}
	p.stop(t)
}

// timeOf returns the time of an event as it is written.
func timeOf(t testing.TB, event []byte) string {
	t.Helper()
	var e struct{ Time string }
	if err := json.Unmarshal(event, &e); err != nil || e.Time == "" {
		t.Fatalf("an event without a time (%v): %s", err, event)
	}
	return e.Time
}

// position is where a record stands in the source topic.
type position struct {
	partition int32
	offset    int64
}

// rejects reads weir.rejects until it tells of n records, and returns the reason
// of each.
func (d *deployment) rejects(t testing.TB, source string, n int) map[position]string {
	t.Helper()
	out := map[position]string{}
	log := d.read(t, "rejects")
	eventually(t, shortLimit, fmt.Sprintf("%d rejects are recorded", n), func() bool {
		log.poll(200 * time.Millisecond)
		for _, value := range log.values {
			var r struct {
				Topic, Reason string
				Partition     int32
				Offsets       [][2]int64
			}
			if err := json.Unmarshal([]byte(value), &r); err != nil || r.Topic != source {
				t.Fatalf("weir.rejects holds %s (%v)", value, err)
			}
			if strings.Contains(value, secret) {
				t.Errorf("weir.rejects quotes a rejected value: %s", value)
			}
			for _, span := range r.Offsets {
				for at := span[0]; at <= span[1]; at++ {
					out[position{r.Partition, at}] = r.Reason
				}
			}
		}
		return len(out) >= n
	})
	return out
}

// A clock that jumps a day ahead in one partition makes what follows there
// late, and one that jumps back is late itself: all of it is counted, and the
// alerts are those of a backtest that reads the partitions as files.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	d := deploy(t, b, b.Topic(t, 3))
	jump := func(to string) []byte {
		return []byte(`{"time":"` + to + `","action":"read","actor":"jumper","client":"jumper/1.0","records":["1","2"]}`)
	}
	events := append([][]byte{}, c.events...)
	events[len(events)/3] = jump("2026-01-05T01:00:00Z") // back to the first night
	events[len(events)/2] = jump("2026-01-07T12:00:00Z") // ahead to the last noon
	to := interleaved(3)
	produce(t, producer(t, b), d.sources[0], to, 0, events)

	var files []string
	var parts [3]bytes.Buffer
	for i, e := range events {
		part := &parts[to(i, e)]
		part.Write(e)
		part.WriteByte('\n')
	}
	dir := t.TempDir()
	for i := range parts {
		files = append(files, write(t, filepath.Join(dir, fmt.Sprintf("%d.ndjson", i)), parts[i].String()))
	}
	want := backtest(t, "native", files...)
	p := d.start(t, "one")
	same(t, "run with jumps", d.complete(t, len(want)), want)

	late, all := p.metric(t, "weir_events_total", "outcome", "late"), p.metric(t, "weir_events_total")
	if late == 0 || all != float64(len(events)) {
		t.Errorf("%v events were late and %v taken in, want some and %d", late, all, len(events))
	}
	for _, name := range []string{"weir_rejected_total", "weir_overdue_partials"} {
		if n := p.metric(t, name); n != 0 {
			t.Errorf("%s is %v, want 0", name, n)
		}
	}
	p.stop(t)
}
