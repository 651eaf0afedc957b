package webserver

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// start serves /healthz, a path that reads bodies, and a stream; it returns the
// address.
func start(t *testing.T, l Limits) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("POST /slack/soc", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		}
	})
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, r *http.Request) {
		Stream(w)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(4 * l.Answer):
			fmt.Fprint(w, "whole")
		case <-r.Context().Done():
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(mux, l)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Close()
		<-ended
	})
	return listener.Addr().String()
}

// trickle opens n connections that send a byte of a body now and then, and
// returns how many of them are open.
func trickle(t *testing.T, address string, n int) *atomic.Int64 {
	t.Helper()
	open := new(atomic.Int64)
	for range n {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "POST /slack/soc HTTP/1.1\r\nHost: weir\r\nContent-Length: 100000\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		open.Add(1)
		stop := context.AfterFunc(t.Context(), func() { conn.Close() })
		go func() {
			defer stop()
			defer open.Add(-1)
			for {
				if _, err := conn.Write([]byte("a")); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
	}
	return open
}

// get returns the body of a page, asked for over a connection of its own.
func get(t *testing.T, url string) (string, error) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 1000 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("after ten seconds: not %s", what)
}

// Connections that are held open keep nobody out, and no more than the limit of
// them stay.
func TestManySlowBodies(t *testing.T) {
	l := Defaults()
	l.Connections, l.Request = 20, time.Hour
	address := start(t, l)
	open := trickle(t, address, 50)
	if body, err := get(t, "http://"+address+"/healthz"); body != "ok" {
		t.Errorf("with 50 slow connections /healthz says %q, %v", body, err)
	}
	eventually(t, "at most 20 of 50 slow connections are open", func() bool { return open.Load() <= 20 })
	if n := open.Load(); n < 15 {
		t.Errorf("%d of 50 slow connections are open, though 20 may be", n)
	}
}

// A body that has not come in time ends its connection, however few there are.
func TestSlowBodiesEnd(t *testing.T) {
	l := Defaults()
	l.Request = 200 * time.Millisecond
	open := trickle(t, start(t, l), 50)
	eventually(t, "all slow connections are closed", func() bool { return open.Load() == 0 })
}

// A header that has not come in time ends its connection, and so does one between two
// requests that brings nothing.
func TestSlowHeadersAndIdleEnd(t *testing.T) {
	for name, c := range map[string]struct {
		limit func(l *Limits)
		sent  string
	}{
		"header": {func(l *Limits) { l.Header, l.Request = 100*time.Millisecond, time.Hour }, "GET /healthz HTTP/1.1\r\nHost: we"},
		"idle":   {func(l *Limits) { l.Idle, l.Header, l.Request = 100*time.Millisecond, time.Hour, time.Hour }, "GET /healthz HTTP/1.1\r\nHost: weir\r\n\r\n"},
	} {
		l := Defaults()
		c.limit(&l)
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", start(t, l))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, c.sent); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%s: the connection is not closed: %v", name, err)
		}
	}
}

// What is too large is refused: it is not read to its end.
func TestLargeRequests(t *testing.T) {
	address := start(t, Defaults())
	resp, err := http.Post("http://"+address+"/slack/soc", "text/plain", strings.NewReader(strings.Repeat("a", 2<<20)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 2 MiB: %s", resp.Status)
	}
	req, err := http.NewRequest(http.MethodGet, "http://"+address+"/healthz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", strings.Repeat("a", 64<<10))
	if resp, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KiB: %s", resp.Status)
	}
}

// A stream goes on beyond the limits of time.
func TestStream(t *testing.T) {
	l := Defaults()
	l.Request, l.Answer = 50*time.Millisecond, 50*time.Millisecond
	if body, err := get(t, "http://"+start(t, l)+"/stream"); body != "whole" || err != nil {
		t.Errorf("the stream holds %q, %v", body, err)
	}
}

// A reader who takes nothing of a stream loses it within a minute: it holds neither the
// handler nor what that has locked.
func TestStreamNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := make(chan error, 1)
		s := New(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			out := Stream(w)
			for {
				if _, err := out.Write(make([]byte, 64<<10)); err != nil {
					failed <- err
					return
				}
			}
		}), Defaults())
		ours, theirs := net.Pipe()
		connections := make(chan net.Conn, 1)
		connections <- theirs
		go func() { _ = s.Server.Serve(pipes{connections}) }()
		if _, err := io.WriteString(ours, "GET / HTTP/1.1\r\nHost: weir\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		select {
		case <-failed:
		case <-time.After(2 * stalled):
			t.Error("the handler still writes to nobody")
		}
		ours.Close()
		close(connections)
		s.Close()
	})
}

// pipes is a listener whose connections are pipes.
type pipes struct{ connections chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.connections; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (pipes) Close() error   { return nil }
func (pipes) Addr() net.Addr { return &net.IPAddr{} }
