package deployment

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/internal/webserver"
	"github.com/weirhq/weir/stream/kafka"
)

// serve serves what a process does and returns the address.
func serve(t *testing.T) string {
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
	var log bytes.Buffer
	stop, err := Serve(c, authority.New([32]byte{}, nil), NewRegistry(), &kafka.Process{}, slog.New(slog.NewJSONHandler(&log, nil)))
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
	address := serve(t)
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
