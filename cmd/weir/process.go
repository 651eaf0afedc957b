package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/stream/kafka"
)

// newProcess wires a configuration into a process on Kafka. Alerts for stdout
// destinations go to out.
func newProcess(s *settings, roles []kafka.Role, reg *prometheus.Registry, log *slog.Logger, out io.Writer) (*kafka.Process, error) {
	c := s.config
	conn, err := connection(c, log)
	if err != nil {
		return nil, err
	}
	conn.Hooks = append(conn.Hooks, newClientMetrics(reg))
	p := &kafka.Process{
		Connection: conn, Group: c.Group, Topics: kafka.NewTopics(c.TopicPrefix),
		Replication: int16(c.ReplicationFactor), Roles: roles, Workers: workers(c),
		Manifest: kafka.NewManifest(s.hasher, int32(c.Partitions), s.grid, c.Dimensions),
		Ingest:   s.ingest, Grace: c.Facts.LoginGrace, Detect: s.detect, Correlate: s.correlate,
		Log: log, Metrics: kafka.NewMetrics(reg),
	}
	if p.Instance, err = instance(c); err != nil {
		return nil, err
	}
	if p.Sources, err = sources(c); err != nil {
		return nil, err
	}
	if p.Settings, err = inForce(c, s.hasher); err != nil {
		return nil, err
	}
	if p.Checkpoints, err = checkpoints(c); err != nil {
		return nil, err
	}
	p.Destinations, err = destinations(c, conn, out)
	return p, err
}

// inForce is what goes into the ledger when the settings change: the whole
// configuration, its secrets masked, and what it does not say by itself.
func inForce(c *config.Config, h event.Hasher) ([]byte, error) {
	b, err := json.Marshal(struct {
		Version   string         `json:"version"`
		RecordKey string         `json:"record_key"` // fingerprint
		Zone      string         `json:"zone"`
		Config    *config.Config `json:"config"`
	}{version(), h.Fingerprint(), c.Time.Zone.String(), c})
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

func sources(c *config.Config) (kafka.IngestOptions, error) {
	o := kafka.IngestOptions{Interval: c.CommitInterval, Idle: c.Time.IdleAfter, MaxAhead: c.Time.MaxAhead}
	for i, src := range c.Sources {
		format, err := files.LoadFormat(src.Format)
		if err != nil {
			return o, c.At(fmt.Sprintf("sources[%d].format", i), err)
		}
		start := kafka.Start{Latest: src.Start.Latest}
		if !src.Start.At.IsZero() {
			start.Millis = src.Start.At.UnixMilli()
		}
		o.Sources = append(o.Sources, kafka.SourceTopic{Topic: src.Topic, Format: format, Start: start})
	}
	return o, nil
}
