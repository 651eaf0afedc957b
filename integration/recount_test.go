package integration_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/integration/kafkatest"
	"github.com/weirhq/weir/integration/recount"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream/correlate"
)

// rawEvent is an event of a source topic as a program reads it that knows nothing of
// weir.
type rawEvent struct {
	Time    time.Time `json:"time"`
	Action  string    `json:"action"`
	Actor   string    `json:"actor"`
	KeyID   string    `json:"key_id"`
	Session string    `json:"session"`
	Records []any     `json:"records"`

	IP       string `json:"ip"`
	Client   string `json:"client"`
	Endpoint string `json:"endpoint"`
	Rows     int64  `json:"rows"`
}

// id matches a number in a path, which stands for {id}.
var id = regexp.MustCompile(`/\d+(/|$)`)

// event returns the event as the recount takes it.
func (ev *rawEvent) event(t testing.TB) event.Event {
	t.Helper()
	out := event.Event{
		Time: ev.Time.UnixMilli(), Actor: ev.Actor, KeyID: ev.KeyID, Session: ev.Session, IP: ev.IP, Client: ev.Client, Endpoint: id.ReplaceAllString(ev.Endpoint, "/{id}$1"), Rows: ev.Rows,
	}
	if ev.Action != "" {
		var known bool
		if out.Action, known = event.ParseAction(ev.Action); !known {
			t.Fatalf("an event has the action %q", ev.Action)
		}
	}
	for _, r := range ev.Records {
		out.Records = append(out.Records, fmt.Sprint(r))
	}
	return out
}

// rawEvents reads all n records of a topic.
func rawEvents(t testing.TB, d *deployment, topic string, n int) (out []rawEvent) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(d.broker.AdminAddr()), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), longLimit)
	defer cancel()
	for len(out) < n && ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			var ev rawEvent
			if err := json.Unmarshal(r.Value, &ev); err != nil {
				t.Fatal(err)
			}
			out = append(out, ev)
		})
	}
	if len(out) != n {
		t.Fatalf("%s holds %d records, want %d", topic, len(out), n)
	}
	return out
}

