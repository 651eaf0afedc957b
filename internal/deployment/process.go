// Package deployment wires a configuration into what runs on Kafka: the
// connection, the process with its roles, sources, destinations and metrics, and
// what the process serves over HTTP.
package deployment

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/console/follow"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/checkpoint"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/internal/pages"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
	"github.com/weirhq/weir/stream/kafka/sources"
	"github.com/weirhq/weir/stream/kafka/task"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Options are what a process needs beside its configuration.
type Options struct {
	Roles    []kafka.Role
	Registry *prometheus.Registry // of its metrics
	Log      *slog.Logger
	Out      io.Writer // what destinations of the type stdout write to
	Version  string    // of weir
	// Feed gets what weir has said, for the pages of the role console; nil: there are
	// none.
	Feed *console.Feed
}

// New wires a configuration into a process on Kafka. It reaches out to nobody
// yet.
func New(s *settings.Settings, o Options) (*kafka.Process, error) {
	c := s.Config
	conn, err := Connect(c, o.Log)
	if err != nil {
		return nil, err
	}
	conn.Hooks = append(conn.Hooks, newClientMetrics(o.Registry))
	var aliases *task.Aliases // nil: there are none
	if c.Aliases.Given() {
		s.SetAliases(alias.NewTable(alias.Always))
		aliases = &task.Aliases{Topic: c.Aliases.Topic, File: c.Aliases.File}
	}
	p := kafka.Options{
		Connection: conn, Group: c.Group, Topics: topics.Named(c.TopicPrefix),
		Replication: int16(c.ReplicationFactor), Roles: o.Roles, Workers: workers(c),
		Manifest: topics.NewManifest(s.Hasher, int32(c.Partitions), s.Grid, c.Dimensions),
		Ingest:   s.Ingest, LoginGrace: c.Facts.LoginGrace, Detect: s.Detect, Correlate: s.Correlate,
		Aliases: aliases, StopGrace: c.StopGrace, Log: o.Log, Metrics: metrics.New(o.Registry),
	}
	if p.Instance, err = settings.Instance(c); err != nil {
		return nil, err
	}
	if p.Sources, err = sourceOptions(c, o.Log); err != nil {
		return nil, err
	}
	if p.Settings.JSON, err = InForce(s, o.Version); err != nil {
		return nil, err
	}
	p.Settings.By = runner(c)
	if p.Checkpoints, err = checkpoint.FromConfig(c); err != nil {
		return nil, err
	}
	p.Destinations, err = destinations.All(c, destinations.Env{Connection: conn, Out: o.Out, Version: o.Version})
	if err != nil {
		return nil, err
	}
	if o.Feed != nil {
		f, err := Follower(s, conn, o.Log)
		if err != nil {
			return nil, err
		}
		f.Dimensions, f.Publish = s.Detect.Dimensions, o.Feed.Publish
		p.Console = f.Run
	}
	return kafka.New(p)
}

// Follower returns what reads what weir has said.
func Follower(s *settings.Settings, conn *cluster.Connection, log *slog.Logger) (*follow.Follower, error) {
	eraser, err := pages.Eraser(s.Config, s.Hasher.Derive("pseudonyms"))
	if err != nil {
		return nil, err
	}
	return &follow.Follower{Connection: conn, Topics: topics.Named(s.Config.TopicPrefix), Grid: s.Grid, Log: log, Check: s.Authority.Check, Eraser: eraser}, nil
}

// InForce is what goes into the ledger when the settings change: the configuration, its
// secrets masked, and what it does not say by itself. It leaves out what is of one process
// alone, since another may take over correlate at any time.
func InForce(s *settings.Settings, version string) ([]byte, error) {
	c := *s.Config
	c.Instance, c.Workers, c.StopGrace, c.HTTP.Listen, c.Log = "", 0, 0, "", config.Log{}
	c.HTTP.AdminListen, c.HTTP.SlackListen = "", ""
	b, err := json.Marshal(struct {
		Version   string         `json:"version"`
		RecordKey string         `json:"record_key"` // fingerprint
		Zone      string         `json:"zone"`
		Config    *config.Config `json:"config"`
		// Secrets are fingerprints under the record key, so that a change shows.
		Secrets map[string]string `json:"secrets"`
	}{version, s.Hasher.Fingerprint(), c.Time.Zone.String(), &c, fingerprints(&c, s.Hasher)})
	if err != nil {
		return nil, fmt.Errorf("writing the settings in force: %w", err)
	}
	return b, nil
}

// workers is how many ingest workers run here: one for every two cores, since
// detect wants the other.
func workers(c *config.Config) int {
	if c.Workers > 0 {
		return c.Workers
	}
	return max(runtime.GOMAXPROCS(0)/2, 1)
}

func sourceOptions(c *config.Config, log *slog.Logger) (sources.Options, error) {
	o := sources.Options{Interval: c.CommitInterval, Idle: c.Time.IdleAfter, MaxAhead: c.Time.MaxAhead, MaxHeld: sources.MaxHeld}
	all, err := settings.Sources(c, log)
	if err != nil {
		return o, err
	}
	for _, src := range c.Sources {
		start := sources.Start{Latest: src.Start.Latest}
		if !src.Start.At.IsZero() {
			start.Millis = src.Start.At.UnixMilli()
		}
		o.Sources = append(o.Sources, sources.Topic{Topic: src.Topic, Source: all[src.Topic], Start: start})
	}
	return o, nil
}

// Logger returns the log of a process, with the level and form of the
// configuration.
func Logger(c *config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log.Level)) // config has checked it
	o := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
