package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka"
)

// settingsFile writes a configuration and returns its path.
func settingsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weir.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// runWeir runs a command line and returns its exit code and all it said.
func runWeir(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	code, stdout, stderr := weir(t, args...)
	return code, stdout + stderr
}

// Each kind of destination takes the sample, marked as one, and is told that it
// is over; what does not take it says why.
func TestNotifyTest(t *testing.T) {
	soc := fakesoc.New(fakesoc.Options{})
	server := httptest.NewServer(soc)
	defer server.Close()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "findings"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	path := settingsFile(t, `
kafka: {brokers: ["`+cluster.ListenAddrs()[0]+`"]}
alerts:
  links: {console: "https://weir.example/{dedup_key}"}
  destinations:
    - {name: chat, type: slack, token: xoxb-1, channel: C1, api: "`+server.URL+`/api", signing_secret: 0123456789abcdef}
    - {name: hook, type: slack, url: "`+server.URL+`/services/a/b/c"}
    - {name: pager, type: pagerduty, routing_key: 0123456789abcdef0123456789abcdef, api: "`+server.URL+`"}
    - {name: am, type: alertmanager, url: "`+server.URL+`"}
    - {name: lake, type: kafka, topic: findings}
    - {name: nolake, type: kafka, topic: nowhere, timeout: 1s}
    - {name: out, type: stdout}
    - {name: refused, type: slack, token: stolen, channel: C1, api: "`+server.URL+`/api"}
    - {name: down, type: alertmanager, url: "`+gone.URL+`"}
    - {name: siem, type: syslog, address: "`+strings.TrimPrefix(gone.URL, "http://")+`"}
`)
	for name, want := range map[string]struct {
		code int
		says string
	}{
		"chat": {0, "took the sample and its end"}, "hook": {0, "took the sample and its end"}, "pager": {0, "took the sample and its end"},
		"am": {0, "took the sample and its end"}, "lake": {0, "took the sample and its end"}, "out": {0, `"identity":"weir-notify-test"`},
		"refused": {1, "xoxb-…"}, "down": {1, "weir run would try again"}, "siem": {1, "nobody listens there"}, "nolake": {1, "weir run would try again"},
		"nobody": {2, "it has chat, hook, pager"},
	} {
		code, out := runWeir(t, "notify", "test", name, "-c", path)
		if code != want.code || !strings.Contains(out, want.says) {
			t.Errorf("%s: exit code %d, %s", name, code, out)
		}
	}
	state := soc.State()
	if len(state.Messages) != 3 || len(state.Incidents) != 1 || state.Incidents[0].Status != "resolved" || len(state.Alerts) != 1 || state.Alerts[0].Firing {
		t.Errorf("the look-alike has seen %+v", state)
	}
	for _, m := range state.Messages {
		if !strings.Contains(m.Text, "nothing has happened") {
			t.Errorf("not marked: %s", m.Text)
		}
	}

	code, out := runWeir(t, "notify", "test", "pager", "-c", path, "--keep", "--severity", "critical", "-o", "json")
	var got tested
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || got.Outcome != notify.Delivered || got.Closed || got.Type != "pagerduty" {
		t.Errorf("exit code %d, %s, %v", code, out, err)
	}
	if in := soc.State().Incidents; len(in) != 2 || in[1].Status != "triggered" || in[1].Severity != "critical" {
		t.Errorf("incidents %+v", in)
	}
	for _, args := range [][]string{
		{"notify", "test", "pager"}, {"notify", "test", "-c", path}, {"notify", "test", "pager", "-c", path, "--severity", "grave"},
		{"notify", "test", "pager", "-c", path, "-o", "xml"}, {"notify", "tset"},
	} {
		if code, out := runWeir(t, args...); code != 2 {
			t.Errorf("%v: exit code %d, %s", args, code, out)
		}
	}
}

