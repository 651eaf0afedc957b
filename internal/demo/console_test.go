package demo

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting/alertingtest"
)

// What the demonstration says shows in its console, and what is judged there comes
// back by its topics, with its author.
func TestDemoServesConsole(t *testing.T) {
	served, err := (&Options{Serve: "127.0.0.1:0"}).listenConsole(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer served.Stop()
	p, err := startPipeline(t.Context(), "", served, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.stop() }() // it may be stopped before it has begun
	a := alertingtest.Full()
	if err := p.client.ProduceSync(t.Context(), &kgo.Record{Topic: p.process.Topics.Alerts, Value: a.AppendJSON(nil)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	holder := func() string {
		resp, err := http.Get(served.URL + "api/v1/episodes/" + a.DedupKey)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var v struct {
			Summary struct {
				Holder string `json:"holder"`
			} `json:"summary"`
		}
		if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&v) != nil {
			return "not there"
		}
		return v.Summary.Holder
	}
	wait := func(want string) {
		t.Helper()
		for range 300 {
			if holder() == want {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("after 15 seconds the episode is held by %q, want %q", holder(), want)
	}
	wait("")
	form := url.Values{"kind": {"acknowledge"}, "reason": {"INC-1"}}
	resp, err := http.Post(served.URL+"episodes/"+a.DedupKey+"/verdict", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the verdict: %s", resp.Status)
	}
	wait("console:demo")
}
