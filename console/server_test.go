package console

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/consoletest"
	"github.com/weirhq/weir/internal/status"
	"github.com/weirhq/weir/stream/correlate"
)

// bench is a server with a picture of n episodes, and what was written through it.
type bench struct {
	*Server
	log      *lockedBuffer
	verdicts []correlate.Verdict
	failing  error // of the next verdicts
}

// lockedBuffer may be read while requests go on.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

// newBench serves a picture on the loopback interface, where anybody has a role.
func newBench(t testing.TB, n int, role access.Role) *bench {
	t.Helper()
	b := &bench{log: &lockedBuffer{}}
	who, err := access.New(access.Options{Listen: "127.0.0.1:0", Everyone: access.Person{Name: "ana", Role: role}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	feed := NewFeed()
	feed.Publish(consoletest.Fold(n).Snapshot(), true)
	b.Server, err = New(Options{
		Feed: feed, Access: who, Location: time.UTC, Log: slog.New(slog.NewTextHandler(b.log, nil)),
		Judge: func(_ context.Context, v correlate.Verdict) (correlate.Verdict, error) {
			b.verdicts = append(b.verdicts, v)
			return v, b.failing
		},
		Expected: []Expectation{
			{Name: "nightly-export", Dimension: "user", Identity: "svc-*", Owner: "data-platform", Reason: "the export at night, CHG-17"},
			{Name: "unused", Dimension: "client", Identity: "etl", Reason: "nobody knows", Expires: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)},
		},
		Health: func(context.Context) (*status.Status, error) { return health(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// health is how a deployment does of which something must be mended.
func health() *status.Status {
	return &status.Status{
		Time: consoletest.Now, Group: "weir", Faults: []string{"Destination chat fails."}, Reasons: []string{"Nothing has come on access yet."},
		Roles:        []status.Role{{Name: "detect", Processes: 2, Hosts: []string{"a", "b"}, Reached: consoletest.Now}},
		Sources:      []status.Source{{Topic: "access", Partitions: 4, LastEvent: consoletest.Now, LastHour: 12_000, Rejected: []status.Reject{{Reason: "too_large", Count: 3}}}},
		Facts:        status.Facts{Known: true, Inputs: []status.Input{{Name: "logins", Facts: []string{"unissued"}}, {Name: "staff", Seen: true, Facts: []string{}}}},
		Dimensions:   []status.Dimension{{Name: "user", Identities: 4711, Thresholds: map[string]float64{"volume": 15.2}, Rare: map[string]status.Rare{"volume": {Judged: 41_200, Expected: 31.4, Counted: 26}}}},
		Budget:       status.Budget{PerDay: 2, Realised: 0.7},
		Destinations: []status.Destination{{Name: "chat", Type: "slack", Last: consoletest.Now, Failing: true, Reason: "503"}},
	}
}

func (b *bench) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:9464"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

func (b *bench) get(path string, header ...string) *httptest.ResponseRecorder {
	return b.do(http.MethodGet, path, "", header...)
}

// key returns the key of the most urgent open episode.
func (b *bench) key() string {
	s := b.Feed.current.Load()
	return s.Episodes()[0].Key()
}

// paths are the pages, and their twins, of a picture with episodes.
func (b *bench) paths() (html, api []string) {
	s := b.Feed.current.Load()
	html = []string{"/", "/?state=all&severity=high&sort=newest&q=agent", "/expected", "/identities", "/identities?q=kid", "/report", "/report?week=2026-W10", "/health"}
	for _, e := range s.Episodes() {
		a := e.Alert
		html = append(html, "/episodes/"+e.Key(), "/identity?"+url.Values{"dimension": {a.Dimension}, "name": {a.Identity}}.Encode())
	}
	for _, p := range html {
		p = "/api/v1" + p
		if p = strings.Replace(p, "/api/v1/?", "/api/v1/episodes?", 1); p == "/api/v1/" {
			p = "/api/v1/episodes"
		}
		api = append(api, p)
	}
	return html, api
}

// Every page comes, whatever is in it, and lets nothing of other people's words
// through as markup.
func TestPages(t *testing.T) {
	for _, n := range []int{0, 1, 60} {
		b := newBench(t, n, access.Analyst)
		html, _ := b.paths()
		for _, path := range html {
			w := b.get(path)
			body := w.Body.String()
			if w.Code != http.StatusOK || !strings.HasSuffix(strings.TrimSpace(body), "</html>") {
				t.Errorf("%d episodes: %s: %d\n%s", n, path, w.Code, b.log)
			}
			for _, bad := range []string{"</script><", "style=\"", "onclick", "<nil>", "%!", "ZgotmplZ", "\x1b"} {
				if strings.Contains(body, bad) {
					t.Errorf("%d episodes: %s holds %q", n, path, bad)
				}
			}
			if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("%s: policy %q", path, csp)
			}
		}
	}
}

// Answers of the API are as its description says, and lists go on where they
// were.
func TestAPI(t *testing.T) {
	b := newBench(t, 60, access.Analyst)
	c := jsonschema.NewCompiler()
	description, err := jsonschema.UnmarshalJSON(b.get("/api/v1/openapi.json").Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("openapi.json", description); err != nil {
		t.Fatal(err)
	}
	_, api := b.paths()
	for _, path := range api {
		of, _, _ := strings.Cut(path, "?")
		if strings.HasPrefix(of, "/api/v1/episodes/") {
			of = "/api/v1/episodes/{key}"
		}
		at := "openapi.json#/paths/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(of) + "/get/responses/200/content/application~1json/schema"
		schema, err := c.Compile(at)
		if err != nil {
			t.Fatal(err)
		}
		w := b.get(path)
		answer, err := jsonschema.UnmarshalJSON(w.Body)
		if err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d, %v", path, w.Code, err)
		}
		if err := schema.Validate(answer); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	var keys []string
	for path := "/api/v1/episodes?state=all&limit=7"; path != ""; {
		var v TriageView
		decode(t, b.get(path), &v)
		for i := range v.Episodes {
			keys = append(keys, v.Episodes[i].Key)
		}
		path = ""
		if v.Next != "" {
			path = "/api/v1/episodes" + v.Next
		}
	}
	slices.Sort(keys)
	if len(keys) != 60 || len(slices.Compact(keys)) != 60 {
		t.Errorf("in parts of 7 there are %d episodes", len(keys))
	}
}

func decode(t *testing.T, w *httptest.ResponseRecorder, into any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		t.Fatalf("%d, %v: %s", w.Code, err, w.Body)
	}
}

// A page that has not changed is not sent again; one that has is.
func TestETag(t *testing.T) {
	b := newBench(t, 3, access.Viewer)
	for _, path := range []string{"/", "/api/v1/episodes"} {
		tag := b.get(path).Header().Get("ETag")
		if w := b.get(path, "If-None-Match", tag); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("%s: unchanged: %d, %d bytes", path, w.Code, w.Body.Len())
		}
		b.Feed.Publish(consoletest.Fold(4).Snapshot(), true)
		if w := b.get(path, "If-None-Match", tag); w.Code != http.StatusOK {
			t.Errorf("%s: changed: %d", path, w.Code)
		}
	}
}

// What is asked for wrongly is told so, in the form that was asked for.
func TestFaults(t *testing.T) {
	b := newBench(t, 3, access.Analyst)
	for _, c := range []struct {
		path string
		code int
	}{
		{"/episodes/weir-none", 404}, {"/nothing", 404}, {"/?state=ajar", 400}, {"/?severity=huge", 400}, {"/?offset=-1", 400},
		{"/?limit=0", 400}, {"/?limit=1001", 400}, {"/identity", 400}, {"/identity?dimension=user&name=nobody", 404},
		{"/report?week=2026-W60", 400}, {"/report?week=x", 400}, {"/report?week=2025-W53", 400}, {"/console/secret", 404},
		{"/api/v1/episodes/weir-none", 404}, {"/api/v1/episodes?sort=x", 400}, {"/api/v1/nothing", 404},
	} {
		w := b.get(c.path)
		if w.Code != c.code {
			t.Errorf("%s: %d, want %d", c.path, w.Code, c.code)
		}
		if strings.HasPrefix(c.path, "/api/") {
			var e Error
			decode(t, w, &e)
			if e.Error == "" {
				t.Errorf("%s: %s", c.path, w.Body)
			}
		}
	}
	feed := NewFeed()
	b.Feed = feed
	if w := b.get("/episodes/weir-none"); w.Code != 404 || !strings.Contains(w.Body.String(), "has not been read yet") {
		t.Errorf("while reading: %d %s", w.Code, w.Body)
	}
}

// fuzzed paths and queries are answered, never with a fault of the server's.
func FuzzPages(f *testing.F) {
	b := newBench(f, 12, access.Analyst)
	for _, seed := range []string{"/", "/?state=all&offset=3", "/episodes/" + b.key(), "/report?week=2026-W10", "/identity?dimension=user&name=%00", "/api/v1/episodes?q=%ff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.Parse(path)
		if err != nil || !strings.HasPrefix(u.Path, "/") {
			return
		}
		r := &http.Request{Method: http.MethodGet, URL: u, Host: "localhost", Header: http.Header{}, Body: http.NoBody}
		if strings.HasSuffix(u.Path, "/console/events") {
			return // it goes on
		}
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r.WithContext(t.Context()))
		if w.Code >= 500 {
			t.Errorf("%q: %d %s", path, w.Code, w.Body)
		}
	})
}

// An episode says between when it began, and draws that.
func TestOnset(t *testing.T) {
	b := newBench(t, 12, access.Viewer)
	for _, e := range b.Feed.current.Load().Episodes() {
		page := b.get("/episodes/" + e.Key()).Body.String()
		known := e.Alert.OnsetLatest != 0
		if strings.Contains(page, "at 90 % confidence") != known {
			t.Errorf("%s: the interval of the onset is known: %v, and the page says otherwise", e.Key(), known)
		}
		goesOn := e.Alert.OnsetLatest > e.Alert.Onset // else it lies before the pictures
		if goesOn && strings.Contains(page, `class="mark onset"`) && !strings.Contains(page, `class="span onset"`) {
			t.Errorf("%s: no picture has the interval of the onset", e.Key())
		}
	}
}
