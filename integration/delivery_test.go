package integration_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/integration/kafkatest"
)

// storm is how much is delivered, and through what.
type storm struct{ episodes, kills int }

var (
	shortStorm = storm{episodes: 150, kills: 2}
	soakStorm  = storm{episodes: 10_000, kills: 20}
)

// Whatever is killed, and whatever destination is down or at its limit, every
// message of every episode reaches every destination, in order; a kill repeats
// at most the one message that a destination was being told, under its old id.
func TestDelivery(t *testing.T) {
	if soak() {
		t.Skip("TestSoakDelivery is the long form of it")
	}
	deliverStorm(t, shortStorm)
}

// TestSoakDelivery is the long form of TestDelivery.
func TestSoakDelivery(t *testing.T) {
	if !soak() {
		t.Skip("takes long: make soak")
	}
	deliverStorm(t, soakStorm)
}

// hook is a receiver of webhooks that notes what it takes.
type hook struct {
	*httptest.Server
	name   string
	refuse func() (status int, retryAfter string) // 0: take it

	mu      sync.Mutex
	order   map[string][]string // ids by dedup key, as they came
	known   map[string]bool
	repeats int
	refused int
	last    time.Time
}

func newHook(t testing.TB, name string, refuse func() (int, string)) *hook {
	h := &hook{name: name, refuse: refuse, order: map[string][]string{}, known: map[string]bool{}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the id says it all
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuse != nil {
		if status, after := h.refuse(); status != 0 {
			h.refused++
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			w.WriteHeader(status)
			return
		}
	}
	id := r.Header.Get("Webhook-Id")
	key, _, _ := strings.Cut(id, "_")
	if h.known[id] {
		h.repeats++
	}
	h.known[id], h.last = true, time.Now()
	h.order[key] = append(h.order[key], id)
}

// taken returns how many different messages were taken.
func (h *hook) taken() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.known)
}

// limited takes so many requests a second, and no more than that at once. The
// limit is shared with others, who use it up now and then.
func limited(rate float64) func() (int, string) {
	tokens, at, requests := rate, time.Now(), 0
	return func() (int, string) {
		now := time.Now()
		tokens, at = min(rate, tokens+now.Sub(at).Seconds()*rate), now
		if requests++; requests%100 == 50 {
			tokens = 0
		}
		if tokens < 1 {
			return http.StatusTooManyRequests, "1"
		}
		tokens--
		return 0, ""
	}
}

func deliverStorm(t *testing.T, s storm) {
	kafkatest.Require(t)
	t.Parallel()
	b := kafkatest.Shared(t)
	d := deploy(t, b, b.Topic(t, 1))
	var mu sync.Mutex
	up := false
	hooks := []*hook{
		newHook(t, "calm", nil),
		newHook(t, "busy", limited(100)),
		newHook(t, "down", func() (int, string) {
			mu.Lock()
			defer mu.Unlock()
			if !up {
				return http.StatusServiceUnavailable, ""
			}
			return 0, ""
		}),
		newHook(t, "plain", nil),
	}
	d.alerts = "  destinations:\n"
	for _, h := range hooks {
		d.alerts += fmt.Sprintf("    - {name: %s, type: webhook, url: %q, secret: %s, per_minute: 60000}\n", h.name, h.URL, webhookSecret)
	}
	must(t, "topics", "-c", d.config(t, "topics"), "--create")
	want := tellStorm(t, d, s.episodes)
	total := s.episodes * len(statuses)

	began, dice := time.Now(), rand.New(rand.NewPCG(7, 7))
	p := d.start(t, "notifier", "--roles", "notify")
	for kill := range s.kills {
		// It kills while messages go out, all along the way.
		at := total * (kill + 1) / (s.kills + 1)
		eventually(t, longLimit, "messages go out", func() bool { return hooks[0].taken() >= at })
		time.Sleep(time.Duration(dice.Int64N(int64(100 * time.Millisecond))))
		p.kill(t)
		if kill == s.kills/2 {
			mu.Lock()
			up = true
			mu.Unlock()
		}
		p = d.start(t, "notifier", "--roles", "notify")
	}
	for _, h := range hooks {
		moved, n := time.Now(), -1
		eventually(t, time.Hour, h.name+" has all, or no more comes", func() bool {
			d.alive(t)
			if now := h.taken(); now != n {
				moved, n = time.Now(), now
			}
			return n == total || time.Since(moved) > longLimit
		})
	}
	deliveries := d.read(t, "deliveries")
	eventually(t, longLimit, "every delivery is on record", func() bool {
		deliveries.poll(200 * time.Millisecond)
		return len(deliveries.values) >= total*len(hooks)
	})
	p.stop(t)
	for deliveries.poll(time.Second) {
	}
	if n := len(deliveries.values); n != total*len(hooks) {
		t.Errorf("%d deliveries are on record, want %d: each once", n, total*len(hooks))
	}
	for _, h := range hooks {
		h.check(t, want, s.kills)
		took := h.last.Sub(began)
		t.Logf("%-5s took %d of %d messages of %d episodes in %v (%.0f/s), refused %d, got %d repeats in %d kills",
			h.name, h.taken(), total, s.episodes, took.Round(time.Second), float64(total)/took.Seconds(), h.refused, h.repeats, s.kills)
	}
}

// statuses of each episode of the storm.
var statuses = []alerting.Status{alerting.Open, alerting.Update, alerting.Close}

// tellStorm writes the alerts of so many episodes, as correlate would, and
// returns the ids of the messages of each.
func tellStorm(t testing.TB, d *deployment, episodes int) map[string][]string {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(d.broker.AdminAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	want := map[string][]string{}
	var mu sync.Mutex
	var failed error
	for nth, status := range statuses {
		for i := range episodes {
			at := int64(1_772_550_000_000 + nth*300_000)
			a := &alerting.Alert{
				Schema: alerting.Schema, Status: status, Time: alerting.Time(at), DedupKey: alerting.DedupKey("user", strconv.Itoa(i), 1_772_550_000_000),
				Dimension: "user", Identity: strconv.Itoa(i), Detector: "drift", Measure: "first_touch", Severity: episode.Medium,
				Summary: "User " + strconv.Itoa(i) + " has read 205 customers new to it.",
				Exposed: alerting.Exposed{Records: 205, Low: 205, High: 205, Since: alerting.Time(at)},
			}
			want[a.DedupKey] = append(want[a.DedupKey], a.MessageID())
			cl.Produce(t.Context(), &kgo.Record{Topic: d.topic("alerts"), Key: []byte(a.DedupKey), Value: a.AppendJSON(nil)}, func(_ *kgo.Record, err error) {
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
				}
			})
		}
	}
	if err := cl.Flush(t.Context()); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return want
}

// check holds what came to what should have: every message, in the order of its
// episode, repeats only right after the first time and no more than kills.
func (h *hook) check(t testing.TB, want map[string][]string, kills int) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	wrong := 0
	for key, ids := range want {
		var once []string
		for _, id := range h.order[key] {
			if len(once) == 0 || once[len(once)-1] != id {
				once = append(once, id)
			}
		}
		if fmt.Sprint(once) != fmt.Sprint(ids) {
			if wrong++; wrong <= 5 {
				t.Errorf("%s: of %s came %v, want %v", h.name, key, h.order[key], ids)
			}
		}
	}
	if wrong > 5 {
		t.Errorf("%s: %d episodes in all did not come as they should", h.name, wrong)
	}
	if h.repeats > kills {
		t.Errorf("%s: %d messages were repeated by %d kills, want at most one a kill", h.name, h.repeats, kills)
	}
}
