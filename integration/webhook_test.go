package integration_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/integration/kafkatest"
)

// receiver is what stands behind a webhook: it verifies each message with the
// reference library and refuses the first ones.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	refuse int
	bodies []string // in the order they were taken
	ids    map[string]int
	faults []string
}

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func newReceiver(t testing.TB, refuse int) *receiver {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(webhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{refuse: refuse, ids: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		switch {
		case err != nil:
			r.faults = append(r.faults, err.Error())
		case r.refuse > 0:
			r.refuse--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		default:
			if err := verifier.Verify(body, q.Header); err != nil {
				r.faults = append(r.faults, err.Error())
			}
			r.ids[q.Header.Get("Webhook-Id")]++
			r.bodies = append(r.bodies, string(body))
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// taken returns what was taken so far.
func (r *receiver) taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.bodies...)
}

// byEpisode puts alerts together that are of one episode. Their order is kept;
// that of the episodes is not, since one whose message fails delays no other.
// What messages add for their readers, advice and links, is left out.
func byEpisode(t testing.TB, texts []string) (out []string) {
	t.Helper()
	alerts := make([]*alerting.Alert, len(texts))
	for i, text := range texts {
		a, err := alerting.ParseAlert([]byte(text))
		if err != nil {
			t.Fatalf("a message is no alert: %s: %v", text, err)
		}
		a.Benign, a.Checks, a.Links = nil, nil, alerting.Links{}
		alerts[i] = a
	}
	slices.SortStableFunc(alerts, func(a, b *alerting.Alert) int { return strings.Compare(a.DedupKey, b.DedupKey) })
	for _, a := range alerts {
		out = append(out, string(a.AppendJSON(nil)))
	}
	return out
}

// A webhook gets every alert of weir run, signed, in the order of its episode
// and once, although it fails at first; and each delivery is on record.
func TestWebhook(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	r := newReceiver(t, 2)
	d := deploy(t, b, b.Topic(t, 2))
	d.alerts = "  destinations:\n    - {name: soc, type: webhook, url: " + strconv.Quote(r.URL) +
		", secret: " + webhookSecret + ", per_minute: 6000}\n    - {name: console, type: stdout}\n"
	produce(t, producer(t, b), d.sources[0], interleaved(2), 0, c.events)
	p := d.start(t, "one")
	same(t, "run", d.complete(t, len(c.alerts)), c.alerts)
	deliveries := d.read(t, "deliveries")
	eventually(t, shortLimit, "every delivery is on record", func() bool {
		deliveries.poll(200 * time.Millisecond)
		return len(deliveries.values) >= 2*len(c.alerts)
	})
	p.stop(t)

	same(t, "messages", byEpisode(t, r.taken()), byEpisode(t, c.alerts))
	same(t, "stdout", byEpisode(t, splitLines(p.stdout.String())), byEpisode(t, c.alerts))
	for _, fault := range r.faults {
		t.Errorf("a message was not as it should be: %s", fault)
	}
	for id, n := range r.ids {
		if n != 1 {
			t.Errorf("message %s was taken %d times", id, n)
		}
	}
	attempts := map[string]int{}
	for _, value := range deliveries.values {
		record, err := notify.ParseDelivery([]byte(value))
		if err != nil {
			t.Fatalf("weir.deliveries holds %s: %v", value, err)
		}
		if record.Outcome != notify.Delivered {
			t.Errorf("a delivery was %s: %s", record.Outcome, value)
		}
		attempts[record.Destination] += record.Attempts
	}
	if n := attempts["soc"]; n != len(c.alerts)+2 {
		t.Errorf("%d attempts are on record for the webhook, want %d, and the two that it refused", n, len(c.alerts))
	}
	if n := attempts["console"]; n != len(c.alerts) {
		t.Errorf("%d attempts are on record for stdout, want %d", n, len(c.alerts))
	}
}
