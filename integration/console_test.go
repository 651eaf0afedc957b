package integration_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/integration/kafkatest"
	"github.com/weirhq/weir/stream/correlate"
)

// analystToken is what an analyst shows to the console.
const analystToken = "an analyst's token"

// analyst asks the console of a process as one who may judge.
type analyst struct {
	t testing.TB
	p *process
}

func (a *analyst) ask(ctx context.Context, method, path, kind, body string) *http.Response {
	a.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+a.p.address(a.t)+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+analystToken)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp
}

// get decodes an answer of the API, and reports whether there is one.
func (a *analyst) get(path string, into any) bool {
	a.t.Helper()
	resp := a.ask(a.t.Context(), http.MethodGet, path, "", "")
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK && json.NewDecoder(resp.Body).Decode(into) == nil
}

// listen follows the stream of versions of a page until the test ends.
func (a *analyst) listen(page string) <-chan string {
	a.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	resp := a.ask(ctx, http.MethodGet, "/console/events?"+url.Values{"page": {page}}.Encode(), "", "")
	versions, ended := make(chan string, 10_000), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if v, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				versions <- v
			}
		}
	}()
	a.t.Cleanup(func() {
		cancel()
		resp.Body.Close()
		<-ended
	})
	return versions
}

// row is what the test wants to know of an episode.
type row struct {
	Key    string `json:"dedup_key"`
	Holder string `json:"holder"`
}

// A process that has the console alone shows what others have committed: what waits while
// nobody works, episodes as they come, and verdicts, which the page and the API write as
// the same event. The message in Slack shows each before its tick has come: here the log
// has ended, so none comes.
func TestConsole(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	d := deploy(t, b, b.Topic(t, 2))
	sum := sha256.Sum256([]byte(analystToken))
	soc := fakesoc.New(fakesoc.Options{})
	slack := httptest.NewServer(soc)
	t.Cleanup(slack.Close)
	d.alerts = "  destinations: [{name: chat, type: slack, token: xoxb-1, channel: C1, per_minute: 6000, api: " + slack.URL + "/api}]\n"
	d.http = "  tokens: [{name: ana, role: analyst, sha256: " + hex.EncodeToString(sum[:]) + "}]\n"
	must(t, "topics", "--create", "-c", d.config(t, "setup"))
	produce(t, producer(t, b), d.sources[0], interleaved(2), 0, c.events)
	a := &analyst{t, d.start(t, "pages", "--roles", "console")}
	if resp, err := http.Get("http://" + a.p.address(t) + "/"); err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %v, %v", resp, err)
	} else {
		resp.Body.Close()
	}

	var health struct {
		Sources []struct{ Waiting int64 }
	}
	eventually(t, shortLimit, "the page Health shows what waits", func() bool {
		return a.get("/api/v1/health", &health) && len(health.Sources) == 1 && health.Sources[0].Waiting >= int64(len(c.events))
	})
	versions := a.listen("/")
	first := <-versions
	d.start(t, "one", "--roles", "ingest,join,detect,correlate,notify")
	var list struct{ Episodes []row }
	eventually(t, longLimit, "episodes are shown", func() bool {
		d.alive(t)
		return a.get("/api/v1/episodes", &list) && len(list.Episodes) > 1
	})
	select {
	case v := <-versions:
		if v == first {
			t.Errorf("the page is told of the version %s that it has", v)
		}
	case <-time.After(shortLimit):
		t.Error("an open page is not told of what has come")
	}
	d.complete(t, len(c.alerts))
	eventually(t, shortLimit, "nothing waits any more", func() bool {
		return a.get("/api/v1/health", &health) && health.Sources[0].Waiting == 0
	})

	byPage, byAPI := list.Episodes[0].Key, list.Episodes[1].Key
	form := url.Values{"kind": {"assigned"}, "reason": {"INC-1"}}.Encode()
	for _, post := range []struct {
		path, kind, body string
		code             int
	}{
		{"/episodes/" + byPage + "/verdict", "application/x-www-form-urlencoded", form, http.StatusSeeOther},
		{"/api/v1/episodes/" + byAPI + "/verdicts", "application/json", `{"kind":"assigned","reason":"INC-1"}`, http.StatusCreated},
	} {
		resp := a.ask(t.Context(), http.MethodPost, post.path, post.kind, post.body)
		text, _ := io.ReadAll(resp.Body) // for the message alone
		resp.Body.Close()
		if resp.StatusCode != post.code {
			t.Fatalf("%s: %d %s", post.path, resp.StatusCode, text)
		}
	}
	for _, key := range []string{byPage, byAPI} {
		eventually(t, shortLimit, "the page shows who holds "+key, func() bool {
			var e struct{ Summary row }
			return a.get("/api/v1/episodes/"+key, &e) && e.Summary.Holder == "console:ana"
		})
	}
	eventually(t, shortLimit, "the messages in Slack show both", func() bool {
		n := 0
		for _, m := range soc.State().Messages {
			if strings.Contains(string(m.Blocks), "Confirming: “held by console:ana”, said by console:ana") {
				n++
			}
		}
		return n == 2
	})
	verdicts := d.read(t, "verdicts")
	eventually(t, shortLimit, "both verdicts are in the log", func() bool {
		verdicts.poll(200 * time.Millisecond)
		return len(verdicts.values) >= 2
	})
	var written []correlate.Verdict
	for _, value := range verdicts.values {
		v, err := correlate.DecodeVerdict([]byte(value))
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, *v)
	}
	if written[0].DedupKey != byPage || written[1].DedupKey != byAPI {
		t.Errorf("verdicts of %s and %s", written[0].DedupKey, written[1].DedupKey)
	}
	same := func(v correlate.Verdict) correlate.Verdict { // but for what differs between any two
		return correlate.Verdict{Kind: v.Kind, Author: v.Author, Via: v.Via, Reason: v.Reason, Assignee: v.Assignee}
	}
	if x, y := same(written[0]), same(written[1]); x != y || x.Author != "console:ana" || x.Kind != correlate.Assigned {
		t.Errorf("the page wrote %+v, the API %+v", x, y)
	}
}
