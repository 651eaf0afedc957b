// Package soc serves the look-alike of Slack, PagerDuty, Teams and
// Alertmanager over HTTP, for weir soc and weir demo.
package soc

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/internal/webserver"
)

// Server is a look-alike that is being served.
type Server struct {
	*fakesoc.Server
	URL string // of the page

	stop   func()
	clicks atomic.Pointer[http.Handler] // takes clicks that are sent to the look-alike's own address; nil: nobody
}

// Start serves a look-alike at an address. o.Interactivity, where clicks go, may
// be a path: then they come back to the same address, to the handler of
// TakeClicks.
func Start(listen string, o fakesoc.Options) (*Server, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("serving the look-alike: %w; choose another address", err)
	}
	s := &Server{URL: "http://" + webserver.Reachable(listener.Addr()) + "/"}
	if path, own := strings.CutPrefix(o.Interactivity, "/"); own {
		o.Interactivity = s.URL + path
	}
	s.Server = fakesoc.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	server := webserver.New(s, webserver.Defaults())
	server.BaseContext = func(net.Listener) context.Context { return ctx } // the pages' streams end when it stops
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	s.stop = func() {
		cancel()
		_ = server.Close() // nothing is kept
		<-ended
	}
	return s, nil
}

// Stop ends the serving. Nothing is kept.
func (s *Server) Stop() { s.stop() }

// TakeClicks hands clicks that come back to the look-alike's own address to h.
func (s *Server) TakeClicks(h http.Handler) { s.clicks.Store(&h) }

// ServeHTTP answers as the look-alike does, and takes its clicks.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if clicks := s.clicks.Load(); clicks != nil && strings.HasPrefix(r.URL.Path, destinations.ClickPath) {
		(*clicks).ServeHTTP(w, r)
		return
	}
	s.Server.ServeHTTP(w, r)
}
