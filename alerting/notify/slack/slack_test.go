package slack_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/alerting/notify/notifytest"
	"github.com/weirhq/weir/alerting/notify/slack"
	"github.com/weirhq/weir/detectors/episode"
)

var rewrite = flag.Bool("rewrite", false, "write what is found to testdata")

const token = "xoxb-T0PS3CR3T-token"

func bot(t *testing.T, s notifytest.Setup) notify.Destination {
	t.Helper()
	d, err := slack.New(slack.Options{Name: "chat", Token: token, Channel: "C1", API: s.URL, Buttons: true, TLS: &tls.Config{RootCAs: s.Roots}, Timeout: s.Timeout, Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func webhook(t *testing.T, s notifytest.Setup) notify.Destination {
	t.Helper()
	d, err := slack.New(slack.Options{Name: "chat", WebhookURL: s.URL, TLS: &tls.Config{RootCAs: s.Roots}, Timeout: s.Timeout, Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBehaviour(t *testing.T) {
	t.Run("bot", func(t *testing.T) {
		ok := notifytest.Say(200, `{"ok":true,"channel":"C1","ts":"1.2"}`)
		notifytest.Suite{Taken: ok, Reads: true}.Run(t, bot)
	})
	t.Run("webhook", func(t *testing.T) {
		notifytest.Suite{Taken: notifytest.Say(200, "ok"), Reads: true}.Run(t, webhook)
	})
}

// soc starts a look-alike and a bot that speaks to it.
func soc(t *testing.T, o fakesoc.Options) (*fakesoc.Server, notify.Updater) {
	t.Helper()
	s := fakesoc.New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	d := bot(t, notifytest.Setup{URL: server.URL + "/api", Timeout: time.Minute, Now: time.Now})
	return s, d.(notify.Updater)
}

func send(t *testing.T, d notify.Updater, a *alerting.Alert, reference string) string {
	t.Helper()
	kept, _, err := d.Upsert(t.Context(), a, reference)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// An episode is one message: it changes in place, its course is told in the
// thread, and the channel hears only of what gets worse.
func TestEpisodeIsOneMessage(t *testing.T) {
	s, d := soc(t, fakesoc.Options{})
	a := alertingtest.Full()
	a.Severity = episode.Medium
	reference := send(t, d, a, "")
	a.Status = alerting.Update
	reference = send(t, d, a, reference)
	a.Severity = episode.Critical
	reference = send(t, d, a, reference)
	a.Status = alerting.Close
	send(t, d, a, reference)

	m := s.State().Messages
	if len(m) != 1 || m[0].Edited != 3 || len(m[0].Thread) != 3 {
		t.Fatalf("%d messages: %+v", len(m), m)
	}
	for i, want := range []bool{false, true, false} {
		if got := m[0].Thread[i].Broadcast; got != want {
			t.Errorf("reply %d also to the channel: %v, want %v", i+1, got, want)
		}
	}
	if !strings.HasPrefix(m[0].Text, "🟢") || strings.Contains(string(m[0].Blocks), "weir_acknowledge") {
		t.Errorf("after the close it still shows %s", m[0].Blocks)
	}
}

// Whom a message names stands in its thread for good, though the message itself names
// others after an update; and Slack takes each part, however long the names are.
func TestNamesStayInTheThread(t *testing.T) {
	for filler, n := range map[string]int{"": 505, strings.Repeat("&", 100): 40} {
		s, d := soc(t, fakesoc.Options{})
		deliverer := notify.NewDeliverer(d, notify.Policy{PerMinute: 1e9}, notify.Env{})
		if r, err := deliverer.Deliver(t.Context(), &notify.Message{Alert: alertingtest.Many(n, filler)}); err != nil || r.Outcome != notify.Delivered {
			t.Fatalf("%s %s, %v", r.Outcome, r.Reason, err)
		}
		m := s.State().Messages
		if len(m) != 1 {
			t.Fatalf("%d messages in the channel, want 1", len(m))
		}
		var thread strings.Builder
		for i := range m[0].Thread {
			thread.Write(m[0].Thread[i].Blocks)
		}
		for i := range n {
			if !strings.Contains(thread.String(), alertingtest.NameOf(i)) {
				t.Fatalf("after %d replies member %d is not named in the thread", len(m[0].Thread), i)
			}
		}
	}
}

// A message that somebody deleted, and a reference that is not ours, cost a new
// message.
func TestLostMessageIsPostedAnew(t *testing.T) {
	for _, reference := range []string{"C1/1111.2222/high", "message-7", "//"} {
		s, d := soc(t, fakesoc.Options{})
		kept := send(t, d, alertingtest.Full(), reference)
		if m := s.State().Messages; len(m) != 1 || kept != "C1/"+m[0].TS+"/high" {
			t.Errorf("%q: kept %q, messages %+v", reference, kept, m)
		}
	}
}

// Slack's words say whether trying again can help, and what a person can do.
func TestRefusals(t *testing.T) {
	for body, want := range map[string]struct {
		retry bool
		says  string
	}{
		`{"ok":false,"error":"ratelimited"}`:                         {true, "ratelimited"},
		`{"ok":false,"error":"internal_error"}`:                      {true, "internal_error"},
		`{"ok":false,"error":"not_in_channel"}`:                      {false, "invite the app"},
		`{"ok":false,"error":"invalid_auth"}`:                        {false, "xoxb-…"},
		`{"ok":false,"error":"missing_scope","needed":"chat:write"}`: {false, "chat:write"},
		`{"ok":false,"error":"brand_new"}`:                           {false, "brand_new"},
		`{"ok":false,"error":"echo ` + token + `"}`:                  {false, "echo ***"},
		`<html>maintenance</html>`:                                   {true, "not that of Slack"},
		`{}`:                                                         {true, "not that of Slack"},
	} {
		r := notifytest.NewReceiver(t, false, notifytest.Say(200, body))
		retry, err := bot(t, notifytest.Setup{URL: r.URL, Now: time.Now}).Notify(t.Context(), alertingtest.Full())
		if err == nil || retry != want.retry || !strings.Contains(err.Error(), want.says) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: retry %v, %v", body, retry, err)
		}
	}
}

// An incoming webhook says "ok" and nothing else.
func TestWebhookSaysOK(t *testing.T) {
	for body, taken := range map[string]bool{"ok": true, "ok\n": true, "": false, "OK, signed in as guest": false, `{"ok":true}`: false} {
		r := notifytest.NewReceiver(t, false, notifytest.Say(200, body))
		retry, err := webhook(t, notifytest.Setup{URL: r.URL, Now: time.Now}).Notify(t.Context(), alertingtest.Full())
		if (err == nil) != taken || retry == taken || err != nil && !strings.Contains(err.Error(), "not that of Slack") {
			t.Errorf("%q: retry %v, %v", body, retry, err)
		}
	}
}

func TestRateLimit(t *testing.T) {
	s, d := soc(t, fakesoc.Options{PerSecond: 1, Now: func() time.Time { return notifytest.Now }})
	var failed error
	for range 5 {
		_, failed = d.Notify(t.Context(), alertingtest.Full())
	}
	var after *notify.RetryAfterError
	if !asRetryAfter(failed, &after) || after.After != 4*time.Second || len(s.State().Messages) != 4 {
		t.Errorf("%v, %d messages", failed, len(s.State().Messages))
	}
}

func asRetryAfter(err error, into **notify.RetryAfterError) bool {
	e, ok := err.(*notify.RetryAfterError)
	*into = e
	return ok
}

// Every alert that there can be keeps to Slack's rules, by both ways.
func TestLookAlikeAcceptsAll(t *testing.T) {
	s := fakesoc.New(fakesoc.Options{Token: token})
	server := httptest.NewServer(s)
	defer server.Close()
	set := notifytest.Setup{URL: server.URL + "/api", Timeout: time.Minute, Now: time.Now}
	hook := set
	hook.URL = server.URL + "/services/T/B/x"
	for name, a := range alertingtest.Alerts() {
		if _, err := bot(t, set).Notify(t.Context(), a); err != nil {
			t.Errorf("%s by a bot: %v", name, err)
		}
		if _, err := webhook(t, hook).Notify(t.Context(), a); err != nil {
			t.Errorf("%s by a webhook: %v", name, err)
		}
	}
}

// What is sent, byte for byte. Read them when they change; the page of
// `weir demo` shows what they look like.
func TestGolden(t *testing.T) {
	for name, a := range alertingtest.Alerts() {
		t.Run(name, func(t *testing.T) {
			r := notifytest.NewReceiver(t, false, notifytest.Say(200, `{"ok":true,"channel":"C1","ts":"1.2"}`))
			if _, err := bot(t, notifytest.Setup{URL: r.URL, Now: time.Now}).Notify(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			q := r.Seen()[0]
			if got := q.Header.Get("Authorization"); got != "Bearer "+token {
				t.Errorf("authorized by %q", got)
			}
			var out bytes.Buffer
			if err := json.Indent(&out, q.Body, "", "  "); err != nil {
				t.Fatal(err)
			}
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".json", out.Bytes())
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		o    slack.Options
		want string
	}{
		"nothing":    {slack.Options{}, "either the url"},
		"both":       {slack.Options{Token: token, WebhookURL: "https://x.example/", Channel: "C1"}, "either the url"},
		"no channel": {slack.Options{Token: token}, "needs a channel"},
		"newline":    {slack.Options{Token: token + "\n", Channel: "C1"}, "white space"},
		"bad url":    {slack.Options{WebhookURL: "x.example/T0PS3CR3T"}, "does not begin with https://"},
		"bad api":    {slack.Options{Token: token, Channel: "C1", API: "slack"}, "does not begin with https://"},
	} {
		_, err := slack.New(c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "T0PS3CR3T") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	if *rewrite {
		_ = os.MkdirAll("testdata", 0o755)
	}
	os.Exit(m.Run())
}
