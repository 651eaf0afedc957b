package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka"
)

// settings is a configuration in the terms of the operators. backtest, demo
// and run all get theirs here, so that they decide alike.
type settings struct {
	config    *config.Config
	grid      stream.Grid
	hasher    event.Hasher
	ingest    stream.IngestConfig
	detect    stream.DetectConfig
	correlate stream.CorrelateConfig
}

// newSettings translates a configuration that config has checked.
func newSettings(c *config.Config) (*settings, error) {
	s := &settings{config: c, hasher: event.FixedHasher()}
	var err error
	if s.grid, err = stream.NewGrid(c.Time.Tick, c.Time.Bin); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if c.RecordKeyFile != "" {
		if s.hasher, err = files.ReadKey(c.RecordKeyFile); err != nil {
			return nil, c.At("record_key_file", err)
		}
	}
	var names []string
	for _, d := range c.Dimensions {
		names = append(names, d.Name)
	}
	dc := detectors.Config{
		Bin: c.Time.Bin, Budget: float64(c.Alerts.Budget), Dimensions: names, Location: c.Time.Zone,
	}
	if err := dc.Validate(); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	engine := detectors.NewEngine(dc)
	ms := time.Duration.Milliseconds
	s.ingest = stream.IngestConfig{
		Grid: s.grid, Dimensions: c.Dimensions, Hasher: s.hasher, Partitions: int32(c.Partitions),
		Lateness: ms(c.Time.Lateness), Future: ms(c.Time.FutureLimit), Retention: ms(c.Time.Retention),
	}
	if c.Facts.Sessions {
		s.ingest.SessionsTopic = kafka.NewTopics(c.TopicPrefix).Sessions
	}
	s.detect = stream.DetectConfig{
		Grid: s.grid, Dimensions: names, Persons: stream.Persons(c.Dimensions), Peers: peers(c), Engine: engine,
		Lateness: ms(c.Time.Lateness), Retention: ms(c.Time.Retention),
		SnapshotTicks: 24 * s.grid.Bin / s.grid.Tick,
		Facts:         factsConfig(c),
	}
	s.correlate = stream.CorrelateConfig{
		Grid: s.grid, Dimensions: names, Engine: engine, Partitions: int32(c.Partitions),
		Budget: float64(c.Alerts.Budget), Location: c.Time.Zone,
		Expected: expectations(c),
	}
	return s, nil
}

// peers returns, for each dimension, the one by which its identities are grouped.
func peers(c *config.Config) []int {
	out := stream.DefaultPeers(c.Dimensions)
	for i, d := range c.Dimensions {
		switch by, ok := c.Peers[d.Name]; {
		case by == config.NoPeers:
			out[i] = stream.NoPeers
		case ok:
			out[i] = slices.IndexFunc(c.Dimensions, func(o event.Dimension) bool { return o.Name == by })
		}
	}
	return out
}

// loadConfig reads the file, or gives the defaults when none is named.
func loadConfig(path string) (*config.Config, error) {
	if path == "" {
		return config.Default(), nil
	}
	return config.Load(path)
}
