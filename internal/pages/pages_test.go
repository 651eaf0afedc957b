package pages

import (
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/consoletest"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
)

// What a process takes in is shown, and nobody can judge it.
func TestServeMemory(t *testing.T) {
	m, err := ServeMemory(config.Default(), "127.0.0.1:0", "backtest of a log", nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	a := alertingtest.Full()
	m.Alert(a)
	m.Suppressed(&correlate.Suppressed{By: correlate.SuppressedBy{Kind: correlate.ByConfig, Name: "nightly"}, Alert: *alertingtest.Korean()})
	m.Show(a.Time, true)
	code, body := consoletest.Get(t, http.DefaultClient, m.URL)
	if code != 200 || !strings.Contains(body, "kid-7") || !strings.Contains(body, "backtest of a log") || strings.Contains(body, "Still reading") {
		t.Errorf("triage: %d %s", code, body)
	}
	if code, body = consoletest.Get(t, http.DefaultClient, m.URL+"expected"); code != 200 || !strings.Contains(body, "nightly") {
		t.Errorf("what is held back: %d %s", code, body)
	}
	if code, body = consoletest.Get(t, http.DefaultClient, m.URL+"episodes/"+a.DedupKey); code != 200 || strings.Contains(body, `name="kind"`) || !strings.Contains(body, "read-only") {
		t.Errorf("episode: %d %s", code, body)
	}
}

// Users, tokens and names of a configuration are those of its console.
func TestOptions(t *testing.T) {
	c, err := config.Parse("weir.yaml", []byte(`
http:
  hosts: [weir.corp.example]
  users: [{name: ana, role: analyst, password_hash: $2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy}]
  tokens: [{name: soar, role: viewer, sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad}]
alerts: {links: {console: "https://weir.example/episodes/{dedup_key}"}}
expected:
  - {name: nightly, dimension: user, identity: svc-export, owner: data, reason: the export, expires: 2027-01-01}
`), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	o, err := Options(c, console.NewFeed(), "0.0.0.0:9464", access.Person{}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Expected) != 1 || o.Expected[0].Name != "nightly" || o.Expected[0].Expires.IsZero() {
		t.Errorf("expected: %+v", o.Expected)
	}
	for host, want := range map[string]error{"weir.corp.example": nil, "weir.example": nil, "thief.example": access.ErrHost} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer abc") // its SHA-256 is the token's of the configuration
		p, err := o.Access.Who(r)
		if err != want || want == nil && (p != access.Person{Name: "soar", Role: access.Viewer}) {
			t.Errorf("as %s: %+v, %v", host, p, err)
		}
	}
}

// What is reported is taken in while what was found is shown.
func TestMemoryIsShared(t *testing.T) {
	m, err := ServeMemory(config.Default(), "127.0.0.1:0", "backtest of a log", nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20_000 {
			m.Reported([]string{"user"}, &stream.EvidenceReport{Candidates: []stream.Candidate{{
				Identity: strconv.Itoa(i), Measures: []stream.MeasureEvidence{{Measure: "distinct_in_bin", From: 1, Observed: 2}},
			}}})
		}
	}()
	for open := true; open; {
		select {
		case <-done:
			open = false
		default:
			m.Show(1, true)
		}
	}
}
