// Package notifytest is a test suite of the behaviour that every destination
// shares. A destination that speaks HTTP (Suite) or SMTP (SMTP) meets receivers
// that are well, busy, broken, slow, half dead or not to be trusted. It must
// answer each as the contract of notify.Destination says, and quote no secret.
package notifytest

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
)

// Now is the time that the wall clock of destinations under test shows.
var Now = time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)

// Secret stands in the path and the query of the URL of each destination under
// test; no error may hold it.
const Secret = "T0PS3CR3T"

// Setup is what a destination under test is built from.
type Setup struct {
	URL     string
	Roots   *x509.CertPool // to trust; nil: the system's
	Timeout time.Duration  // of one attempt
	Now     func() time.Time
}

// Request is what a receiver saw of one attempt.
type Request struct {
	Header http.Header
	Body   []byte
}

// Receiver is an HTTP server that answers each request with the next of its
// handlers, and all further ones with the last. It keeps the requests.
type Receiver struct {
	*httptest.Server
	mu   sync.Mutex
	seen []Request
	quit chan struct{}
}

// NewReceiver starts a receiver, with TLS if asked; it ends with the test.
func NewReceiver(t testing.TB, secure bool, handlers ...http.HandlerFunc) *Receiver {
	r := &Receiver{quit: make(chan struct{})}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body) // a cut body shows as what arrived
		r.mu.Lock()
		r.seen = append(r.seen, Request{q.Header.Clone(), body})
		h := handlers[min(len(r.seen), len(handlers))-1]
		r.mu.Unlock()
		h(w, q.WithContext(context.WithValue(q.Context(), quitKey{}, r.quit)))
	}))
	r.Config.ErrorLog = log.New(io.Discard, "", 0) // the faults are meant
	if secure {
		r.StartTLS()
	} else {
		r.Start()
	}
	t.Cleanup(func() { close(r.quit); r.Close() })
	return r
}

// Seen returns the requests so far.
func (r *Receiver) Seen() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

type quitKey struct{}

// Answer returns a handler that answers with a status, headers given as pairs,
// and a body that echoes the path, as careless receivers do.
func Answer(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "no luck with "+r.URL.String()+"\n\x1b[2J")
	}
}

// Portal returns a handler that takes any request and answers with a page for
// people, as portals and proxies do.
func Portal(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "\n<!DOCTYPE html>\n<html><body>Please accept the terms of use.</body></html>")
	}
}

// Silence is a handler that never answers.
func Silence(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-r.Context().Value(quitKey{}).(chan struct{}):
	}
}

// HalfSent is a handler that breaks off inside the status line.
func HalfSent(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 20")
	_ = conn.Close()
}

// floodSize, in bytes, is far more than the buffers between a receiver and a
// destination hold.
const floodSize = 64 << 20

// Flood returns a handler that takes the message and then answers with up to
// floodSize bytes. It sends how many it could write before the destination hung
// up.
func Flood(sent chan<- int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		block := []byte(strings.Repeat("x", 1<<16))
		n := 0
		for n < floodSize {
			k, err := w.Write(block)
			if n += k; err != nil {
				break
			}
		}
		sent <- n
	}
}

// attempt is the result that one call of Notify must have.
type attempt struct {
	retry bool
	after time.Duration // the wait that the receiver asked for
	says  string        // a text that the error must hold; "" means no error
}

var taken = attempt{}

// HTTP runs the suite against destinations made by build that go by the status
// code alone.
func HTTP(t *testing.T, build func(t *testing.T, s Setup) notify.Destination) {
	Suite{Taken: Answer(http.StatusOK)}.Run(t, build)
}

// Suite is the behaviour shared by destinations that speak HTTP.
type Suite struct {
	// Taken is the handler by which the vendor says that it took a message.
	Taken http.HandlerFunc
	// Calls is how many requests make one delivery; 0 means 1.
	Calls int
	// Reads says that the vendor answers in the body, so that a status alone is no
	// success.
	Reads bool
}

