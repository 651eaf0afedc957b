package pagerduty_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/alerting/notify/notifytest"
	"github.com/weirhq/weir/alerting/notify/pagerduty"
	"github.com/weirhq/weir/detectors/episode"
)

var rewrite = flag.Bool("rewrite", false, "write what is found to testdata")

const routingKey = "T0PS3CR3T0123456789abcdef0123456"

func build(t *testing.T, s notifytest.Setup) notify.Destination {
	t.Helper()
	return open(t, s)
}

func open(t *testing.T, s notifytest.Setup) *pagerduty.PagerDuty {
	t.Helper()
	p, err := pagerduty.New(pagerduty.Options{Name: "pager", RoutingKey: routingKey, API: s.URL, TLS: &tls.Config{RootCAs: s.Roots}, Timeout: s.Timeout, Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBehaviour(t *testing.T) {
	notifytest.Suite{Taken: notifytest.Say(202, `{"status":"success"}`), Reads: true}.Run(t, build)
}

func soc(t *testing.T) (*fakesoc.Server, *pagerduty.PagerDuty) {
	t.Helper()
	s := fakesoc.New(fakesoc.Options{})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, open(t, notifytest.Setup{URL: server.URL, Timeout: time.Minute, Now: time.Now})
}

// One episode is one incident, from trigger to resolve.
func TestEpisodeIsOneIncident(t *testing.T) {
	s, p := soc(t)
	a := alertingtest.Full()
	step := func(status alerting.Status, severity episode.Severity, wantStatus, wantSeverity string) {
		t.Helper()
		a.Status, a.Severity = status, severity
		if _, err := p.Notify(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		in := s.State().Incidents
		if len(in) != 1 || in[0].Status != wantStatus || in[0].Severity != wantSeverity {
			t.Fatalf("%s: incidents %+v", status, in)
		}
	}
	step(alerting.Open, episode.Low, "triggered", "info")
	step(alerting.Update, episode.Medium, "triggered", "warning")
	step(alerting.Update, episode.High, "triggered", "error")
	step(alerting.Update, episode.Critical, "triggered", "critical")
	if _, err := p.Acknowledge(t.Context(), a.DedupKey); err != nil {
		t.Fatal(err)
	}
	if got := s.State().Incidents[0].Status; got != "acknowledged" {
		t.Errorf("it is %s", got)
	}
	step(alerting.Close, episode.Critical, "resolved", "critical")
}

// Every alert that there can be keeps to PagerDuty's rules.
func TestLookAlikeAcceptsAll(t *testing.T) {
	_, p := soc(t)
	for name, a := range alertingtest.Alerts() {
		if _, err := p.Notify(t.Context(), a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The receiver may say the key back; no error does.
func TestKeyIsNotShown(t *testing.T) {
	r := notifytest.NewReceiver(t, false, notifytest.Say(400, `{"errors":["no such routing key `+routingKey+`"]}`))
	retry, err := open(t, notifytest.Setup{URL: r.URL, Now: time.Now}).Notify(t.Context(), alertingtest.Full())
	if retry || err == nil || strings.Contains(err.Error(), routingKey) || !strings.Contains(err.Error(), "no such routing key ***") {
		t.Errorf("retry %v, %v", retry, err)
	}
}

// An answer that PagerDuty does not give is no incident, whatever its status.
func TestAnswerOfAnother(t *testing.T) {
	for _, body := range []string{"", "ok", "{}", `{"status":"ok"}`, `"success"`, `{"status":"success"`} {
		r := notifytest.NewReceiver(t, false, notifytest.Say(202, body))
		retry, err := open(t, notifytest.Setup{URL: r.URL, Now: time.Now}).Notify(t.Context(), alertingtest.Full())
		if !retry || err == nil || !strings.Contains(err.Error(), "not that of PagerDuty") {
			t.Errorf("%q: retry %v, %v", body, retry, err)
		}
	}
}

func TestGolden(t *testing.T) {
	for name, a := range alertingtest.Alerts() {
		t.Run(name, func(t *testing.T) {
			r := notifytest.NewReceiver(t, false, notifytest.Say(202, `{"status":"success"}`))
			if _, err := open(t, notifytest.Setup{URL: r.URL, Now: time.Now}).Notify(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := json.Indent(&out, r.Seen()[0].Body, "", "  "); err != nil {
				t.Fatal(err)
			}
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".json", out.Bytes())
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct{ key, api, want string }{
		"no key":    {"", "", "not 32 letters"},
		"short key": {"T0PS3CR3T", "", "not 32 letters"},
		"odd key":   {strings.Repeat("T0PS3CR3", 4)[:31] + "!", "", "not 32 letters"},
		"bad api":   {routingKey, "events.pagerduty.com", "does not begin with https://"},
	} {
		_, err := pagerduty.New(pagerduty.Options{RoutingKey: c.key, API: c.api})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "T0PS3CR3") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
