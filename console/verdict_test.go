package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/stream/correlate"
)

const formType = "application/x-www-form-urlencoded"

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// A verdict from the page and from the API is the event that the command line and
// Slack write; sent twice within a second it is one.
func TestVerdicts(t *testing.T) {
	b := newBench(t, 3, access.Analyst)
	b.Now = func() time.Time { return noon }
	key := b.key()
	form := url.Values{"kind": {"expected"}, "reason": {"yearly audit"}, "for": {"24h"}}.Encode()
	w := b.do(http.MethodPost, "/episodes/"+key+"/verdict", form, "Content-Type", formType, "Sec-Fetch-Site", "same-origin")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/episodes/"+key+"?done=expected" {
		t.Errorf("form: %d, %s", w.Code, w.Header())
	}
	body := fmt.Sprintf(`{"kind":"expected","reason":"yearly audit","expires":%q}`, noon.Add(24*time.Hour).Format(time.RFC3339))
	w = b.do(http.MethodPost, "/api/v1/episodes/"+key+"/verdicts", body, "Content-Type", "application/json")
	if w.Code != http.StatusCreated || len(b.verdicts) != 2 {
		t.Fatalf("API: %d %s", w.Code, w.Body)
	}
	want := correlate.Verdict{
		ID: b.verdicts[0].ID, Time: alerting.Time(noon.UnixMilli()), Kind: correlate.Expected, DedupKey: key, Author: "ana",
		Reason: "yearly audit", Expires: alerting.Time(noon.Add(24 * time.Hour).UnixMilli()),
	}
	for _, v := range b.verdicts {
		if v != want || len(v.ID) != 24 {
			t.Errorf("%+v\nwant %+v", v, want)
		}
	}
	if page := b.get("/episodes/" + key + "?done=expected").Body.String(); !strings.Contains(page, "Recorded: expected") {
		t.Error("the page does not say that the verdict was recorded")
	}
	for said, site := range map[string]string{"expected": "cross-site", "confirmed": "none", "call +1 555 0100": "same-origin"} {
		if page := b.get("/episodes/"+key+"?"+url.Values{"done": {said}}.Encode(), "Sec-Fetch-Site", site).Body.String(); strings.Contains(page, "Recorded:") {
			t.Errorf("a link (%s) has the page say that %q was recorded", site, said)
		}
	}
	b.failing = errors.New("kafka is away, password hunter2")
	w = b.do(http.MethodPost, "/api/v1/episodes/"+key+"/verdicts", `{"kind":"acknowledge"}`, "Content-Type", "application/json")
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("when it cannot be written: %d %s", w.Code, w.Body)
	}
}

// Who may do what: each cell of the table in docs/console.md.
func TestRoles(t *testing.T) {
	in := func(d time.Duration) string { return noon.Add(d).Format(time.RFC3339) }
	for _, c := range []struct {
		body                            string
		viewer, analyst, admin, nowhere int
	}{
		{`{"kind":"acknowledge"}`, 403, 201, 201, 403},
		{`{"kind":"confirmed","reason":"forged"}`, 403, 201, 201, 403},
		{`{"kind":"confirmed"}`, 403, 400, 400, 403},
		{`{"kind":"reopened"}`, 403, 201, 201, 403},
		{`{"kind":"assigned"}`, 403, 201, 201, 403},
		{`{"kind":"assigned","assignee":"console:bob"}`, 403, 201, 201, 403},
		{`{"kind":"released"}`, 403, 201, 201, 403},
		{`{"kind":"acknowledge","assignee":"console:bob"}`, 403, 400, 400, 403},
		{`{"kind":"expected","reason":"audit","expires":"` + in(7*24*time.Hour) + `"}`, 403, 201, 201, 403},
		{`{"kind":"expected","reason":"audit","expires":"` + in(8*24*time.Hour) + `"}`, 403, 400, 201, 403},
		{`{"kind":"expected","reason":"audit","expires":"` + in(91*24*time.Hour) + `"}`, 403, 400, 400, 403},
		{`{"kind":"expected","reason":"audit","expires":"` + in(-time.Hour) + `"}`, 403, 400, 400, 403},
		{`{"kind":"expected","reason":"audit"}`, 403, 400, 400, 403},
		{`{"kind":"expected","expires":"` + in(time.Hour) + `"}`, 403, 400, 400, 403},
		{`{"kind":"forgiven"}`, 403, 400, 400, 403},
	} {
		for role, want := range map[access.Role]int{access.Nobody: c.viewer, access.Viewer: c.viewer, access.Analyst: c.analyst, access.Admin: c.admin} {
			b := newBench(t, 1, role)
			b.Now = func() time.Time { return noon }
			path := "/api/v1/episodes/" + b.key() + "/verdicts"
			if w := b.do(http.MethodPost, path, c.body, "Content-Type", "application/json"); w.Code != want || len(b.verdicts) != map[bool]int{true: 1}[want == 201] {
				t.Errorf("%s by %s: %d %s, want %d", c.body, role, w.Code, w.Body, want)
			}
			page := b.get("/episodes/" + b.key()).Body.String()
			if strings.Contains(page, "form-confirmed") != (role >= access.Analyst) || strings.Contains(page, "90 days") != (role == access.Admin) {
				t.Errorf("the page shows %s the wrong buttons", role)
			}
			b.Judge = nil
			if w := b.do(http.MethodPost, path, c.body, "Content-Type", "application/json"); w.Code != c.nowhere {
				t.Errorf("%s where nothing can be judged: %d", c.body, w.Code)
			}
		}
	}
}

