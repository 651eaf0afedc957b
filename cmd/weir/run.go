package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/internal/collector"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/usage"
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
The console (docs/console.md), /metrics, /healthz, /readyz and /status are served
on http.listen. Why nothing is said stands in the log a minute after the start, and
in ` + "`weir status`" + `.`,
		Example: `  weir run -c weir.yaml
  weir run -c weir.yaml --roles ingest
  weir run -c weir.yaml --roles join,detect,correlate,notify
  weir run -c weir.yaml --roles console`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return usage.Errorf("run needs a configuration: -c FILE; docs/configuration.md tells what goes into it")
			}
			chosen, err := parseRoles(roles)
			if err != nil {
				return err
			}
			return runRun(cmd.Context(), cmd, path, chosen)
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration file")
	cmd.Flags().StringSliceVar(&roles, "roles", nil, "roles of this process: ingest, join, detect, correlate, notify, console (default all)")
	return cmd
}

// parseRoles reads the values of --roles; none means all.
func parseRoles(names []string) ([]kafka.Role, error) {
	if len(names) == 0 {
		return kafka.Roles, nil
	}
	var out []kafka.Role
	for _, name := range names {
		role := kafka.Role(strings.TrimSpace(name))
		if !slices.Contains(kafka.Roles, role) {
			return nil, usage.Errorf("there is no role %q; the roles are ingest, join, detect, correlate, notify, console", name)
		}
		if !slices.Contains(out, role) {
			out = append(out, role)
		}
	}
	return out, nil
}

// runRun runs a process until ctx ends.
func runRun(ctx context.Context, cmd *cobra.Command, path string, roles []kafka.Role) error {
	s, err := loadRunSettings(path)
	if err != nil {
		return err
	}
	c := s.Config
	log := deployment.Logger(c, cmd.ErrOrStderr())
	for _, w := range c.Warnings() {
		log.Warn("configuration", "warning", w)
	}
	if why := c.Ledger.Weakness(); why != "" && slices.Contains(roles, kafka.RoleCorrelate) {
		log.Error("the ledger can be written anew by whoever may do anything on Kafka, and nobody would see it", "because", why, "docs", "docs/ledger.md")
	}
	reg := deployment.NewRegistry()
	var feed *console.Feed
	if slices.Contains(roles, kafka.RoleConsole) && c.HTTP.Listen != config.Off {
		feed = console.NewFeed()
	}
	p, err := deployment.New(s, deployment.Options{Roles: roles, Registry: reg, Log: log, Out: cmd.OutOrStdout(), Version: version(), Feed: feed})
	if err != nil {
		return err
	}
	stop, err := deployment.Serve(s, reg, p, feed, log)
	if err != nil {
		return err
	}
	defer stop()
	log.Info("starting", "version", version(), "instance", p.Instance, "roles", roles, "brokers", c.Kafka.Brokers)
	go deployment.LogStatus(ctx, c, p, log)
	go collector.Allow(ctx)
	err = p.Run(ctx)
	if err == nil {
		log.Info("stopped")
	}
	return err
}
