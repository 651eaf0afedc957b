package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/deliver"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// receiver is a destination that takes what its script lets it.
type receiver struct {
	name   string
	script func(a *alerting.Alert, nth int) (retry bool, err error) // nth attempt at this message, from 1; nil: takes all

	beat func(h *alerting.Heartbeat) (retry bool, err error) // nil: takes all

	mu       sync.Mutex
	attempts map[string]int
	taken    []string // message ids
	given    []string // references handed back, of those taken
	texts    []string
}

func (r *receiver) Name() string { return r.name }

func (r *receiver) Notify(ctx context.Context, a *alerting.Alert) (bool, error) {
	_, retry, err := r.Upsert(ctx, a, "")
	return retry, err
}

func (r *receiver) Beat(_ context.Context, h *alerting.Heartbeat) (bool, error) {
	if r.beat == nil {
		return false, nil
	}
	return r.beat(h)
}

func (r *receiver) Upsert(_ context.Context, a *alerting.Alert, reference string) (string, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts == nil {
		r.attempts = map[string]int{}
	}
	r.attempts[a.MessageID()]++
	if r.script != nil {
		if retry, err := r.script(a, r.attempts[a.MessageID()]); err != nil {
			return "", retry, err
		}
	}
	r.taken = append(r.taken, a.MessageID())
	r.given = append(r.given, reference)
	r.texts = append(r.texts, a.Summary)
	return "ref of " + a.DedupKey, false, nil
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.taken)
}

