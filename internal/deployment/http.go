package deployment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/internal/pages"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/webserver"
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
// and the console's pages where feed is not nil, until stop is called. It serves
// nothing if http.listen is off.
func Serve(s *settings.Settings, reg *prometheus.Registry, p *kafka.Process, feed *console.Feed, log *slog.Logger) (stop func(), err error) {
	c := s.Config
	if c.HTTP.Listen == config.Off {
		return func() {}, nil
	}
	mux, verdicts := http.NewServeMux(), destinations.VerdictWriter(p.Connection, p.Topics.Verdicts)
	if err := destinations.HandleClicks(mux, c, log, s.Authority, verdicts); err != nil {
		return nil, err
	}
	status := newStatusReader(c, p)
	if feed != nil {
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
		h, err := console.New(o)
		if err != nil {
			return nil, err
		}
		mux.Handle("/", h)
	}
	listener, err := net.Listen("tcp", c.HTTP.Listen)
	if err != nil {
		return nil, c.At("http.listen", fmt.Errorf("%w; choose another address, or off", err))
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.Handle("GET /status", status)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !p.Ready() {
			http.Error(w, "state is being restored", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	var h http.Handler = mux
	if c.HTTP.Web != nil {
		h = c.HTTP.Web.Handler(mux)
	}
	server := webserver.New(h, webserver.Defaults())
	if c.HTTP.Web != nil && c.HTTP.Web.TLS != nil {
		server.TLSConfig = c.HTTP.Web.TLS
	}
	go func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("serving metrics and health", "error", err)
		}
	}()
	log.Info("serving metrics and health", "address", listener.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx) // the process ends anyway
	}, nil
}
