package kafka_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/message"
	"github.com/weirhq/weir/stream/kafka/metrics"
	"github.com/weirhq/weir/stream/kafka/sources"
	"github.com/weirhq/weir/stream/kafka/topics"
	"github.com/weirhq/weir/stream/local"
)

// deployment is what the processes of one test share.
type deployment struct {
	broker     *kfake.Cluster
	network    *kfake.VirtualNetwork
	conn       cluster.Connection
	partitions int32
	grid       eventtime.Grid
	engine     *score.Engine
	dims       []event.Dimension
	people     *alias.Table // aliases that ingest goes by; nil: none
}

// afterTraffic is a wall clock at which all events of the tests have happened.
var afterTraffic = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// inBubble runs a test on a clock of its own, which jumps to the next timer when
// every goroutine waits: a second of waiting for Kafka costs nothing.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(afterTraffic))
		test(t)
	})
}

// newDeployment makes an embedded broker on a network in memory, and what
// processes on it share. It must be called in a bubble.
func newDeployment(t testing.TB, partitions int32) *deployment {
	t.Helper()
	network := &kfake.VirtualNetwork{}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(network.Listen), kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	d := newDeploymentOn(t, partitions, broker.ListenAddrs())
	d.broker, d.network = broker, network
	d.conn.Extra = []kgo.Opt{kgo.Dialer(network.DialContext)}
	return d
}

// newDeploymentOn makes what processes share on brokers that there are.
func newDeploymentOn(t testing.TB, partitions int32, brokers []string) *deployment {
	t.Helper()
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	d := &deployment{partitions: partitions, grid: grid, dims: event.DefaultDimensions()}
	d.engine = score.NewEngine(time.Hour, time.UTC, score.DefaultTuning())
	d.conn = cluster.Connection{Brokers: brokers, ClientID: "weir-test", Logger: slog.New(slog.NewTextHandler(logTo(), nil))}
	return d
}

func logTo() io.Writer {
	if os.Getenv("WEIR_TEST_LOG") != "" {
		return os.Stderr
	}
	return io.Discard
}

func (d *deployment) names() (names []string) {
	for _, dim := range d.dims {
		names = append(names, dim.Name)
	}
	return names
}

const minute = int64(60_000)

func (d *deployment) ingest() ingest.Config {
	return ingest.Config{
		Grid: d.grid, Dimensions: d.dims, Hasher: event.FixedHasher(), Partitions: d.partitions,
		Lateness: 10 * minute, Future: 10 * minute, Retention: 30 * 24 * 60 * minute,
		SessionsTopic: "weir.sessions", Aliases: d.people,
	}
}

// loginGrace is that of the join, in ms.
const loginGrace = 15 * minute

func (d *deployment) facts() *detect.FactsConfig {
	const day = 24 * 60 * minute
	rules := fact.Rules{LeaveGrace: day / 2, DormantAfter: 45 * day, DormantRecords: 10, RetireFade: day, RegisterGrace: loginGrace, RegisterAge: 7 * day}
	return detect.NewFactsConfig(rules, fact.DefaultTokenRules(24), loginGrace, time.UTC, d.dims)
}

func (d *deployment) detect() detect.Config {
	return detect.Config{
		Grid: d.grid, Dimensions: d.names(), Persons: detect.Persons(d.dims), Peers: detect.DefaultPeers(d.dims), Engine: d.engine,
		Lateness: 10 * minute, Retention: 30 * 24 * 60 * minute, SnapshotTicks: 12,
		Facts: d.facts(),
	}
}

func (d *deployment) correlate() correlate.Config {
	return correlate.Config{
		Grid: d.grid, Dimensions: d.names(), Engine: d.engine, Partitions: d.partitions, Retention: 30 * 24 * 60 * minute,
		Budget: fleet.NewConfig(2, d.names(), 24), Location: time.UTC,
	}
}

// options are those of a process of the deployment; it has its own name and
// metrics.
func (d *deployment) options(t testing.TB, name string) *kafka.Options {
	t.Helper()
	native, err := files.LoadFormat("native")
	if err != nil {
		t.Fatal(err)
	}
	conn := d.conn
	return &kafka.Options{
		Connection: &conn, Group: "weir", Instance: name, Topics: topics.Named("weir."), Replication: 1,
		Roles: kafka.Roles, Workers: 1,
		Manifest: topics.NewManifest(event.FixedHasher(), d.partitions, d.grid, d.dims),
		Ingest:   d.ingest(), LoginGrace: time.Duration(loginGrace) * time.Millisecond, Detect: d.detect(), Correlate: d.correlate(),
		Sources: sources.Options{
			Sources:  []sources.Topic{{Topic: "access", Source: message.Source{Format: native}}},
			Interval: 200 * time.Millisecond, Idle: 300 * time.Millisecond, MaxAhead: 6 * time.Hour, MaxHeld: sources.MaxHeld,
		},
		StopGrace: 20 * time.Second, Log: d.conn.Logger.With("process", name), Metrics: metrics.New(prometheus.NewRegistry()),
	}
}

