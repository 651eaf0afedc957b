package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/internal/destinations"
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
    - {name: chat, type: slack, token: xoxb-1, channel: C1, api: "`+server.URL+`/api", signing_secret: 0123456789abcdef, users: [U1]}
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
	var got destinations.Tested
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
