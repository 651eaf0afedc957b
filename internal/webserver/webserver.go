// Package webserver serves HTTP to people who may mean ill: each request, each
// wait and the number of connections has a limit, so that slow or large requests
// can take neither all descriptors nor all memory.
package webserver

import (
	"io"
	"net"
	"net/http"
	"time"
)

// Limits bound what a server takes.
type Limits struct {
	Connections int           // open at once; beyond it the oldest is closed
	Header      time.Duration // until the header of a request has come
	Request     time.Duration // until the whole request has come
	Answer      time.Duration // until the answer has been taken, after the header has come
	Idle        time.Duration // between two requests of a connection
	HeaderBytes int
	BodyBytes   int64
}

// Defaults are limits for pages that a few people and machines ask for: a request
// of theirs has a few kilobytes and comes in milliseconds. Slack sends the whole
// message with each click.
func Defaults() Limits {
	return Limits{
		Connections: 128,
		Header:      5 * time.Second,
		Request:     10 * time.Second,
		Answer:      30 * time.Second,
		Idle:        time.Minute,
		HeaderBytes: 16 << 10,
		BodyBytes:   1 << 20,
	}
}

// Server is an http.Server with limits.
type Server struct {
	*http.Server
	connections int
}

// New returns a server of the handler. A handler whose answer takes longer than
// the limits allow, such as a stream, calls Stream.
func New(h http.Handler, l Limits) *Server {
	return &Server{connections: l.Connections, Server: &http.Server{
		Handler:           http.MaxBytesHandler(h, l.BodyBytes),
		ReadHeaderTimeout: l.Header,
		ReadTimeout:       l.Request,
		WriteTimeout:      l.Answer,
		IdleTimeout:       l.Idle,
		MaxHeaderBytes:    l.HeaderBytes,
	}}
}

// Serve serves the connections that come to the listener, over TLS where TLSConfig is
// set.
func (s *Server) Serve(l net.Listener) error {
	few := &bounded{Listener: l, limit: s.connections}
	if s.TLSConfig != nil {
		return s.ServeTLS(few, "", "")
	}
	return s.Server.Serve(few)
}

// Stream lifts the limits of time off a request that has come whole, so that its
// answer may go on for as long as the reader stays. What is written to the returned
// writer goes out at once, and fails where the reader does not take it within stalled.
func Stream(w http.ResponseWriter) io.Writer {
	c := http.NewResponseController(w)
	// A writer without deadlines needs none lifted.
	_, _ = c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{})
	return &stream{w, c}
}

// stalled is how long a reader may take nothing of a stream that goes on.
const stalled = time.Minute

type stream struct {
	w http.ResponseWriter
	c *http.ResponseController
}

func (s *stream) Write(b []byte) (int, error) {
	_ = s.c.SetWriteDeadline(time.Now().Add(stalled)) // a writer without deadlines does not stall
	n, err := s.w.Write(b)
	if err == nil {
		err = s.c.Flush()
	}
	if err == nil { // a deadline that was missed stays, so that nothing more is written
		_ = s.c.SetWriteDeadline(time.Time{}) // a writer without deadlines needs none lifted
	}
	return n, err
}

// Reachable is an address that a browser on this machine can open.
func Reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
