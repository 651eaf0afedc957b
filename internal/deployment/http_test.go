package deployment

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/webserver"
	"github.com/weirhq/weir/stream/kafka"
)

// serve serves what a process does and returns the address.
func serve(t *testing.T, feed *console.Feed) string {
	t.Helper()
	c, err := config.Parse("weir.yaml", []byte(`
alerts:
  destinations:
    - {name: soc, type: slack, token: xoxb-1, channel: C024BE91L, signing_secret: 0123456789abcdef0123456789abcdef, users: [U1]}
`), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	c.HTTP.Listen = "127.0.0.1:0" // whichever port is free
	return serveConfig(t, c, feed)
}

// serveConfig serves a configuration and returns the address.
func serveConfig(t *testing.T, c *config.Config, feed *console.Feed) string {
	t.Helper()
	s, err := settings.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return serveAll(t, s, feed)["http.listen"]
}

// serveAll serves settings and returns the addresses, by key.
func serveAll(t *testing.T, s *settings.Settings, feed *console.Feed) map[string]string {
	t.Helper()
	var log bytes.Buffer
	stop, err := Serve(s, NewRegistry(), &kafka.Process{}, feed, slog.New(slog.NewJSONHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	out := map[string]string{}
	for d := json.NewDecoder(&log); d.More(); {
		var line struct{ Key, Address string }
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		out[line.Key] = line.Address
	}
	return out
}

// What machines ask for, and the clicks that come from the internet, are served where the
// configuration says, and nowhere else.
func TestSeparateListeners(t *testing.T) {
	const slack = "alerts: {destinations: [{name: soc, type: slack, token: xoxb-1, channel: C1, signing_secret: 0123456789abcdef0123456789abcdef, users: [U1]}]}"
	ask := func(address, method, path string) int {
		if address == "" {
			return 0
		}
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	const free = "127.0.0.1:0"
	for name, c := range map[string]struct {
		listen, admin, slack string
		health, click        map[string]int // the answer of each listener; 0: there is none
	}{
		"all at one":   {free, "", "", map[string]int{"http.listen": 200}, map[string]int{"http.listen": 401}},
		"each for one": {"127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0", map[string]int{"http.listen": 404, "http.admin_listen": 200, "http.slack_listen": 404}, map[string]int{"http.listen": 404, "http.admin_listen": 404, "http.slack_listen": 401}},
		"no pages":     {"off", free, "", map[string]int{"http.admin_listen": 200}, map[string]int{"http.admin_listen": 404}},
		"no metrics":   {free, "off", "", map[string]int{"http.listen": 404}, map[string]int{"http.listen": 401}},
		"nothing":      {"off", "", "", nil, nil},
	} {
		conf, err := config.Parse("weir.yaml", []byte(slack), os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		conf.HTTP.Listen, conf.HTTP.AdminListen, conf.HTTP.SlackListen = c.listen, c.admin, c.slack
		s, err := settings.New(conf)
		if err != nil {
			t.Fatal(err)
		}
		at := serveAll(t, s, nil)
		if len(at) != len(c.health) {
			t.Errorf("%s: listens at %v", name, at)
		}
		for key, want := range c.health {
			if got := ask(at[key], http.MethodGet, "/healthz"); got != want {
				t.Errorf("%s: /healthz at %s answers %d, want %d", name, key, got, want)
			}
			if got := ask(at[key], http.MethodPost, "/slack/soc"); got != c.click[key] {
				t.Errorf("%s: a click at %s answers %d, want %d", name, key, got, c.click[key])
			}
		}
	}
}

// Bodies that trickle to the path of clicks, which is open to the world, leave
// descriptors for others: the oldest connections are closed.
func TestServeOutlivesSlowClicks(t *testing.T) {
	address := serve(t, nil)
	limit := webserver.Defaults().Connections
	var closed atomic.Int64
	for range limit + 20 {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST /slack/soc HTTP/1.1\r\nHost: weir\r\nContent-Length: 100000\r\n\r\na"); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = io.Copy(io.Discard, conn) // until it is closed
			closed.Add(1)
		}()
	}
	client := &http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "ok\n" {
		t.Errorf("/healthz says %q, %v", body, err)
	}
	for range 300 {
		if closed.Load() >= 20 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("of %d slow connections %d are closed within three seconds, want 20", limit+20, closed.Load())
}

// The console refuses a name that is not its own; what machines ask for goes on.
func TestServeConsole(t *testing.T) {
	address := serve(t, console.NewFeed())
	for _, c := range []struct {
		path, host string
		code       int
	}{
		{"/", "", 200}, {"/api/v1/episodes", "", 200}, {"/nothing", "", 404},
		{"/", "thief.example", 403}, {"/api/v1/episodes", "thief.example", 403},
		{"/metrics", "thief.example", 200}, {"/healthz", "thief.example", 200}, {"/readyz", "thief.example", 503},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+c.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.code {
			t.Errorf("%s asked for as %q: %d, want %d", c.path, c.host, resp.StatusCode, c.code)
		}
	}
	if resp, err := http.Post("http://"+address+"/slack/soc", "text/plain", strings.NewReader("x")); err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a click that is not signed: %v, %v", resp, err)
	} else {
		resp.Body.Close()
	}
}
