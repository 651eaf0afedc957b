package destinations

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

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
	list, err := All(c, Env{Connection: &cluster.Connection{}, Out: &bytes.Buffer{}})
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	a := alertingtest.Alert()
	a.Severity = episode.High
	if !list[0].Policy.Accept(a) || list[1].Policy.Accept(a) {
		t.Error("a grave alert does not go to the pager alone")
	}
	a.Severity = episode.Low
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
	if sent := list[0].Policy.Prepare(a); !strings.HasSuffix(sent.Links.Runbook, "docs/alerts.md#key") {
		t.Errorf("links are %+v", sent.Links)
	}
}

// Every type that a configuration may name can be built.
func TestEveryTypeIsBuilt(t *testing.T) {
	c, err := config.Parse("weir.yaml", []byte(`
alerts:
  destinations:
    - {name: a, type: slack, token: xoxb-1, channel: C1}
    - {name: b, type: pagerduty, routing_key: 0123456789abcdef0123456789abcdef}
    - {name: c, type: alertmanager, url: "http://am:9093"}
    - {name: d, type: webhook, url: "https://x.example/", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}
    - {name: e, type: kafka, topic: findings}
    - {name: f, type: syslog, address: "siem:514"}
    - {name: g, type: email, address: "mail:587", username: weir, password: hunter2, from: weir@x.example, to: [soc@x.example]}
    - {name: h, type: teams, url: "https://x.example/workflows/1?sig=x"}
    - {name: i, type: stdout}
`), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	list, err := All(c, Env{Connection: &cluster.Connection{}, Out: &bytes.Buffer{}})
	if err != nil || len(list) != 9 {
		t.Fatal(len(list), err)
	}
	for i, d := range list {
		if d.Name() != c.Alerts.Destinations[i].Name {
			t.Errorf("destination %d is %s", i, d.Name())
		}
	}
}

// Findings arrive under the key of their episode.
func TestFindings(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "findings"))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	conn := &cluster.Connection{Brokers: broker.ListenAddrs(), ClientID: "weir", Hooks: []kgo.Hook{kprom.NewMetrics("weir")}}
	f := &topic{conn: conn, name: "findings"}
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
		{Name: "chat", Type: config.Slack, SigningSecret: config.NewSecret(secret), Users: []string{fakesoc.Analyst}},
		{Name: "strict", Type: config.Slack, SigningSecret: config.NewSecret(secret), Users: []string{"U1"}},
	}
	var got []correlate.Verdict
	var failure error
	mux := http.NewServeMux()
	who := authority.New([32]byte{1}, nil)
	err := HandleClicks(mux, c, slog.New(slog.DiscardHandler), who, func(_ context.Context, _, value []byte) error {
		v, err := correlate.DecodeVerdict(value)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, *v)
		return failure
	})
	if err != nil {
		t.Fatal(err)
	}
	weir := httptest.NewServer(mux)
	defer weir.Close()
	soc := httptest.NewServer(fakesoc.New(fakesoc.Options{Interactivity: weir.URL + "/slack/chat", SigningSecret: secret}))
	defer soc.Close()
	chat := soc.Config.Handler
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
		kind   correlate.VerdictKind
	}{{"acknowledge", correlate.Acknowledged}, {"expected", correlate.Expected}, {"true_positive", correlate.Confirmed}, {"take", correlate.Assigned}, {"release", correlate.Released}} {
		got = nil
		if code := click(c.action); code != http.StatusOK || len(got) != 1 {
			t.Fatalf("%s: answered %d, verdicts %+v", c.action, code, got)
		}
		v := got[0]
		if v.Kind != c.kind || v.DedupKey != "weir-0123456789abcdef" || v.Author != "slack:U0ANALYST" || who.Check(&v) != nil {
			t.Errorf("%s: %+v", c.action, v)
		}
		if held := v.Expires - v.Time; v.Kind == correlate.Expected && held != alerting.Time(expectedFor.Milliseconds()) {
			t.Errorf("held back for %d ms", held)
		}
	}
	other := httptest.NewServer(fakesoc.New(fakesoc.Options{Interactivity: weir.URL + "/slack/strict", SigningSecret: secret}))
	defer other.Close()
	got = nil
	soc.Config.Handler = other.Config.Handler
	if code := click("expected"); code != http.StatusOK || len(got) != 1 || who.Check(&got[0]) == nil || got[0].Author != "slack:U0ANALYST" {
		t.Errorf("of somebody who may not judge: answered %d, written %+v", code, got)
	}
	soc.Config.Handler = chat
	failure = errors.New("kafka is away")
	if code := click("acknowledge"); code != http.StatusBadGateway {
		t.Errorf("a verdict that was not written: answered %d", code)
	}
	if resp, err := http.Post(weir.URL+"/slack/plain", "", nil); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("a destination without buttons answers %v, %v", resp, err)
	}
}
