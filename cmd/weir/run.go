package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/stream/kafka"
)

// newRunCommand makes `weir run`: watch Kafka.
func newRunCommand() *cobra.Command {
	var path string
	var roles []string
	cmd := &cobra.Command{
		Use:   "run -c FILE [--roles ROLE,…]",
		Short: "Watch access events on Kafka and raise alerts",
		Long: `Watch access events on Kafka and raise alerts, until interrupted.

One process takes every role; --roles splits them over several. To grow, start
more of the same: consumer groups spread the work, and alerts stay the same
whoever does it. Processes on one host need different names (instance).

A source that was never read begins where its ` + "`start`" + ` says: earliest (the
default), latest, or a time. To process again from a time, stop every process
and use ` + "`weir reset`" + `. A changed record key, dimension, tick, bin or partition
count does not fit the state in Kafka and is refused, with the way out.

Alerts for a stdout destination are written to stdout, the log to stderr.
/metrics, /healthz and /readyz are served on http.listen.`,
		Example: `  weir run -c weir.yaml
  weir run -c weir.yaml --roles ingest
  weir run -c weir.yaml --roles join,detect,correlate,notify`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return usagef("run needs a configuration: -c FILE; docs/configuration.md tells what goes into it")
			}
			chosen, err := parseRoles(roles)
			if err != nil {
				return err
			}
			return runRun(cmd.Context(), cmd, path, chosen)
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration file")
	cmd.Flags().StringSliceVar(&roles, "roles", nil, "roles of this process: ingest, join, detect, correlate, notify (default all)")
	return cmd
}

func parseRoles(names []string) ([]kafka.Role, error) {
	if len(names) == 0 {
		return kafka.Roles, nil
	}
	var out []kafka.Role
	for _, name := range names {
		role := kafka.Role(strings.TrimSpace(name))
		if !slices.Contains(kafka.Roles, role) {
			return nil, usagef("there is no role %q; the roles are ingest, join, detect, correlate, notify", name)
		}
		if !slices.Contains(out, role) {
			out = append(out, role)
		}
	}
	return out, nil
}

func runRun(ctx context.Context, cmd *cobra.Command, path string, roles []kafka.Role) error {
	c, err := loadConfig(path)
	if err != nil {
		return err
	}
	if err := c.CheckRun(); err != nil {
		return err
	}
	s, err := newSettings(c)
	if err != nil {
		return err
	}
	log := logger(c, cmd.ErrOrStderr())
	for _, w := range c.Warnings() {
		log.Warn("configuration", "warning", w)
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	p, err := newProcess(s, roles, reg, log, cmd.OutOrStdout())
	if err != nil {
		return err
	}
	stop, err := serve(c, reg, p, log)
	if err != nil {
		return err
	}
	defer stop()
	log.Info("starting", "version", version(), "instance", p.Instance, "roles", roles, "brokers", c.Kafka.Brokers)
	err = p.Run(ctx)
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// serve answers /metrics, /healthz, /readyz and the buttons of messages until
// stop is called.
func serve(c *config.Config, reg *prometheus.Registry, p *kafka.Process, log *slog.Logger) (stop func(), err error) {
	if c.HTTP.Listen == config.Off {
		return func() {}, nil
	}
	mux := http.NewServeMux()
	if err := handleClicks(mux, c, log, appendVerdicts(p)); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", c.HTTP.Listen)
	if err != nil {
		return nil, c.At("http.listen", fmt.Errorf("%w; choose another address, or off", err))
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !p.Ready() {
			http.Error(w, "state is being restored", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
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
