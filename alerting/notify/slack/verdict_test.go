package slack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/alerting/notify/notifytest"
	"github.com/weirhq/weir/alerting/notify/slack"
)

const signingSecret = "8f742231b10e8888abcd99yyyzzz85a5"

// The example of Slack's documentation ("Verifying requests from Slack").
func TestSignatureOfTheDocumentation(t *testing.T) {
	h := http.Header{}
	body := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	slack.Sign(signingSecret, h, []byte(body), time.Unix(1531420618, 0))
	if got, want := h.Get("X-Slack-Signature"), "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func payload(action, value string) string {
	return `{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1","username":"min.ji"},"trigger_id":"t1","actions":[{"action_id":"` + action + `","value":"` + value + `","action_ts":"1700000000.1"}]}`
}

func TestHandler(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for name, c := range map[string]struct {
		payload string
		age     time.Duration
		secret  string
		tamper  bool
		fails   bool
		code    int
		want    string
	}{
		"acknowledged":      {payload: payload("weir_acknowledge", "weir-1"), code: 200, want: "acknowledge weir-1 by U1 (min.ji) of T1"},
		"expected":          {payload: payload("weir_expected", "weir-1"), code: 200, want: "expected weir-1 by U1 (min.ji) of T1"},
		"true positive":     {payload: payload("weir_true_positive", "weir-1"), age: 4 * time.Minute, code: 200, want: "true_positive weir-1 by U1 (min.ji) of T1"},
		"taken":             {payload: payload("weir_take", "weir-1"), code: 200, want: "take weir-1 by U1 (min.ji) of T1"},
		"released":          {payload: payload("weir_release", "weir-1"), code: 200, want: "release weir-1 by U1 (min.ji) of T1"},
		"another's button":  {payload: payload("deploy", "prod"), code: 200},
		"not a click":       {payload: `{"type":"view_closed"}`, code: 200},
		"too old":           {payload: payload("weir_expected", "weir-1"), age: 301 * time.Second, code: 401},
		"from the future":   {payload: payload("weir_expected", "weir-1"), age: -301 * time.Second, code: 401},
		"other secret":      {payload: payload("weir_expected", "weir-1"), secret: "0123456789abcdef0123456789abcdef", code: 401},
		"changed":           {payload: payload("weir_expected", "weir-1"), tamper: true, code: 401},
		"unknown button":    {payload: payload("weir_explode", "weir-1"), code: 400},
		"no episode":        {payload: payload("weir_expected", ""), code: 400},
		"no time":           {payload: strings.Replace(payload("weir_expected", "weir-1"), "action_ts", "ts", 1), code: 400},
		"no JSON":           {payload: "x", code: 400},
		"cannot be written": {payload: payload("weir_expected", "weir-1"), fails: true, code: 500, want: "expected weir-1 by U1 (min.ji) of T1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			h, err := slack.Handler(signingSecret, "", func() time.Time { return now }, func(_ context.Context, v slack.Verdict) (string, error) {
				got = fmt.Sprintf("%s %s by %s (%s) of %s", v.Kind, v.DedupKey, v.Author, v.Name, v.Team)
				if c.fails {
					return "", errors.New("kafka is away")
				}
				return "", nil
			})
			if err != nil {
				t.Fatal(err)
			}
			body := url.Values{"payload": {c.payload}}.Encode()
			sent := body
			if c.tamper {
				sent = strings.Replace(body, "weir-1", "weir-2", 1)
			}
			r := httptest.NewRequest(http.MethodPost, "/slack", strings.NewReader(sent))
			secret := signingSecret
			if c.secret != "" {
				secret = c.secret
			}
			slack.Sign(secret, r.Header, []byte(body), now.Add(-c.age))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.code || got != c.want {
				t.Errorf("answered %d with %q, decided %q; want %d, %q", w.Code, w.Body, got, c.code, c.want)
			}
		})
	}
}

