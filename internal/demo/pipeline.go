package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/pages"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/simulation"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// The demonstration's source.
const (
	sourceTopic      = "access"
	sourcePartitions = 2
	neverIdle        = time.Hour // the feed itself says when nothing more comes
)

// configuration is the configuration of the demonstration: the defaults, but for
// what an embedded broker and a hurried clock ask for.
func configuration(brokers []string, page string) *config.Config {
	c := config.Default()
	c.Kafka.Brokers = brokers
	c.Instance = "demo"
	c.Partitions = 2 // for one small process
	c.ReplicationFactor = 1
	c.Workers = 1
	c.Sources = []config.Source{{Topic: sourceTopic, Format: "native"}}
	c.CommitInterval = 100 * time.Millisecond
	c.Time.IdleAfter = neverIdle
	c.Time.MaxAhead = 60 * 24 * time.Hour // two weeks of a small company fits into memory
	c.Alerts.Destinations = nil           // the demonstration reads the alerts itself
	if page != "" {
		socDestinations(c, page)
	}
	c.HTTP.Listen = config.Off
	return c
}

// pipeline is an embedded broker and a whole weir process on it.
type pipeline struct {
	settings *settings.Settings
	lateness int64 // ms
	process  *kafka.Process
	registry *prometheus.Registry
	client   *kgo.Client // writes the source, reads what comes out
	log      *tailLog
	ended    chan error // the process has ended by itself
	cluster  *kfake.Cluster
	cancel   context.CancelFunc
}

// startPipeline starts the broker, on a free port of the loopback
// interface, and the process. Its messages go to the look-alike at page; "" for
// none. Its console is served, unless that is nil.
func startPipeline(ctx context.Context, page string, served *pages.Server, version string) (*pipeline, error) {
	p := &pipeline{registry: prometheus.NewRegistry(), log: &tailLog{}, cancel: func() {}}
	var err error
	p.cluster, err = kfake.NewCluster(
		kfake.NumBrokers(1),
		// Nobody else will join.
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}),
	)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	if err := p.start(ctx, page, served, version); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// start makes the topics and starts the process.
func (p *pipeline) start(ctx context.Context, page string, served *pages.Server, version string) (err error) {
	c := configuration(p.cluster.ListenAddrs(), page)
	var feed *console.Feed
	if served != nil {
		feed = console.NewFeed()
		c.Alerts.Links.Console = served.URL + "episodes/{dedup_key}"
	}
	p.lateness = c.Time.Lateness.Milliseconds()
	if p.settings, err = settings.New(c); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if p.process, err = deployment.New(p.settings, deployment.Options{
		Roles: kafka.Roles, Registry: p.registry, Log: logger, Out: io.Discard, Version: version, Feed: feed,
	}); err != nil {
		return err
	}
	if served != nil {
		if err := p.serveConsole(served, feed, logger); err != nil {
			return err
		}
	}
	if err := p.openTopics(ctx); err != nil {
		return err
	}
	// The process stops after those who feed and watch it.
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.ended = make(chan error, 1)
	go func() {
		p.ended <- p.process.Run(ctx)
		close(p.ended)
	}()
	return nil
}

// openTopics makes the topics and the client that writes and reads them.
func (p *pipeline) openTopics(ctx context.Context) (err error) {
	names := p.process.Topics
	start := map[int32]kgo.Offset{0: kgo.NewOffset().AtStart()}
	p.client, err = kgo.NewClient(
		kgo.SeedBrokers(p.cluster.ListenAddrs()...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxBufferedRecords(50_000),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // so that a position reaches the end of its log
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
			names.Alerts: start, names.Evidence: start, names.Parameters: start,
		}),
	)
	if err != nil {
		return err
	}
	if err := topics.Ensure(ctx, p.process.Connection, names.Specs(p.process.Manifest.Partitions), 1); err != nil {
		return err
	}
	return simulation.CreateTopic(ctx, p.client, sourceTopic, sourcePartitions)
}

// stop ends the process, which finishes its transactions, and then the broker.
func (p *pipeline) stop() (err error) {
	p.cancel()
	if p.ended != nil {
		select {
		case err = <-p.ended:
		case <-time.After(10 * time.Second): // nothing of it outlives this program
		}
	}
	if p.client != nil {
		p.client.Close()
	}
	p.cluster.Close()
	return err
}

// tailLog keeps the last lines of a log, for when something goes wrong.
type tailLog struct {
	mu    sync.Mutex
	lines [][]byte
}

// tailLines bounds a tailLog.
const tailLines = 10

// Write takes in one line.
func (t *tailLog) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, bytes.Clone(line))
	t.lines = t.lines[max(0, len(t.lines)-tailLines):]
	return len(line), nil
}

// String returns the lines.
func (t *tailLog) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.Join(t.lines, nil))
}
