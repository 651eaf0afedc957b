package demo

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/internal/soc"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// The demonstration tells its security team as a deployment would: all of it in
// chat, the pager only of what is grave.
func TestDemoTellsTheSecurityTeam(t *testing.T) {
	var said bytes.Buffer
	page, err := (&Options{SOC: "127.0.0.1:0"}).serveSOC(&said)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Stop()
	list, err := destinations.All(configuration([]string{"127.0.0.1:1"}, page.URL), destinations.Env{Connection: &cluster.Connection{}, Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, severity := range []episode.Severity{episode.Low, episode.High} {
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
	if s := page.State(); len(s.Messages) != 2 || len(s.Incidents) != 1 || s.Incidents[0].Severity != "error" || !strings.Contains(said.String(), page.URL) {
		t.Errorf("the security team got %+v", s)
	}
	resp, err := http.Get(page.URL)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	if code, _ := clickOn(t, page); code != http.StatusBadGateway {
		t.Errorf("a click that nobody takes: answered %d", code)
	}
	if _, err := soc.Start(strings.TrimSuffix(strings.TrimPrefix(page.URL, "http://"), "/"), fakesoc.Options{}); err == nil || !strings.Contains(err.Error(), "choose another address") {
		t.Errorf("two on one address: %v", err)
	}
}

// clickOn presses the first button of the first message.
func clickOn(t *testing.T, page *soc.Server) (code int, answer string) {
	t.Helper()
	m := page.State().Messages[0]
	body := `{"channel":"` + m.Channel + `","ts":"` + m.TS + `","action_id":"weir_acknowledge","value":"weir-0123456789abcdef"}`
	resp, err := http.Post(page.URL+"click", "application/json", strings.NewReader(body))
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
	page, err := (&Options{SOC: "127.0.0.1:0"}).serveSOC(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Stop()
	p, err := startPipeline(t.Context(), page.URL, nil, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.stop() }() // it may be stopped before it has begun
	if err := p.takeClicks(page); err != nil {
		t.Fatal(err)
	}
	list, err := destinations.All(p.settings.Config, destinations.Env{Connection: p.process.Connection, Out: io.Discard})
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
	s := newState(simulate.Truth{})
	without := headLines(s)
	s.page = "http://127.0.0.1:8025/"
	with := headLines(s)
	if last := with[len(with)-1].String(false); len(with) != len(without)+1 || last != "what the security team gets: http://127.0.0.1:8025/" {
		t.Errorf("%d lines, the last is %q", len(with), last)
	}
	var diagnostics bytes.Buffer
	if page, err := (&Options{SOC: config.Off}).serveSOC(&diagnostics); page != nil || err != nil || diagnostics.Len() > 0 {
		t.Errorf("off serves %v, %v, %s", page, err, &diagnostics)
	}
}
