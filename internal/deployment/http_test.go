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
	var log bytes.Buffer
	stop, err := Serve(s, NewRegistry(), &kafka.Process{}, feed, slog.New(slog.NewJSONHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	var line struct{ Address string }
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, &log)
	}
	return line.Address
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