// recounted returns the customers of the events that are wanted, each once, sorted.
func recounted(events []rawEvent, wanted func(*rawEvent) bool) []string {
	var ids []string
	for i := range events {
		ev := &events[i]
		if slices.Contains([]string{"login", "logout", "issue", "revoke", "retire", "join", "leave"}, ev.Action) || !wanted(ev) {
			continue
		}
		for _, r := range ev.Records {
			ids = append(ids, fmt.Sprint(r))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// raised is what the tests below read of an alert.
type raised struct {
	DedupKey  string    `json:"dedup_key"`
	Status    string    `json:"status"`
	Time      time.Time `json:"time"`
	Dimension string    `json:"dimension"`
	Identity  string    `json:"identity"`
	Fact      string    `json:"fact"`
	Exposed   struct {
		Since time.Time `json:"since"`
	} `json:"exposed"`
}

// lastAlerts returns the latest alert of each episode about a user or a key.
func lastAlerts(t testing.TB, alerts []string) map[string]raised {
	t.Helper()
	out := map[string]raised{}
	for _, line := range alerts {
		var a raised
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		if a.Dimension == "user" || a.Dimension == "key" {
			out[a.DedupKey] = a
		}
	}
	return out
}

// checkNumbers holds every number of every alert, sent or held back, against the raw
// events, and returns the alerts in the order of time.
func checkNumbers(t *testing.T, d *deployment, events []rawEvent, sent []string) (all []alerting.Alert) {
	t.Helper()
	for _, line := range sent {
		a, err := alerting.ParseAlert([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *a)
	}
	recount.FollowSent(t, all)
	held := d.read(t, "suppressed")
	for n := -1; n < len(held.values); {
		n = len(held.values)
		held.poll(time.Second)
	}
	for _, line := range held.values {
		s, err := correlate.DecodeSuppressed([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s.Alert)
	}
	slices.SortStableFunc(all, func(a, b alerting.Alert) int { return cmp.Compare(a.Time, b.Time) })
	var log []event.Event
	for i := range events {
		log = append(log, events[i].event(t))
	}
	slices.SortStableFunc(log, func(a, b event.Event) int { return cmp.Compare(a.Time, b.Time) })
	r := recount.New(event.DefaultDimensions(), 15*60_000, log)
	for i := range all {
		r.Check(t, &all[i])
	}
	recount.FollowOnsets(t, all)
	t.Logf("%d alerts of %d events are recounted", len(all), len(log))
	return all
}

// TestSoakRecount recounts the alerts about every scenario.
func TestSoakRecount(t *testing.T) {
	if !soak() {
		t.Skip("takes long: make soak")
	}
	for _, s := range simulate.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "events.ndjson")
			must(t, "simulate", "--scenario", s.Name, "--seed", "6", "--scale", "0.05", "--days", "15", "--leak-start", "2026-01-19T10:00:00Z", "--out", path)
			events, want := lines(t, path), backtest(t, "native", path)
			d := deploy(t, kafkatest.Shared(t), kafkatest.Shared(t).Topic(t, 3))
			produce(t, producer(t, d.broker), d.sources[0], interleaved(3), 0, events)
			p := d.start(t, "one")
			checkNumbers(t, d, rawEvents(t, d, d.sources[0], len(events)), d.complete(t, len(want)))
			p.stop(t)
		})
	}
}

// The list of an episode is that of a recount from the raw topic by code that shares
// nothing with weir, and so is every number of every alert; explain raises each alert again from the topic; and status tells
// how the deployment is, while it runs and afterwards.
func TestRecount(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	d := deploy(t, kafkatest.Shared(t), kafkatest.Shared(t).Topic(t, 3))
	produce(t, producer(t, d.broker), d.sources[0], interleaved(3), 0, c.events)
	p := d.start(t, "one")
	sent := d.complete(t, len(c.alerts))
	alerts := lastAlerts(t, sent)
	config := d.config(t, "looker")
	events := rawEvents(t, d, d.sources[0], len(c.events))
	all := checkNumbers(t, d, events, sent)
	if len(alerts) < 2 {
		t.Fatalf("%d episodes about users and keys: too few to test with", len(alerts))
	}
	for key, a := range alerts {
		of := func(ev *rawEvent) bool {
			is := map[string]string{"user": ev.Actor, "key": ev.KeyID}[a.Dimension]
			return is == a.Identity && !ev.Time.Before(a.Exposed.Since) && ev.Time.Before(a.Time)
		}
		list := extractOf(t, config, key)
		if want := recounted(events, of); !slices.Equal(list, want) {
			t.Errorf("%s %s: extract lists %d customers, a recount finds %d", a.Dimension, a.Identity, len(list), len(want))
		}
		if a.Fact == "unissued_token" {
			checkUnissued(t, config, key, events, of)
		}
		if text := weir(t, "explain", key, "-c", config, "--replay"); !strings.Contains(text.stdout, "the same alert, byte for byte") {
			t.Errorf("%s %s: exit code %d\n%s%s", a.Dimension, a.Identity, text.code, text.stdout, text.stderr)
		}
	}
	checkStatus(t, config, events, all)
	r := weir(t, "status", "-c", config)
	if r.code != 0 || !strings.Contains(r.stdout, "The statistics learn since") || strings.Contains(r.stdout, "What must be mended") {
		t.Errorf("status of what runs: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if status, body := p.get(t, "/status"); status != 200 || !strings.Contains(body, `"reasons":["`) {
		t.Errorf("/status answers %d %s", status, body)
	}
	p.stop(t)
	if r := weir(t, "status", "-c", config); r.code != 1 || !strings.Contains(r.stdout, "No process of weir runs") {
		t.Errorf("status of what has stopped: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// checkUnissued holds the list of what was read through unissued tokens against a
// recount: tokens of no login and no issue, of which the first read came a day or
// more after the first login.
func checkUnissued(t *testing.T, config, key string, events []rawEvent, of func(*rawEvent) bool) {
	t.Helper()
	issued, first := map[string]bool{}, map[string]time.Time{}
	var login time.Time
	for i := range events {
		ev := &events[i]
		switch {
		case ev.Session == "":
		case ev.Action == "login" || ev.Action == "issue":
			if issued[ev.Session] = true; login.IsZero() || ev.Time.Before(login) {
				login = ev.Time
			}
		case first[ev.Session].IsZero() || ev.Time.Before(first[ev.Session]):
			first[ev.Session] = ev.Time
		}
	}
	list := extractOf(t, config, key, "--only", "unissued")
	want := recounted(events, func(ev *rawEvent) bool {
		return of(ev) && ev.Session != "" && !issued[ev.Session] && first[ev.Session].Sub(login) >= 24*time.Hour
	})
	if !slices.Equal(list, want) || len(want) == 0 {
		t.Errorf("%s: extract lists %d customers that were read through unissued tokens, a recount finds %d", key, len(list), len(want))
	}
}

// extractOf runs weir extract and returns what it lists, sorted.
func extractOf(t *testing.T, config, key string, args ...string) []string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "customers.txt")
	must(t, append([]string{"extract", key, "-c", config, "--out", out}, args...)...)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	ids := splitLines(string(text))
	slices.Sort(ids)
	return ids
}
