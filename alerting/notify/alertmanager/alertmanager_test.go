package alertmanager_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/alertmanager"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/alerting/notify/notifytest"
	"github.com/weirhq/weir/detectors/episode"
)

var rewrite = flag.Bool("rewrite", false, "write what is found to testdata")

const password = "T0PS3CR3T-password"

func build(t *testing.T, s notifytest.Setup) notify.Destination {
	t.Helper()
	return open(t, s)
}

func open(t *testing.T, s notifytest.Setup) *alertmanager.Alertmanager {
	t.Helper()
	d, err := alertmanager.New(alertmanager.Options{Name: "am", URL: s.URL, Username: "weir", Password: password, TLS: &tls.Config{RootCAs: s.Roots}, Timeout: s.Timeout, Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBehaviour(t *testing.T) { notifytest.HTTP(t, build) }

// An episode fires as long as it is told again, under one severity at a time,
// and ends when it is over or when nobody tells it any more.
func TestEpisode(t *testing.T) {
	now := notifytest.Now
	clock := func() time.Time { return now }
	s := fakesoc.New(fakesoc.Options{Now: clock})
	server := httptest.NewServer(s)
	defer server.Close()
	d := open(t, notifytest.Setup{URL: server.URL, Now: clock})
	firing := func() string {
		var out []string
		for _, a := range s.State().Alerts {
			if a.Firing {
				out = append(out, a.Labels["severity"])
			}
		}
		return strings.Join(out, " ")
	}
	a := alertingtest.Full()
	sent := func(after time.Duration, status alerting.Status, severity episode.Severity, want string) {
		t.Helper()
		now = now.Add(after)
		a.Status, a.Severity = status, severity
		if _, err := d.Notify(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if got := firing(); got != want {
			t.Errorf("%s at %s: firing %q, want %q", status, severity, got, want)
		}
	}
	sent(0, alerting.Open, episode.Medium, "medium")
	sent(3*d.ResendEvery(), alerting.Open, episode.Medium, "medium")
	sent(time.Second, alerting.Update, episode.Critical, "critical")
	sent(time.Second, alerting.Close, episode.Critical, "")
	sent(time.Hour, alerting.Open, episode.High, "high")
	now = now.Add(4 * d.ResendEvery())
	if got := firing(); got != "" {
		t.Errorf("nobody tells it any more, and it fires: %q", got)
	}
}

func TestLookAlikeAcceptsAll(t *testing.T) {
	s := fakesoc.New(fakesoc.Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	for name, a := range alertingtest.Alerts() {
		if _, err := open(t, notifytest.Setup{URL: server.URL, Now: time.Now}).Notify(t.Context(), a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGolden(t *testing.T) {
	for name, a := range alertingtest.Alerts() {
		t.Run(name, func(t *testing.T) {
			r := notifytest.NewReceiver(t, false, notifytest.Answer(200))
			d := open(t, notifytest.Setup{URL: r.URL, Now: func() time.Time { return notifytest.Now }})
			if _, err := d.Notify(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			if user, pass, ok := basic(r.Seen()[0]); !ok || user != "weir" || pass != password {
				t.Errorf("authenticates as %q", user)
			}
			var out bytes.Buffer
			if err := json.Indent(&out, r.Seen()[0].Body, "", "  "); err != nil {
				t.Fatal(err)
			}
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".json", out.Bytes())
		})
	}
}

func basic(q notifytest.Request) (user, pass string, ok bool) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header = q.Header
	return r.BasicAuth()
}

func TestSecretsAreNotShown(t *testing.T) {
	r := notifytest.NewReceiver(t, false, notifytest.Say(403, "no: "+password))
	_, err := open(t, notifytest.Setup{URL: r.URL, Now: time.Now}).Notify(t.Context(), alertingtest.Full())
	if err == nil || strings.Contains(err.Error(), password) {
		t.Error(err)
	}
	if _, err := alertmanager.New(alertmanager.Options{URL: "T0PS3CR3T"}); err == nil || strings.Contains(err.Error(), "T0PS3CR3T") {
		t.Error(err)
	}
}
