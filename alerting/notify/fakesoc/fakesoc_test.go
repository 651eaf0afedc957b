package fakesoc

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T, o Options) (*Server, string) {
	t.Helper()
	s := New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

// say posts a body and returns the status and the answer.
func say(t *testing.T, url, body string, header ...string) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json; charset=utf-8")
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(q)
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

func text(kind string, n int) string {
	return `{"type":"` + kind + `","text":"` + strings.Repeat("가", n) + `"}`
}

// The look-alike is as strict as the vendor says it is, at each limit and one
// past it.
func TestSlackRules(t *testing.T) {
	_, url := start(t, Options{})
	section := func(n int) string { return `{"type":"section","text":` + text("plain_text", n) + `}` }
	post := func(blocks string) string { return `{"channel":"C1","text":"x","blocks":[` + blocks + `]}` }
	buttons := func(ids ...string) string {
		var b []string
		for _, id := range ids {
			b = append(b, `{"type":"button","text":`+text("plain_text", 75)+`,"action_id":"`+id+`"}`)
		}
		return post(`{"type":"actions","elements":[` + strings.Join(b, ",") + `]}`)
	}
	for name, c := range map[string]struct{ body, want string }{
		"text":                {`{"channel":"C1","text":"x"}`, `"ok":true`},
		"no text":             {`{"channel":"C1"}`, `no_text`},
		"no JSON":             {`{`, `invalid_json`},
		"long text":           {`{"channel":"C1","text":"` + strings.Repeat("x", 40_000) + `"}`, `"ok":true`},
		"too long text":       {`{"channel":"C1","text":"` + strings.Repeat("x", 40_001) + `"}`, `msg_too_long`},
		"header":              {post(`{"type":"header","text":` + text("plain_text", 150) + `}`), `"ok":true`},
		"too long header":     {post(`{"type":"header","text":` + text("plain_text", 151) + `}`), `less than 151`},
		"markup in header":    {post(`{"type":"header","text":` + text("mrkdwn", 5) + `}`), `text of type`},
		"section":             {post(section(3000)), `"ok":true`},
		"too long section":    {post(section(3001)), `less than 3001`},
		"empty section":       {post(section(0)), `more than 0`},
		"too much in all":     {post(strings.Repeat(section(3000)+",", 4) + section(1)), `msg_blocks_too_long`},
		"50 blocks":           {post(strings.Repeat(section(1)+",", 49) + section(1)), `"ok":true`},
		"51 blocks":           {post(strings.Repeat(section(1)+",", 50) + section(1)), `50 items`},
		"11 fields":           {post(`{"type":"section","fields":[` + strings.Repeat(text("mrkdwn", 1)+",", 10) + text("mrkdwn", 1) + `]}`), `10 fields`},
		"long field":          {post(`{"type":"section","fields":[` + text("mrkdwn", 2001) + `]}`), `less than 2001`},
		"buttons":             {buttons("a", "b"), `"ok":true`},
		"two of one action":   {buttons("a", "a"), `unique`},
		"unknown block":       {post(`{"type":"hologram"}`), `unsupported`},
		"thread of no parent": {`{"channel":"C1","text":"x","thread_ts":"1.1"}`, `thread_not_found`},
	} {
		code, got := say(t, url+"/api/chat.postMessage", c.body, "Authorization", "Bearer xoxb-1")
		if code != 200 || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %s, want %s", name, code, got, c.want)
		}
	}
	if _, got := say(t, url+"/api/chat.postMessage", `{"text":"x"}`); !strings.Contains(got, "not_authed") {
		t.Errorf("without a token: %s", got)
	}
	if _, got := say(t, url+"/api/chat.postMessage", `{"text":"x"}`, "Authorization", "Bearer stolen"); !strings.Contains(got, "invalid_auth") {
		t.Errorf("with another token: %s", got)
	}
	if code, got := say(t, url+"/services/T/B/x", post(section(3001))); code != 400 || !strings.Contains(got, "invalid_blocks") {
		t.Errorf("webhook: %d %s", code, got)
	}
}