// A configuration comes out as destinations with their routes and hours.
func TestDestinationsOf(t *testing.T) {
	c, err := config.Parse("weir.yaml", []byte(`
time: {zone: Asia/Seoul}
alerts:
  destinations:
    - {name: pager, type: pagerduty, routing_key: 0123456789abcdef0123456789abcdef}
    - {name: log, type: stdout, quiet: {from: 22:00, to: 07:00, days: [mon]}, group_every: 15m}
  routes: [{severity: high, to: [pager]}]
  default_route: [log]
`), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	list, err := destinations(c, &kafka.Connection{}, &bytes.Buffer{})
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	a := alertingtest.Alert()
	a.Severity = alerting.High
	if !list[0].Policy.Accept(a) || list[1].Policy.Accept(a) {
		t.Error("a grave alert does not go to the pager alone")
	}
	a.Severity = alerting.Low
	if list[0].Policy.Accept(a) || !list[1].Policy.Accept(a) {
		t.Error("a mild alert does not go to the log alone")
	}
	monday := time.Date(2026, 3, 2, 14, 5, 0, 0, time.UTC) // 23:05 in Seoul
	if got, want := list[1].Policy.Hold.Until(a, monday), time.Date(2026, 3, 2, 22, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("held until %v, want %v", got, want)
	}
	if got := list[0].Policy.Hold.Until(a, monday); !got.Equal(monday) {
		t.Errorf("the pager's are held until %v", got)
	}
	if told := list[0].Policy.Prepare(a); !strings.HasSuffix(told.Links.Runbook, "docs/alerts.md#key") {
		t.Errorf("links are %+v", told.Links)
	}
}

// Findings arrive under the key of their episode.
func TestFindings(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "findings"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	conn := &kafka.Connection{Brokers: cluster.ListenAddrs(), ClientID: "weir", Hooks: []kgo.Hook{newClientMetrics(prometheus.NewRegistry())}}
	f := &topicProducer{conn: conn, topic: "findings"}
	for range 2 {
		if retry, err := f.Produce(t.Context(), []byte("weir-1"), []byte("{}")); err != nil {
			t.Fatal(retry, err)
		}
	}
	ends, err := kadm.NewClient(f.client).ListEndOffsets(t.Context(), "findings")
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset == 1 {
			t.Errorf("one episode is spread over partitions")
		}
		total += o.Offset
	})
	if total != 2 {
		t.Errorf("%d findings arrived", total)
	}
}