// Run runs the suite against destinations made by build.
func (s Suite) Run(t *testing.T, build func(t *testing.T, s Setup) notify.Destination) {
	calls := max(s.Calls, 1)
	date := Now.Add(90 * time.Second).Format(http.TimeFormat)
	past := Now.Add(-time.Hour).Format(http.TimeFormat)
	for _, c := range []struct {
		name     string
		handlers []http.HandlerFunc
		want     []attempt
	}{
		{"well", []http.HandlerFunc{s.Taken}, []attempt{taken, taken}},
		{"broken, then well", []http.HandlerFunc{Answer(500), Answer(502), s.Taken},
			[]attempt{{retry: true, says: "500"}, {retry: true, says: "502"}, taken}},
		{"busy for seconds", []http.HandlerFunc{Answer(429, "Retry-After", "7")}, []attempt{{true, 7 * time.Second, "429"}}},
		{"busy until a date", []http.HandlerFunc{Answer(503, "Retry-After", date)}, []attempt{{true, 90 * time.Second, "503"}}},
		{"busy until long ago", []http.HandlerFunc{Answer(503, "Retry-After", past)}, []attempt{{retry: true, says: "503"}}},
		{"busy until nonsense", []http.HandlerFunc{Answer(429, "Retry-After", "soon")}, []attempt{{retry: true, says: "429"}}},
		{"busy, no hint", []http.HandlerFunc{Answer(429)}, []attempt{{retry: true, says: "429"}}},
		{"request timeout", []http.HandlerFunc{Answer(408)}, []attempt{{retry: true, says: "408"}}},
		{"malformed", []http.HandlerFunc{Answer(400)}, []attempt{{says: "400"}}},
		{"not authorized", []http.HandlerFunc{Answer(401)}, []attempt{{says: "401"}}},
		{"gone", []http.HandlerFunc{Answer(410)}, []attempt{{says: "410"}}},
		{"elsewhere", []http.HandlerFunc{Answer(307, "Location", "https://thief.example/"+Secret)}, []attempt{{says: "redirect to thief.example"}}},
		{"a portal on the way", []http.HandlerFunc{Portal(http.StatusOK), Portal(http.StatusAccepted), s.Taken},
			[]attempt{{retry: true, says: "not that of"}, {retry: true, says: "not that of"}, taken}},
		{"silent", []http.HandlerFunc{Silence}, []attempt{{retry: true, says: "no answer in time"}}},
		{"half sent", []http.HandlerFunc{HalfSent, s.Taken}, []attempt{{retry: true, says: "posting"}, taken}},
	} {
		t.Run(c.name, func(t *testing.T) {
			timeout := 30 * time.Second
			if c.name == "silent" {
				timeout = 50 * time.Millisecond // how long makes no difference, only that it ends
			}
			r := NewReceiver(t, false, c.handlers...)
			d := build(t, setup(r.URL, nil, timeout))
			if d.Name() == "" {
				t.Error("the destination has no name")
			}
			for _, want := range c.want {
				check(t, d, want)
			}
			requests := 0
			for _, want := range c.want {
				if want == taken {
					requests += calls
				} else {
					requests++
				}
			}
			// A machine that is slow may give up on the silent one before its
			// request has got there.
			if got := len(r.Seen()); got != requests && c.name != "silent" {
				t.Errorf("the receiver saw %d requests, want %d", got, requests)
			}
		})
	}
	if !s.Reads {
		t.Run("accepts for later", func(t *testing.T) {
			r := NewReceiver(t, false, Answer(http.StatusAccepted))
			check(t, build(t, setup(r.URL, nil, time.Minute)), taken)
		})
	}
	t.Run("endless answer", func(t *testing.T) {
		sent := make(chan int, 1)
		r := NewReceiver(t, false, Flood(sent))
		want := taken
		if s.Reads {
			want = attempt{retry: true, says: "posting"}
		}
		check(t, build(t, setup(r.URL, nil, time.Minute)), want)
		if n := <-sent; n >= floodSize {
			t.Errorf("the destination read all %d bytes of an answer without end", n)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		r := NewReceiver(t, false, Answer(200))
		r.Close()
		check(t, build(t, setup(r.URL, nil, time.Minute)), attempt{retry: true, says: "refused"})
	})
	t.Run("called off", func(t *testing.T) {
		r := NewReceiver(t, false, Silence)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := build(t, setup(r.URL, nil, time.Minute)).Notify(ctx, alertingtest.Alert())
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	t.Run("over TLS", func(t *testing.T) { s.tlsCases(t, build) })
	t.Run("says all there is to say", func(t *testing.T) { s.extremes(t, build) })
	t.Run("says what the alert says", func(t *testing.T) { s.content(t, build) })
}

func (s Suite) tlsCases(t *testing.T, build func(t *testing.T, s Setup) notify.Destination) {
	t.Run("trusted", func(t *testing.T) {
		r := NewReceiver(t, true, s.Taken)
		check(t, build(t, setup(r.URL, roots(r), time.Minute)), taken)
	})
	t.Run("signed by a stranger", func(t *testing.T) {
		r := NewReceiver(t, true, Answer(200))
		check(t, build(t, setup(r.URL, nil, time.Minute)), attempt{retry: true, says: "set ca_file"})
		if len(r.Seen()) > 0 {
			t.Error("the alert went to a receiver that is not trusted")
		}
	})
	t.Run("for another name", func(t *testing.T) {
		r := NewReceiver(t, true, Answer(200))
		url := strings.Replace(r.URL, "127.0.0.1", "localhost", 1)
		check(t, build(t, setup(url, roots(r), time.Minute)), attempt{retry: true, says: "another host name"})
	})
	t.Run("not TLS at all", func(t *testing.T) {
		r := NewReceiver(t, false, Answer(200))
		url := strings.Replace(r.URL, "http:", "https:", 1)
		check(t, build(t, setup(url, nil, time.Minute)), attempt{retry: true, says: "does not speak TLS"})
	})
}

func setup(url string, roots *x509.CertPool, timeout time.Duration) Setup {
	return Setup{URL: url + "/hooks/" + Secret + "?token=" + Secret, Roots: roots, Timeout: timeout, Now: func() time.Time { return Now }}
}

func roots(r *Receiver) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(r.Certificate())
	return p
}

// check makes one attempt and compares its result with the wanted one.
func check(t *testing.T, d notify.Destination, want attempt) {
	t.Helper()
	retry, err := d.Notify(t.Context(), alertingtest.Alert())
	if want.says == "" {
		if err != nil {
			t.Errorf("not taken: %v", err)
		}
		return
	}
	if err == nil {
		t.Fatalf("taken, want an error with %q", want.says)
	}
	text := err.Error()
	if retry != want.retry || !strings.Contains(text, want.says) {
		t.Errorf("got retry %v, %q; want retry %v, an error with %q", retry, text, want.retry, want.says)
	}
	var after *notify.RetryAfterError
	if got := errors.As(err, &after); got != (want.after > 0) || got && after.After != want.after {
		t.Errorf("the receiver asked for %v, got %+v", want.after, after)
	}
	if strings.Contains(text, Secret) || strings.ContainsAny(text, "\n\x1b") {
		t.Errorf("the error tells a secret or breaks the line: %q", text)
	}
}

// extremes sends the alerts that are hardest to say: each must become a message
// of valid UTF-8.
func (s Suite) extremes(t *testing.T, build func(t *testing.T, s Setup) notify.Destination) {
	for name, a := range alertingtest.Alerts() {
		t.Run(name, func(t *testing.T) {
			r := NewReceiver(t, false, s.Taken)
			d := build(t, setup(r.URL, nil, time.Minute))
			if retry, err := d.Notify(t.Context(), a); err != nil {
				t.Fatalf("not taken: retry %v, %v", retry, err)
			}
			for _, q := range r.Seen() {
				if !utf8.Valid(q.Body) || len(q.Body) == 0 {
					t.Errorf("%d bytes, valid UTF-8: %v", len(q.Body), utf8.Valid(q.Body))
				}
			}
		})
	}
}

// Say returns a handler that takes the message with a status and a body.
func Say(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body)) // a sender that went away is part of the tests
	}
}