func TestPagerDutyRules(t *testing.T) {
	s, url := start(t, Options{})
	const key = "0123456789abcdef0123456789abcdef"
	event := func(action, dedup, summary, more string) string {
		return `{"routing_key":"` + key + `","event_action":"` + action + `","dedup_key":"` + dedup + `","payload":{"summary":"` + summary + `","source":"weir","severity":"critical"` + more + `}}`
	}
	for name, c := range map[string]struct {
		body string
		code int
		want string
	}{
		"trigger":        {event("trigger", "a", "x", ""), 202, "Event processed"},
		"long summary":   {event("trigger", "a", strings.Repeat("가", 1024), ""), 202, ""},
		"too long":       {event("trigger", "a", strings.Repeat("가", 1025), ""), 400, "summary"},
		"dedup too long": {event("trigger", strings.Repeat("k", 256), "x", ""), 400, "dedup_key"},
		"time":           {event("trigger", "a", "x", `,"timestamp":"noon"`), 400, "timestamp"},
		"details":        {event("trigger", "a", "x", `,"custom_details":[1]`), 400, "custom_details"},
		"no payload":     {`{"routing_key":"` + key + `","event_action":"trigger"}`, 400, "payload"},
		"short key":      {`{"routing_key":"x","event_action":"resolve","dedup_key":"a"}`, 400, "routing_key"},
		"unknown action": {event("explode", "a", "x", ""), 400, "event_action"},
		"no JSON":        {"x", 400, "parse"},
		"huge":           {event("trigger", "a", "x", `,"custom_details":{"x":"`+strings.Repeat("x", 512<<10)+`"}`), 413, ""},
	} {
		if code, got := say(t, url+"/v2/enqueue", c.body); code != c.code || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %s, want %d with %s", name, code, got, c.code, c.want)
		}
	}
	for _, action := range []string{"acknowledge", "resolve", "resolve", "trigger"} {
		say(t, url+"/v2/enqueue", event(action, "a", "again", ""))
	}
	in := s.State().Incidents
	if len(in) != 2 || in[0].Status != "resolved" || in[0].Events != 4 || in[1].Status != "triggered" || in[1].Summary != "again" {
		t.Errorf("incidents %+v", in)
	}
}

func TestAlertmanagerRules(t *testing.T) {
	now := time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)
	s, url := start(t, Options{Now: func() time.Time { return now }})
	for body, code := range map[string]int{
		`[{"labels":{"alertname":"x"}}]`:          200,
		`[{"labels":{"alertname":"x","a":""}}]`:   200,
		`[{"labels":{}}]`:                         400,
		`[{"labels":{"a b":"x"}}]`:                400,
		`{}`:                                      400,
		`[{"labels":{"a":"x"},"startsAt":"now"}]`: 400,
		`[{"labels":{"a":"x"},"startsAt":"2026-03-03T15:00:00Z","endsAt":"2026-03-03T14:00:00Z"}]`: 400,
		`[{"labels":{"a":"x"},"generatorURL":"x"}]`:                                                400,
	} {
		if got, answer := say(t, url+"/api/v2/alerts", body); got != code {
			t.Errorf("%s: %d %s, want %d", body, got, answer, code)
		}
	}
	if a := s.State().Alerts; len(a) != 1 || a[0].Posts != 2 || !a[0].Firing {
		t.Fatalf("alerts %+v", a)
	}
	now = now.Add(resolveTimeout)
	if s.State().Alerts[0].Firing {
		t.Error("it still fires when nobody has told it again")
	}
}

