package deployment

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/tuning"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/internal/pages"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream/kafka"
)

// NewRegistry returns a registry that holds the metrics of the Go runtime and of
// the operating system's process.
func NewRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// Serve answers /metrics, /healthz, /readyz, /status and the buttons of messages,
// and the console's pages where feed is not nil, until stop is called: each at the
// address that the configuration has for it. Where that is off, it serves nothing.
func Serve(s *settings.Settings, reg *prometheus.Registry, p *kafka.Process, feed *console.Feed, log *slog.Logger) (stop func(), err error) {
	c := s.Config
	at, verdicts := listeners{}, destinations.VerdictWriter(p.Connection, p.Topics.Verdicts)
	if mux := at.mux(c.HTTP.SlackListen, c.HTTP.Listen); mux != nil {
		if err := destinations.HandleClicks(mux, c, log, s.Authority, verdicts); err != nil {
			return nil, err
		}
	}
	status, endRuns := newStatusReader(c, p), func() {}
	if mux := at.mux(c.HTTP.Listen); mux != nil && feed != nil {
		h, err := pagesOf(s, feed, status, verdicts, log)
		if err != nil {
			return nil, err
		}
		mux.Handle("/", h)
		endRuns = func() { _ = h.Close() } // it never fails
	}
	if mux := at.mux(c.HTTP.AdminListen, c.HTTP.Listen); mux != nil {
		handleAdmin(mux, reg, status, p.Ready)
	}
	end, err := at.serve(c, log)
	if err != nil {
		return nil, err
	}
	return func() { end(); endRuns() }, nil
}

// pagesOf returns the console's pages.
func pagesOf(s *settings.Settings, feed *console.Feed, status *statusReader, verdicts authority.Writer, log *slog.Logger) (*console.Server, error) {
	c := s.Config
	signIn, err := pages.SignIn(c, s.Hasher.Derive("console sessions"))
	if err != nil {
		return nil, c.At("http.oidc", err)
	}
	o, err := pages.Options(c, feed, c.HTTP.Listen, access.Person{}, signIn, log)
	if err != nil {
		return nil, c.At("http", err)
	}
	if o.Names, err = pages.Names(c, s.Hasher.Derive("pseudonyms")); err != nil {
		return nil, c.At("http.names_for", err)
	}
	o.Judge, o.Health, o.Extract = pages.Judge(s.Authority, verdicts), status.get, pages.Extractor(c)
	if o.Ask, err = pages.Asker(c); err != nil {
		return nil, c.At("verdicts.ask.through", err)
	}
	o.Tuning = pages.Tuning(c, tuning.Files(c.File(), "", nil))
	return console.New(o)
}

// handleAdmin serves what machines ask for that look after the process.
func handleAdmin(mux *http.ServeMux, reg *prometheus.Registry, status http.Handler, ready func() bool) {
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.Handle("GET /status", status)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			http.Error(w, "state is being restored", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
}