// waitFor waits until the receiver has taken n messages.
func (r *receiver) waitFor(t testing.TB, n int) []string {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		got := r.got()
		if len(got) >= n {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has taken %d messages, want %d: %v", r.name, len(got), n, got)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// story is one alert of an episode; its place in the episode is its minute.
func story(key string, nth int, status alerting.Status, severity episode.Severity) *alerting.Alert {
	return &alerting.Alert{
		Schema: alerting.Schema, DedupKey: key, Status: status, Time: alerting.Time(1_772_550_000_000 + int64(nth)*60_000),
		Dimension: "user", Identity: "of " + key, Detector: "drift", Measure: "distinct", Severity: severity, Summary: "about " + key,
	}
}

// tell writes alerts as correlate does.
func (d *deployment) tell(t testing.TB, alerts ...*alerting.Alert) {
	t.Helper()
	cl, err := kgo.NewClient(append(d.conn.Extra, kgo.SeedBrokers(d.conn.Brokers...))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for _, a := range alerts {
		rec := &kgo.Record{Topic: "weir.alerts", Key: []byte(a.DedupKey), Value: a.AppendJSON(nil)}
		if err := cl.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// records returns what a topic of one partition holds, read committed.
func (d *deployment) records(t testing.TB, topic string, n int) []*kgo.Record {
	t.Helper()
	cl, err := kgo.NewClient(append(d.conn.Extra, kgo.SeedBrokers(d.conn.Brokers...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out []*kgo.Record
	for len(out) < n && ctx.Err() == nil {
		out = append(out, cl.PollFetches(ctx).Records()...)
	}
	if len(out) < n {
		t.Fatalf("%s holds %d records, want %d", topic, len(out), n)
	}
	return out
}

// notifying is a process of nothing but notify.
func (d *deployment) notifying(t testing.TB, receivers ...*receiver) *kafka.Options {
	t.Helper()
	p := d.options(t, "notifier")
	p.Roles, p.Sources.Sources = []kafka.Role{kafka.RoleNotify}, nil
	for _, r := range receivers {
		p.Destinations = append(p.Destinations, deliver.Destination{Destination: r, Policy: notify.Policy{
			PerMinute: -1, MinBackoff: 10 * time.Millisecond, MaxBackoff: 50 * time.Millisecond,
		}})
	}
	return p
}

// prepare makes the topics, so that alerts can be told before anyone listens.
func (d *deployment) prepare(t testing.TB) {
	t.Helper()
	if err := topics.Ensure(t.Context(), &d.conn, topics.Named("weir.").Specs(d.partitions), 1); err != nil {
		t.Fatal(err)
	}
}

var errDown = errors.New("the receiver answered 503")

// A destination that is down delays no other, and gets all of it in order once
// it is back; an alert that one cannot digest delays its own episode only.
func TestNotifyDelaysNobody(t *testing.T) { inBubble(t, testNotifyDelaysNobody) }

func testNotifyDelaysNobody(t *testing.T) {
	d := newDeployment(t, 1)
	d.prepare(t)
	var list []*alerting.Alert
	for nth, status := range []alerting.Status{alerting.Open, alerting.Update, alerting.Close} {
		for key := range 10 {
			list = append(list, story(fmt.Sprint("weir-", key), nth, status, episode.Low))
		}
	}
	d.tell(t, list...)
	var mu sync.Mutex
	up := false
	well := &receiver{name: "well"}
	down := &receiver{name: "down", script: func(*alerting.Alert, int) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		if !up {
			return true, errDown
		}
		return false, nil
	}}
	stuck := &receiver{name: "stuck", script: func(a *alerting.Alert, _ int) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		if !up && a.DedupKey == "weir-3" {
			return true, errDown
		}
		return false, nil
	}}
	stop := start(t, d.notifying(t, well, down, stuck)).stop
	defer stop()
	inOrder(t, well.waitFor(t, len(list)), list)
	stuck.waitFor(t, len(list)-3)
	if got := down.got(); len(got) != 0 {
		t.Errorf("the destination that is down has taken %v", got)
	}
	mu.Lock()
	up = true
	mu.Unlock()
	inOrder(t, down.waitFor(t, len(list)), list)
	inOrder(t, stuck.waitFor(t, len(list)), list)
}

// inOrder fails the test unless each message came once, and those of an episode
// in their order.
func inOrder(t testing.TB, got []string, want []*alerting.Alert) {
	t.Helper()
	byEpisode := func(ids []string) map[string][]string {
		out := map[string][]string{}
		for _, id := range ids {
			key, _, _ := strings.Cut(id, "_")
			out[key] = append(out[key], id)
		}
		return out
	}
	var ids []string
	for _, a := range want {
		ids = append(ids, a.MessageID())
	}
	g, w := byEpisode(got), byEpisode(ids)
	for key := range w {
		if !slices.Equal(g[key], w[key]) {
			t.Errorf("of %s came %v, want %v", key, g[key], w[key])
		}
	}
	if len(got) != len(ids) {
		t.Errorf("%d messages came, want %d", len(got), len(ids))
	}
}

// What will never be delivered is kept with the reason, and reported once by
// another destination; the fifth report says that more are only counted.
func TestNotifyDeadLetters(t *testing.T) { inBubble(t, testNotifyDeadLetters) }

func testNotifyDeadLetters(t *testing.T) {
	d := newDeployment(t, 1)
	d.prepare(t)
	var list []*alerting.Alert
	for key := range 7 {
		list = append(list, story(fmt.Sprint("weir-", key), 0, alerting.Open, episode.High))
	}
	d.tell(t, list...)
	chat := &receiver{name: "chat"}
	pager := &receiver{name: "pager", script: func(*alerting.Alert, int) (bool, error) {
		return false, errors.New("the receiver answered 401 Unauthorized")
	}}
	stop := start(t, d.notifying(t, chat, pager)).stop
	letters := d.records(t, "weir.deadletters", 7)
	chat.waitFor(t, 12)
	stop()
	chat2, pager2 := &receiver{name: "chat"}, &receiver{name: "pager"}
	stop = start(t, d.notifying(t, chat2, pager2)).stop // nothing is told again
	d.tell(t, story("weir-new", 0, alerting.Open, episode.Low))
	chat2.waitFor(t, 1)
	pager2.waitFor(t, 1)
	stop()
	if a, b := chat2.got(), pager2.got(); len(a) != 1 || len(b) != 1 {
		t.Errorf("after a restart come %v and %v", a, b)
	}

	for i, rec := range letters {
		a, err := alerting.ParseAlert(rec.Value)
		if err != nil || a.DedupKey != list[i].DedupKey || string(rec.Key) != a.DedupKey {
			t.Errorf("dead letter %d is %s, %v", i, rec.Value, err)
		}
		headers := map[string]string{}
		for _, h := range rec.Headers {
			headers[h.Key] = string(h.Value)
		}
		if headers["destination"] != "pager" || headers["reason"] != "the receiver answered 401 Unauthorized" {
			t.Errorf("dead letter %d has headers %v", i, headers)
		}
	}
	var reports []string
	for _, text := range chat.texts {
		if strings.Contains(text, "could not be delivered to pager") {
			reports = append(reports, text)
		}
	}
	if len(reports) != 5 || len(chat.got()) != 12 {
		t.Fatalf("%d messages came, %d of them reports, want 12 and 5", len(chat.got()), len(reports))
	}
	for i, text := range reports {
		if !strings.Contains(text, list[i].DedupKey) || !strings.Contains(text, "401 Unauthorized") {
			t.Errorf("report %d says %q", i, text)
		}
		if last := strings.Contains(text, "only counted"); last != (i == 4) {
			t.Errorf("report %d says %q", i, text)
		}
	}
}

// A restart repeats nothing that was confirmed and forgets nothing that was
// not, with what stands behind a letter that waits; references come back.
func TestNotifyRestart(t *testing.T) { inBubble(t, testNotifyRestart) }

func testNotifyRestart(t *testing.T) {
	d := newDeployment(t, 1)
	d.prepare(t)
	list := []*alerting.Alert{
		story("weir-a", 0, alerting.Open, episode.Low),
		story("weir-b", 0, alerting.Open, episode.Low),
		story("weir-b", 1, alerting.Update, episode.Low),
		story("weir-c", 0, alerting.Open, episode.Low),
	}
	d.tell(t, list...)
	one := &receiver{name: "chat", script: func(a *alerting.Alert, _ int) (bool, error) {
		if a.DedupKey == "weir-a" {
			return true, errDown
		}
		return false, nil
	}}
	stop := start(t, d.notifying(t, one)).stop
	one.waitFor(t, 3)
	d.records(t, "weir.deliveries", 3)
	stop()

	more := []*alerting.Alert{story("weir-a", 1, alerting.Close, episode.Low), story("weir-b", 2, alerting.Close, episode.Low)}
	d.tell(t, more...)
	two := &receiver{name: "chat"}
	stop = start(t, d.notifying(t, two)).stop
	two.waitFor(t, 3)
	d.records(t, "weir.deliveries", 6)
	stop()
	inOrder(t, append(one.got(), two.got()...), append(list, more...))
	if want := []string{"", "ref of weir-a", "ref of weir-b"}; !slices.Equal(two.given, want) {
		t.Errorf("references given back: %q, want %q", two.given, want)
	}
}

// What is held waits, and a critical alert does not.
func TestNotifyHolds(t *testing.T) { inBubble(t, testNotifyHolds) }

func testNotifyHolds(t *testing.T) {
	d := newDeployment(t, 1)
	d.prepare(t)
	chat := &receiver{name: "chat"}
	p := d.notifying(t, chat)
	p.Destinations[0].Policy.Hold = &notify.Hold{Quiet: &notify.Quiet{From: 0, To: 24 * time.Hour}}
	p.Destinations[0].Policy.Accept = func(a *alerting.Alert) bool { return a.DedupKey != "weir-elsewhere" }
	stop := start(t, p).stop
	d.tell(t, story("weir-held", 0, alerting.Open, episode.High), story("weir-elsewhere", 0, alerting.Open, episode.Critical),
		story("weir-grown", 0, alerting.Open, episode.High), story("weir-grown", 1, alerting.Update, episode.Critical),
		story("weir-grave", 0, alerting.Open, episode.Critical))
	chat.waitFor(t, 3)
	d.records(t, "weir.deliveries", 3)
	stop()
	want := "weir-grown_open_1772550000000 weir-grown_update_1772550060000 weir-grave_open_1772550000000"
	if got := strings.Join(chat.got(), " "); got != want {
		t.Errorf("came %s, want %s", got, want)
	}

	again := &receiver{name: "chat"} // the quiet hours are over
	stop = start(t, d.notifying(t, again)).stop
	again.waitFor(t, 1)
	d.records(t, "weir.deliveries", 4)
	stop()
	if got := strings.Join(again.got(), " "); got != "weir-held_open_1772550000000" {
		t.Errorf("came %s", got)
	}
}

// resender is a receiver that forgets.
type resender struct{ *receiver }

func (r resender) ResendEvery() time.Duration { return 20 * time.Millisecond }

// An open episode is told again and again, also after a restart, until it has
// closed.
func TestNotifyResends(t *testing.T) { inBubble(t, testNotifyResends) }

func testNotifyResends(t *testing.T) {
	d := newDeployment(t, 1)
	d.prepare(t)
	for i := range 2 {
		r := resender{&receiver{name: "alertmanager"}}
		p := d.notifying(t)
		p.Destinations = []deliver.Destination{{Destination: r, Policy: notify.Policy{PerMinute: -1}}}
		stop := start(t, p).stop
		if i == 0 {
			d.tell(t, story("weir-a", 0, alerting.Open, episode.Low))
		}
		for _, id := range r.waitFor(t, 3) {
			if id != "weir-a_open_1772550000000" {
				t.Errorf("came %s", id)
			}
		}
		if i == 1 {
			d.tell(t, story("weir-a", 1, alerting.Close, episode.Low))
			d.records(t, "weir.deliveries", 2)
		}
		stop()
		if got := r.got(); i == 1 && got[len(got)-1] != "weir-a_close_1772550060000" {
			t.Errorf("the last that came is %s", got[len(got)-1])
		}
	}
}