// Pages of somebody else's, and requests that are none, change nothing.
func TestForgedRequests(t *testing.T) {
	b := newBench(t, 1, access.Admin)
	page, api := "/episodes/"+b.key()+"/verdict", "/api/v1/episodes/"+b.key()+"/verdicts"
	form, body := "kind=acknowledge", `{"kind":"acknowledge"}`
	for _, c := range []struct {
		what, path, body string
		code             int
		header           []string
	}{
		{"another site's form", page, form, 403, []string{"Content-Type", formType, "Sec-Fetch-Site", "cross-site"}},
		{"a sibling's form", page, form, 403, []string{"Content-Type", formType, "Sec-Fetch-Site", "same-site"}},
		{"an old browser's form of another site", page, form, 403, []string{"Content-Type", formType, "Origin", "https://thief.example"}},
		{"a form to the API", api, body, 415, []string{"Content-Type", formType}},
		{"plain text to the API", api, body, 415, []string{"Content-Type", "text/plain"}},
		{"no type", api, body, 415, nil},
		{"another site's call of the API", api, body, 403, []string{"Content-Type", "application/json", "Sec-Fetch-Site", "cross-site"}},
		{"unknown fields", api, `{"kind":"acknowledge","author":"bob"}`, 400, []string{"Content-Type", "application/json"}},
		{"two objects", api, body + body, 400, []string{"Content-Type", "application/json"}},
		{"no JSON", api, "kind", 400, []string{"Content-Type", "application/json"}},
		{"another episode", "/api/v1/episodes/weir-none/verdicts", body, 404, []string{"Content-Type", "application/json"}},
		{"a long reason", api, `{"kind":"acknowledge","reason":"` + strings.Repeat("a", 3000) + `"}`, 400, []string{"Content-Type", "application/json"}},
	} {
		if w := b.do(http.MethodPost, c.path, c.body, c.header...); w.Code != c.code || len(b.verdicts) != 0 {
			t.Errorf("%s: %d, %d verdicts, want %d", c.what, w.Code, len(b.verdicts), c.code)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		if w := b.do(method, page, form, "Content-Type", formType); w.Code < 400 || len(b.verdicts) != 0 {
			t.Errorf("%s: %d, %d verdicts", method, w.Code, len(b.verdicts))
		}
	}
}

// Who must sign in is asked to; a foreign name is refused; style and script come
// all the same, and nothing of the deployment with them.
func TestGuarded(t *testing.T) {
	b := newBench(t, 3, access.Viewer)
	closed, err := access.New(access.Options{Listen: "0.0.0.0:9464"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	users, err := access.New(access.Options{Listen: "0.0.0.0:9464", Tokens: []access.Token{{Name: "soar", Role: access.Viewer, Hash: strings.Repeat("0", 64)}}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	html, api := b.paths()
	all := append(append(html, api...), "/api/v1/openapi.json", "/console/events", "/nothing")
	for code, who := range map[int]*access.Control{403: closed, 401: users} {
		b.Access = who
		for _, path := range all {
			w := b.get(path)
			if w.Code != code || strings.Contains(w.Body.String(), "kid-") || code == 401 && w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %d, want %d", path, w.Code, code)
			}
		}
		if w := b.get("/console/console.css"); w.Code != 200 {
			t.Errorf("style: %d", w.Code)
		}
	}
}

// Who looks at whom is in the log.
func TestViewsAreLogged(t *testing.T) {
	b := newBench(t, 1, access.Viewer)
	b.get("/episodes/" + b.key())
	if line := b.log.String(); !strings.Contains(line, "by=ana") || !strings.Contains(line, b.key()) {
		t.Errorf("log: %s", line)
	}
}
