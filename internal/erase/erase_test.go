package erase

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/follow"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// of returns an alert of a user at an hour.
func of(name string, hour int, status alerting.Status) *alerting.Alert {
	a := alertingtest.Full()
	a.Dimension, a.Identity, a.Status, a.Campaign = "user", name, status, ""
	a.DedupKey = alerting.DedupKey("user", name, 1)
	a.Time += alerting.Time(hour) * 3_600_000
	a.Top.Users = []alerting.Share{{Value: "mallory@corp.example", Share: 0.5}}
	a.Summary = alerting.Summarize(a, time.UTC)
	return a
}

// A name that is erased stands on no page and in no answer, is found by no search, and in
// the record that erases it neither; the topics that keep it are named with how many
// records. Whose warning is open cannot be erased, and shows the name again.
func TestErase(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	conn := &cluster.Connection{Brokers: broker.ListenAddrs(), ClientID: "test", Logger: slog.New(slog.DiscardHandler)}
	names := topics.Named("weir.")
	if err := topics.Ensure(t.Context(), conn, names.Specs(1), 1); err != nil {
		t.Fatal(err)
	}
	cl, err := conn.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	write := func(topic string, a *alerting.Alert) {
		t.Helper()
		if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: a.AppendJSON(nil)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	const name = "mallory@corp.example"
	write(names.Alerts, of(name, 0, alerting.Open))
	write(names.Alerts, of("bob@corp.example", 0, alerting.Open))
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	who := authority.New([32]byte{1}, []authority.Author{{Name: "dpo", PublicKey: key.Public().(ed25519.PublicKey)}})
	f := &follow.Follower{
		Connection: conn, Topics: names, Grid: eventtime.Grid{Tick: 5 * eventtime.Minute, Bin: eventtime.Hour}, Log: slog.New(slog.DiscardHandler), Check: who.Check,
		Eraser: model.Veil{Personal: []string{"user"}, Secret: []byte("secret"), Location: time.UTC},
	}
	e := &Erasure{Follower: f, Proof: who.PrivateKey(key), Dimension: "user", Name: name, Reason: "DSR-17"}
	for what, change := range map[string]func(e *Erasure){
		"open episode": func(*Erasure) {}, "are not people": func(e *Erasure) { e.Dimension = "key" },
		"without the name": func(e *Erasure) { e.Reason = "for " + name },
	} {
		wrong := *e
		change(&wrong)
		if _, err := wrong.Run(t.Context()); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want it to say %q", err, what)
		}
	}
	write(names.Alerts, of(name, 3, alerting.Close))
	write(names.Alerts, of("bob@corp.example", 3, alerting.Close))
	r, err := e.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if line, err := json.Marshal(r.Verdict); err != nil || strings.Contains(string(line), name) || who.Check(&r.Verdict) != nil || r.Verdict.Author != "dpo" {
		t.Errorf("written: %s, %v", line, err)
	}
	counted := map[string]int64{}
	for _, p := range r.Remains {
		counted[p.Topic] = p.Records
	}
	if counted[names.Alerts] != 4 || counted[names.Ledger] != 0 || counted[names.Verdicts] != 0 || counted[names.State] != -1 {
		t.Errorf("it stands in %v", counted)
	}
	feed, said := console.NewFeed(), r.Verdict.DedupKey
	show := func() http.Handler {
		t.Helper()
		s, err := f.Once(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		feed.Publish(s, true)
		control, err := access.New(access.Options{Listen: "127.0.0.1:0", Everyone: access.Person{Role: access.Admin}}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		h, err := console.New(console.Options{Feed: feed, Access: control, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	get := func(h http.Handler, path string) string {
		w := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodGet, path, http.NoBody)
		req.Host = "127.0.0.1"
		h.ServeHTTP(w, req)
		return w.Body.String()
	}
	h, keys := show(), []string{of(name, 0, "").DedupKey, of("bob@corp.example", 0, "").DedupKey}
	paths := []string{"/?state=all", "/identities", "/report", "/expected", "/identity?dimension=user&name=" + said, "/episodes/" + keys[0], "/episodes/" + keys[1]}
	for _, path := range paths {
		for _, at := range []string{path, "/api/v1" + strings.Replace(path, "/?", "/episodes?", 1)} {
			if body := get(h, at); strings.Contains(body, "mallory") || at != "/api/v1/expected" && len(body) < 200 {
				t.Errorf("%s shows the name, or nothing: %s", at, body)
			}
		}
	}
	if !strings.Contains(get(h, "/?state=all"), said) || !strings.Contains(get(h, "/?state=all"), "bob@corp.example") {
		t.Error("the pseudonym is not there, or somebody else's name is gone")
	}
	write(names.Alerts, of(name, 5, alerting.Open))
	if !strings.Contains(get(show(), "/"), name) {
		t.Error("a warning is hidden")
	}
}