// The page learns of each change, and what it may load is nothing.
func TestPage(t *testing.T) {
	_, url := start(t, Options{})
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if !strings.Contains(string(body), "<!doctype html>") || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error("no page, or no policy")
	}
	for _, word := range []string{"innerHTML", "insertAdjacent", "document.write", "eval("} {
		if strings.Contains(string(body), word) {
			t.Errorf("the page uses %s", word)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	q, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/events", nil)
	events, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	lines := bufio.NewScanner(events.Body)
	next := func() string {
		for lines.Scan() {
			if lines.Text() != "" {
				return lines.Text()
			}
		}
		return "end"
	}
	if got := next(); got != "data: 0" {
		t.Fatal(got)
	}
	say(t, url+"/services/T/B/x", `{"text":"hello"}`)
	if got := next(); got != "data: 1" {
		t.Error(got)
	}
}

// A page of somebody else's can make a browser post; it must not get through.
func TestOtherPagesCannotClick(t *testing.T) {
	_, url := start(t, Options{Interactivity: "http://127.0.0.1:1/", SigningSecret: "x"})
	if code, _ := say(t, url+"/click", `{}`, "Origin", "https://thief.example", "Sec-Fetch-Site", "cross-site"); code != http.StatusForbidden {
		t.Errorf("answered %d", code)
	}
	if code, got := say(t, url+"/click", `{}`); code != http.StatusBadGateway {
		t.Errorf("nobody takes the click: %d %s", code, got)
	}
}

func TestBounded(t *testing.T) {
	s, url := start(t, Options{})
	for range keep + 3 {
		say(t, url+"/services/T/B/x", `{"text":"hello"}`)
	}
	if n := len(s.State().Messages); n != keep {
		t.Errorf("keeps %d messages", n)
	}
}

// The look-alike refuses what Teams would not show.
func TestTeamsRules(t *testing.T) {
	s, url := start(t, Options{})
	card := func(body, more string) string {
		return `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{"type":"AdaptiveCard","version":"1.4","body":[` + body + `]` + more + `}}]}`
	}
	const text = `{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":"x"}]}`
	link := func(url string) string {
		return `{"type":"Action.OpenUrl","title":"Console","url":"` + url + `"}`
	}
	for name, c := range map[string]struct {
		query, body string
		code        int
		want        string
	}{
		"card":              {"?sig=x", card(text, ""), 202, ""},
		"links":             {"?sig=x", card(text, `,"actions":[`+strings.Repeat(link("https://x.example")+",", 5)+link("https://x.example")+`]`), 202, ""},
		"too many links":    {"?sig=x", card(text, `,"actions":[`+strings.Repeat(link("https://x.example")+",", 6)+link("https://x.example")+`]`), 400, "7 actions"},
		"a script":          {"?sig=x", card(text, `,"actions":[`+link("javascript:alert(1)")+`]`), 400, "opens no page"},
		"styled head":       {"?sig=x", card(`{"type":"Container","style":"attention","items":[`+text+`]}`, ""), 202, ""},
		"unknown style":     {"?sig=x", card(`{"type":"Container","style":"danger","items":[`+text+`]}`, ""), 400, "danger"},
		"unknown element":   {"?sig=x", card(`{"type":"Hologram"}`, ""), 400, "Hologram"},
		"unknown inside":    {"?sig=x", card(`{"type":"Container","items":[{"type":"Hologram"}]}`, ""), 400, "Hologram"},
		"empty run":         {"?sig=x", card(`{"type":"RichTextBlock","inlines":[{"type":"TextRun"}]}`, ""), 400, "0 bytes"},
		"no body":           {"?sig=x", card("", ""), 400, "no body"},
		"version":           {"?sig=x", strings.Replace(card(text, ""), "1.4", "1.6", 1), 400, "1.6"},
		"other attachment":  {"?sig=x", strings.Replace(card(text, ""), "card.adaptive", "card.hero", 1), 400, "no Adaptive Card"},
		"no attachments":    {"?sig=x", `{"type":"message"}`, 400, "attachments"},
		"no JSON":           {"?sig=x", `{`, 400, "reading the message"},
		"28 KB":             {"?sig=x", card(text, "") + strings.Repeat(" ", maxTeams-len(card(text, ""))), 202, ""},
		"more than 28 KB":   {"?sig=x", card(text, "") + strings.Repeat(" ", maxTeams-len(card(text, ""))+1), 413, ""},
		"without signature": {"", card(text, ""), 401, ""},
	} {
		before := len(s.State().Cards)
		code, got := say(t, url+"/workflows/1"+c.query, c.body)
		if code != c.code || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %s, want %d %s", name, code, got, c.code, c.want)
		}
		if shown := len(s.State().Cards) - before; (shown == 1) != (code == 202) {
			t.Errorf("%s: %d cards are shown", name, shown)
		}
	}
}
