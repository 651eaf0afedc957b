package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/integration/kafkatest"
)

// secrets are the texts that must not come out: customers' ids and tokens, each
// of idLen hexadecimal digits, so that they can be told from anything else.
type secrets map[string]string // what each is

const idLen = 24

// disguise gives a customer's id or a token another name, always the same.
func (s secrets) disguise(what, id string) string {
	a, b := fnv.New64a(), fnv.New32a()
	fmt.Fprint(a, what, id)
	fmt.Fprint(b, id, what)
	out := fmt.Sprintf("%016x%08x", a.Sum64(), b.Sum32())
	s[out] = what
	return out
}

// in returns the secrets that stand in a text, whatever stands around them.
func (s secrets) in(text []byte) map[string]string {
	found := map[string]string{}
	run := 0
	for i, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			run = 0
			continue
		}
		if run++; run >= idLen {
			id := string(text[i+1-idLen : i+1])
			if what, secret := s[id]; secret {
				found[id] = what
			}
		}
	}
	return found
}

// disguised returns the events with every id and token under a name that can be
// searched for, also where it stands in a path, and what they are. Some events
// are spoilt, so that rejects are written too.
func disguised(t testing.TB, events [][]byte) ([][]byte, secrets) {
	t.Helper()
	s := secrets{}
	out := make([][]byte, len(events))
	for i, line := range events {
		var ev map[string]any
		if err := json.Unmarshal(line, &ev); err != nil {
			t.Fatal(err)
		}
		if token, ok := ev["session"].(string); ok {
			ev["session"] = s.disguise("token", token)
		}
		if ids, ok := ev["records"].([]any); ok {
			for j, id := range ids {
				ids[j] = s.disguise("customer", fmt.Sprint(id))
			}
			if endpoint, ok := ev["endpoint"].(string); ok && len(ids) > 0 {
				ev["endpoint"] = strings.ReplaceAll(endpoint, "{id}", ids[0].(string))
			}
		}
		switch i % 5000 {
		case 17:
			ev["time"] = fmt.Sprint("at ", ev["session"])
		case 18:
			ev["records"] = map[string]any{"of": ev["records"]}
		case 19:
			ev["ip"] = ev["session"]
		}
		b, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		if i%5000 == 20 {
			b = b[:len(b)-1]
		}
		out[i] = b
	}
	return out, s
}

// No output of a full run holds a customer's id or a token of its input: not
// weir's topics, not its log at the finest level, not its metrics, not what it
// sends, not the ledger.
func TestPrivacy(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	events, s := disguised(t, c.events)
	b := kafkatest.Shared(t)
	var mu sync.Mutex
	var sent []byte
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, body...)
		if calls++; calls%3 == 0 { // so that there are dead letters
			http.Error(w, "no", http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	d := deploy(t, b, b.Topic(t, 2))
	d.alerts = fmt.Sprintf("  destinations:\n    - {name: soc, type: webhook, url: %q, secret: %s, per_minute: 6000}\n    - {name: console, type: stdout}\n", server.URL, webhookSecret)
	d.log = "  level: debug\n"
	produce(t, producer(t, b), d.sources[0], interleaved(2), 0, events)
	p := d.start(t, "one")
	alerts := d.complete(t, len(c.alerts)/2)
	if len(alerts) < 3 {
		t.Fatalf("the run raised %d alerts, too few to look at", len(alerts))
	}
	deliveries := d.read(t, "deliveries")
	eventually(t, longLimit, "every delivery is on record", func() bool {
		deliveries.poll(200 * time.Millisecond)
		return len(deliveries.values) >= 2*len(alerts)
	})
	_, metrics := p.get(t, "/metrics")
	ledger := must(t, "ledger", "print", "-c", d.config(t, "ledger"))
	p.stop(t)

	mu.Lock()
	outputs := map[string][]byte{
		"stdout": []byte(p.stdout.String()), "the log": []byte(p.stderr.String()), "the metrics": []byte(metrics),
		"the webhook": sent, "the ledger": []byte(ledger),
	}
	mu.Unlock()
	for topic, text := range d.everything(t) {
		outputs[topic] = text
	}
	// What is searched for can be found: it stands in the source.
	if found := s.in(outputs[d.sources[0]]); len(found) < len(s) {
		t.Fatalf("of %d secrets the source holds %d: the search is broken", len(s), len(found))
	}
	delete(outputs, d.sources[0])
	for _, name := range []string{"partials", "state", "evidence", "alerts", "rejects", "deliveries", "deadletters", "outbox", "ledger", "fleet", "parameters"} {
		if len(outputs[d.topic(name)]) == 0 {
			t.Errorf("%s is empty, so nothing is shown of it", d.topic(name))
		}
	}
	for name, text := range outputs {
		for id, what := range s.in(text) {
			t.Errorf("%s holds the %s %s", name, what, id)
			break
		}
	}
	t.Logf("%d ids and tokens were searched for in %d outputs", len(s), len(outputs))
}

// everything returns all that stands on the topics of the deployment and on its
// sources, also what was aborted: keys, headers and values.
func (d *deployment) everything(t testing.TB) map[string][]byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longLimit)
	defer cancel()
	adm := d.admin(t)
	topics, err := adm.ListTopics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range topics.Names() {
		if strings.HasPrefix(name, d.prefix) || name == d.sources[0] {
			names = append(names, name)
		}
	}
	ends, err := adm.ListEndOffsets(ctx, names...)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]map[int32]int64{}
	from := map[string]map[int32]kgo.Offset{}
	for _, end := range ends.Offsets().Sorted() {
		if end.At > 0 {
			if left[end.Topic] == nil {
				left[end.Topic], from[end.Topic] = map[int32]int64{}, map[int32]kgo.Offset{}
			}
			left[end.Topic][end.Partition], from[end.Topic][end.Partition] = end.At, kgo.NewOffset().AtStart()
		}
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(d.broker.AdminAddr()), kgo.ConsumePartitions(from), kgo.KeepControlRecords())
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	out := map[string][]byte{}
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("reading all topics: %v; left are %v", ctx.Err(), left)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			text := append(append(append(out[r.Topic], r.Key...), '\n'), r.Value...)
			for _, h := range r.Headers {
				text = append(append(append(text, h.Key...), '='), h.Value...)
			}
			out[r.Topic] = append(text, '\n')
			if r.Offset+1 >= left[r.Topic][r.Partition] {
				delete(left[r.Topic], r.Partition)
				if len(left[r.Topic]) == 0 {
					delete(left, r.Topic)
				}
			}
		})
	}
	return out
}