// A click on the look-alike's page becomes a verdict, whole enough to be
// written; a failure to write it shows as a failed click.
func TestClickBecomesVerdict(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	c := config.Default()
	c.Alerts.Destinations = []config.Destination{
		{Name: "plain", Type: config.Slack},
		{Name: "chat", Type: config.Slack, SigningSecret: config.NewSecret(secret)},
	}
	var got []stream.Verdict
	var failure error
	mux := http.NewServeMux()
	err := handleClicks(mux, c, slog.New(slog.DiscardHandler), func(_ context.Context, v stream.Verdict) error {
		if _, err := v.Encode(); err != nil {
			t.Error(err)
		}
		got = append(got, v)
		return failure
	})
	if err != nil {
		t.Fatal(err)
	}
	weir := httptest.NewServer(mux)
	defer weir.Close()
	soc := httptest.NewServer(fakesoc.New(fakesoc.Options{Interactivity: weir.URL + "/slack/chat", SigningSecret: secret}))
	defer soc.Close()
	click := func(action string) int {
		body := `{"channel":"C1","ts":"1.1","action_id":"weir_` + action + `","value":"weir-0123456789abcdef"}`
		resp, err := http.Post(soc.URL+"/click", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, c := range []struct {
		action string
		kind   stream.VerdictKind
	}{{"acknowledge", stream.Acknowledged}, {"expected", stream.Expected}, {"true_positive", stream.Confirmed}} {
		got = nil
		if code := click(c.action); code != http.StatusOK || len(got) != 1 {
			t.Fatalf("%s: answered %d, verdicts %+v", c.action, code, got)
		}
		v := got[0]
		if v.Kind != c.kind || v.DedupKey != "weir-0123456789abcdef" || v.Author != "slack:U0ANALYST (analyst)" {
			t.Errorf("%s: %+v", c.action, v)
		}
		if held := v.Expires - v.Time; v.Kind == stream.Expected && held != alerting.Time(expectedFor.Milliseconds()) {
			t.Errorf("held back for %d ms", held)
		}
	}
	failure = errors.New("kafka is away")
	if code := click("acknowledge"); code != http.StatusBadGateway {
		t.Errorf("a verdict that was not written: answered %d", code)
	}
	if resp, err := http.Post(weir.URL+"/slack/plain", "", nil); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("a destination without buttons answers %v, %v", resp, err)
	}
}

// The demonstration tells its security team as a deployment would: all of it in
// chat, the pager only of what is grave.
func TestDemoTellsTheSecurityTeam(t *testing.T) {
	var said bytes.Buffer
	page, err := (&demoOptions{soc: "127.0.0.1:0"}).serveSOC(&said)
	if err != nil {
		t.Fatal(err)
	}
	defer page.stop()
	list, err := destinations(demoConfig([]string{"127.0.0.1:1"}, time.Second, page.url), &kafka.Connection{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, severity := range []alerting.Severity{alerting.Low, alerting.High} {
		a := alertingtest.Full()
		a.Severity, a.DedupKey = severity, a.DedupKey+string(severity)
		for _, d := range list {
			if !d.Policy.Accept(a) {
				continue
			}
			if _, err := d.Notify(t.Context(), a); err != nil {
				t.Error(err)
			}
		}
	}
	if s := page.State(); len(s.Messages) != 2 || len(s.Incidents) != 1 || s.Incidents[0].Severity != "error" || !strings.Contains(said.String(), page.url) {
		t.Errorf("the security team got %+v", s)
	}
	resp, err := http.Get(page.url)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	if code, _ := clickOn(t, page); code != http.StatusBadGateway {
		t.Errorf("a click that nobody takes: answered %d", code)
	}
	if _, err := startSOC(strings.TrimSuffix(strings.TrimPrefix(page.url, "http://"), "/"), fakesoc.Options{}); err == nil || !strings.Contains(err.Error(), "choose another address") {
		t.Errorf("two on one address: %v", err)
	}
}

// clickOn presses the first button of the first message.
func clickOn(t *testing.T, page *soc) (code int, answer string) {
	t.Helper()
	m := page.State().Messages[0]
	body := `{"channel":"` + m.Channel + `","ts":"` + m.TS + `","action_id":"weir_acknowledge","value":"weir-0123456789abcdef"}`
	resp, err := http.Post(page.url+"click", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// A click in the demonstration ends on its own topic of verdicts.
func TestDemoTakesClicks(t *testing.T) {
	page, err := (&demoOptions{soc: "127.0.0.1:0"}).serveSOC(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer page.stop()
	p, err := startDemoPipeline(t.Context(), time.Second, page.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.stop() }() // it may be stopped before it has begun
	if err := page.answer(p); err != nil {
		t.Fatal(err)
	}
	list, err := destinations(p.settings.config, p.process.Connection, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := list[0].Notify(t.Context(), alertingtest.Full()); err != nil {
		t.Fatal(err)
	}
	if code, answer := clickOn(t, page); code != http.StatusOK {
		t.Fatalf("answered %d %s", code, answer)
	}
	ends, err := kadm.NewClient(p.client).ListEndOffsets(t.Context(), p.process.Topics.Verdicts)
	if err != nil {
		t.Fatal(err)
	}
	if end, ok := ends.Lookup(p.process.Topics.Verdicts, 0); !ok || end.Offset != 1 {
		t.Errorf("the topic of verdicts ends at %+v", end)
	}
}

func TestDemoShowsWhereThePageIs(t *testing.T) {
	s := newDemoState(simulate.Truth{})
	without := demoHead(s)
	s.page = "http://127.0.0.1:8025/"
	with := demoHead(s)
	if last := with[len(with)-1].String(false); len(with) != len(without)+1 || last != "what the security team gets: http://127.0.0.1:8025/" {
		t.Errorf("%d lines, the last is %q", len(with), last)
	}
	var diagnostics bytes.Buffer
	if page, err := (&demoOptions{soc: off}).serveSOC(&diagnostics); page != nil || err != nil || diagnostics.Len() > 0 {
		t.Errorf("off serves %v, %v, %s", page, err, &diagnostics)
	}
}