// running is a process that runs until it is stopped.
type running struct {
	*kafka.Process
	stop func()
}

// start starts a process.
func start(t testing.TB, o *kafka.Options) running {
	t.Helper()
	p, err := kafka.New(*o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("process %s: %v", p.Instance, err)
		}
	})
	t.Cleanup(stop) // also where the test fails before it stops the process
	return running{p, stop}
}

// traffic returns the native events of a small company, in order of time.
func traffic(t testing.TB, scenario string, seed uint64, days int, scale float64) [][]byte {
	t.Helper()
	c, err := simulate.New(simulate.Options{Scenario: scenario, Seed: seed, Days: days, Scale: scale})
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	var ev event.Event
	for c.Next(&ev) {
		out = append(out, event.AppendNative(nil, &ev))
	}
	return out
}

// produce writes events to the topic, spread over its partitions.
func (d *deployment) produce(t testing.TB, topic string, partitions int32, events [][]byte) {
	t.Helper()
	// In runs, so that partitions differ in what they hold.
	d.deal(t, topic, partitions, events, func(i int) int32 { return int32(i/7) % partitions })
}

// deal writes events to the partitions of a topic, by their number.
func (d *deployment) deal(t testing.TB, topic string, partitions int32, events [][]byte, of func(i int) int32) {
	t.Helper()
	cl, err := kgo.NewClient(append(d.conn.Extra, kgo.SeedBrokers(d.conn.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(100_000))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx := context.Background()
	if _, err := kadm.NewClient(cl).CreateTopic(ctx, partitions, 1, nil, topic); err != nil && !strings.Contains(err.Error(), "ALREADY") {
		t.Fatal(err)
	}
	var first error
	for i, value := range events {
		cl.Produce(ctx, &kgo.Record{Topic: topic, Partition: of(i), Value: value}, func(_ *kgo.Record, err error) {
			if err != nil && first == nil {
				first = err
			}
		})
	}
	if err := cl.Flush(ctx); err != nil || first != nil {
		t.Fatal(err, first)
	}
}

// local returns what the operators tell and hold back without Kafka, where
// somebody has said something or nobody has.
func (d *deployment) local(t testing.TB, events [][]byte, verdicts ...*correlate.Verdict) (sent, held []string) {
	t.Helper()
	native, err := files.LoadFormat("native")
	if err != nil {
		t.Fatal(err)
	}
	l := local.New(d.ingest(), d.detect(), d.correlate(), []stream.Topic{{Name: "file", Partitions: 1}}, 1)
	l.Held = func(s *correlate.Suppressed) { held = append(held, string(s.AppendJSON(nil))) }
	for i, v := range verdicts {
		l.Correlate.ApplyVerdict(int64(i), v)
	}
	src := stream.Source{Topic: "file"}
	decoder := native.NewDecoder()
	take := func(alerts []alerting.Alert, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range alerts {
			sent = append(sent, string(alerts[i].AppendJSON(nil)))
		}
	}
	now := time.Now().UnixMilli()
	for i, value := range events {
		decoder.Decode(value, func(ev *event.Event, rej *event.Reject) {
			if rej != nil {
				t.Fatalf("event %d rejected: %v", i, rej)
			}
			l.Fold(src, now, ev)
		})
		if i%10_000 == 9_999 {
			take(l.Flush())
		}
	}
	take(l.End())
	return sent, held
}

// small is the traffic of the demonstration's smallest company, and what is told
// and held back of its leaks; worked out once.
var small struct {
	sync.Once
	events     [][]byte
	sent, held []string
}

// leak returns traffic with leaks in it, and what the operators make of it.
func (d *deployment) leak(t testing.TB) (events [][]byte, sent, held []string) {
	t.Helper()
	small.Do(func() {
		small.events = traffic(t, "demo", 3, 4, simulate.MinScale)
		small.sent, small.held = d.local(t, small.events)
	})
	if len(small.sent) < 5 {
		t.Fatalf("the traffic raises %d alerts, too few to compare", len(small.sent))
	}
	return small.events, small.sent, small.held
}

// alerts waits until weir.alerts holds n records and returns what it holds a
// moment later, read committed.
func (d *deployment) alerts(t testing.TB, n int, limit time.Duration) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cl, err := kgo.NewClient(append(d.conn.Extra, kgo.SeedBrokers(d.conn.Brokers...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"weir.alerts": {0: kgo.NewOffset().AtStart()}}))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	var out []string
	for ctx.Err() == nil {
		wait, stop := context.WithTimeout(ctx, 2*time.Second)
		fetches := cl.PollFetches(wait)
		stop()
		fetches.EachRecord(func(r *kgo.Record) { out = append(out, string(r.Value)) })
		if len(out) >= n && fetches.NumRecords() == 0 {
			return out
		}
	}
	t.Errorf("after %v weir.alerts holds %d alerts, want %d", limit, len(out), n)
	return out
}

// compare reports the first difference between two lists of alerts.
func compare(t testing.TB, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "(none)", "(none)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("alert %d of %d (want %d) differs:\n got %s\nwant %s", i, len(got), len(want), g, w)
		}
	}
}