func TestHandlerRefuses(t *testing.T) {
	if _, err := slack.Handler("short", "", time.Now, nil); err == nil {
		t.Error("took a secret of five characters")
	}
	h, _ := slack.Handler(signingSecret, "", time.Now, nil)
	for name, r := range map[string]*http.Request{
		"GET":      httptest.NewRequest(http.MethodGet, "/", nil),
		"unsigned": httptest.NewRequest(http.MethodPost, "/", strings.NewReader("payload={}")),
		"endless":  httptest.NewRequest(http.MethodPost, "/", io.LimitReader(zeros{}, 64<<20)),
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("%s: answered %d", name, w.Code)
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// A click on the look-alike's page arrives as a verdict. The message says so at once, in
// one line whatever is clicked, until an alert changes it.
func TestClickOnTheLookAlike(t *testing.T) {
	got := make(chan slack.Verdict, 1)
	interactivity := httptest.NewServer(http.NotFoundHandler())
	defer interactivity.Close()
	s := fakesoc.New(fakesoc.Options{Interactivity: interactivity.URL, SigningSecret: signingSecret})
	server := httptest.NewServer(s)
	defer server.Close()
	h, err := slack.Handler(signingSecret, server.URL+"/api", time.Now, func(_ context.Context, v slack.Verdict) (string, error) {
		got <- v
		return "⏳ Confirming: <b> by Kim", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	interactivity.Config.Handler = h
	a := alertingtest.Full()
	out := bot(t, notifytest.Setup{URL: server.URL + "/api", Now: time.Now}).(*slack.Slack)
	kept, _, err := out.Upsert(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	m := s.State().Messages[0]
	click := `{"channel":"` + m.Channel + `","ts":"` + m.TS + `","action_id":"weir_expected","value":"` + a.DedupKey + `"}`
	for n := 1; n <= 2; n++ {
		resp, err := http.Post(server.URL+"/click", "application/json", bytes.NewReader([]byte(click)))
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		if v := <-got; v.Kind != slack.Expected || v.DedupKey != a.DedupKey || v.Author == "" {
			t.Errorf("decided %+v", v)
		}
		for range 500 {
			if s.State().Messages[0].Edited == n {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		now := s.State().Messages[0]
		if now.Clicked != "weir_expected" {
			t.Error("the page does not show the click")
		}
		if strings.Count(string(now.Blocks), `Confirming: \u0026lt;b\u0026gt; by Kim`) != 1 || len(now.Blocks) < len(m.Blocks) || now.Text != m.Text {
			t.Errorf("after click %d the message is\n%s", n, now.Blocks)
		}
	}
	a.Status = alerting.Update
	if _, _, err := out.Upsert(t.Context(), a, kept); err != nil {
		t.Fatal(err)
	}
	if now := s.State().Messages[0]; strings.Contains(string(now.Blocks), "Confirming") {
		t.Errorf("still confirming:\n%s", now.Blocks)
	}
}

// A click changes a message of Slack's alone, wherever it says that it is from.
func TestReplyGoesToSlackAlone(t *testing.T) {
	asked := make(chan struct{}, 1)
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	defer other.Close()
	h, err := slack.Handler(signingSecret, "https://slack.com/api", time.Now, func(context.Context, slack.Verdict) (string, error) { return "taken", nil })
	if err != nil {
		t.Fatal(err)
	}
	body := url.Values{"payload": {strings.Replace(payload("weir_expected", "weir-1"), "{", `{"response_url":"`+other.URL+`","message":{"text":"x","blocks":[{"type":"divider"}]},`, 1)}}.Encode()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	slack.Sign(signingSecret, r.Header, []byte(body), time.Now())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	select {
	case <-asked:
		t.Error("the answer went to a server that is not Slack")
	case <-time.After(200 * time.Millisecond):
	}
	if w.Code != http.StatusOK {
		t.Errorf("answered %d", w.Code)
	}
}

func FuzzHandler(f *testing.F) {
	f.Add([]byte(url.Values{"payload": {payload("weir_expected", "weir-1")}}.Encode()))
	f.Add([]byte("payload=%7B"))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := slack.Handler(signingSecret, "", time.Now, func(_ context.Context, v slack.Verdict) (string, error) {
			if v.DedupKey == "" || v.Author == "" || v.Kind == "" {
				t.Errorf("decided %+v", v)
			}
			return "", nil
		})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		slack.Sign(signingSecret, r.Header, body, time.Now())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest && w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("answered %d", w.Code)
		}
	})
}

// A click that was overheard counts once, however often and freshly it is sent; one that
// could not be written can be sent again.
func TestClickCountsOnce(t *testing.T) {
	now, fails, got := time.Unix(1_700_000_000, 0), true, 0
	h, err := slack.Handler(signingSecret, "", func() time.Time { return now }, func(context.Context, slack.Verdict) (string, error) {
		if fails {
			return "", errors.New("kafka is away")
		}
		got++
		return "", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	body := url.Values{"payload": {payload("weir_expected", "weir-1")}}.Encode()
	send := func() int {
		r := httptest.NewRequest(http.MethodPost, "/slack", strings.NewReader(body))
		slack.Sign(signingSecret, r.Header, []byte(body), time.Unix(1_700_000_000, 0))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	codes := []int{send()}
	fails = false
	codes = append(codes, send(), send())
	now = now.Add(4 * time.Minute)
	codes = append(codes, send())
	now = now.Add(time.Hour)
	codes = append(codes, send())
	if want := []int{500, 200, 409, 409, 401}; !slices.Equal(codes, want) || got != 1 {
		t.Errorf("answered %v, want %v; %d clicks count", codes, want, got)
	}
}
