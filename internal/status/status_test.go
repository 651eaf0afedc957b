package status_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/status"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// site is a deployment on an embedded broker, on a network and a clock of its own.
type site struct {
	config *config.Config
	broker *kfake.Cluster
	dial   kgo.Opt
}

// newSite starts a broker. It must be called in a bubble.
func newSite(t *testing.T) *site {
	t.Helper()
	time.Sleep(time.Until(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))) // the traffic has happened
	network := &kfake.VirtualNetwork{}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(network.Listen), kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "record.key"), []byte("000102030405060708090a0b0c0d0e0f\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "weir.yaml")
	text := `
partitions: 2
replication_factor: 1
instance: one
workers: 1
record_key_file: record.key
commit_interval: 200ms
time: {idle_after: 1s}
http: {listen: "off"}
sources: [{topic: access}, {topic: billing}]
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Kafka.Brokers = broker.ListenAddrs() // of a network in memory
	return &site{config: c, broker: broker, dial: kgo.Dialer(network.DialContext)}
}

// connection reaches the broker.
func (s *site) connection() *cluster.Connection {
	return &cluster.Connection{Brokers: s.config.Kafka.Brokers, Logger: slog.New(slog.DiscardHandler), Extra: []kgo.Opt{s.dial}}
}

// status returns how the deployment is.
func (s *site) status(t *testing.T) *status.Status {
	t.Helper()
	got, err := status.Read(t.Context(), s.connection(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// start runs a process of the deployment until stop is called.
func (s *site) start(t *testing.T) (stop func()) {
	t.Helper()
	set, err := settings.New(s.config)
	if err != nil {
		t.Fatal(err)
	}
	p, err := deployment.New(set, deployment.Options{
		Roles: kafka.Roles, Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Out: io.Discard, Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Connection.Extra = []kgo.Opt{s.dial}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// produce makes the topics and writes four days of a small company to access, with
// garbage among it.
func (s *site) produce(t *testing.T, garbage int) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.config.Kafka.Brokers...), s.dial, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(100_000))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).CreateTopics(t.Context(), 2, 1, nil, "access", "billing"); err != nil {
		t.Fatal(err)
	}
	company, err := simulate.New(simulate.Options{Scenario: "demo", Seed: 3, Days: 4, Scale: simulate.MinScale})
	if err != nil {
		t.Fatal(err)
	}
	send := func(partition int32, value []byte) {
		cl.Produce(t.Context(), &kgo.Record{Topic: "access", Partition: partition, Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	ev := new(event.Event)
	for i := int32(0); company.Next(ev); i++ {
		if ev.Action == event.Login || ev.Action == event.Issue {
			continue // no login comes in
		}
		send(i/7%2, event.AppendNative(nil, ev))
	}
	for range garbage {
		send(1, []byte("garbage"))
	}
	if err := cl.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// says reports whether one of the sentences holds a text.
func says(sentences []string, text string) bool {
	return slices.ContainsFunc(sentences, func(s string) bool { return strings.Contains(s, text) })
}

// TestStatus follows a deployment from before its first start to after its end.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := newSite(t)
		if s := site.status(t); !says(s.Faults, "weir has never run here") || !says(s.Faults, "The source topic access does not exist") {
			t.Errorf("before the first start, and without topics: %q", s.Faults)
		}
		site.produce(t, 150)
		stop := site.start(t)
		time.Sleep(3 * time.Minute)
		checkRunning(t, site.status(t))
		stop()
		time.Sleep(20 * time.Second)
		s := site.status(t)
		if !says(s.Faults, "No process of weir runs") || s.Roles[0].Processes != 0 {
			t.Errorf("after the end: %q, ingest has %d processes", s.Faults, s.Roles[0].Processes)
		}
		if s.Learning.Since == 0 || s.Sources[0].LastEvent == 0 {
			t.Error("what the processes had told is gone with them")
		}
		site.broker.Close()
		if _, err := status.Read(t.Context(), site.connection(), site.config); err == nil || !strings.Contains(err.Error(), "reading the status: ") {
			t.Errorf("without a broker: %v", err)
		}
	})
}

// checkRunning checks what is told of the running deployment.
func checkRunning(t *testing.T, s *status.Status) {
	t.Helper()
	for _, r := range s.Roles {
		if r.Processes != 1 || r.Waiting != 0 {
			t.Errorf("role %+v: want one process, and nothing that waits", r)
		}
		if r.Name == "detect" || r.Name == "correlate" {
			if behind := s.Sources[0].LastEvent.Std().Sub(r.Reached.Std()); behind > time.Hour {
				t.Errorf("%s has reached %s, the last event is of %s", r.Name, r.Reached, s.Sources[0].LastEvent)
			}
		}
	}
	access := s.Sources[0]
	if access.Topic != "access" || len(access.Rejected) != 1 || access.Rejected[0] != (status.Reject{Reason: "not_json", Count: 150}) {
		t.Errorf("source %+v: want 150 that are no JSON records", access)
	}
	if got := s.Learning.Until.Std().Sub(s.Learning.Since.Std()); got != 14*24*time.Hour || s.Learning.Done {
		t.Errorf("learning %+v: want two weeks that are not over", s.Learning)
	}
	if user := s.Dimensions[0]; user.Name != "user" || user.Identities < 10 || user.Thresholds["volume"] <= 0 {
		t.Errorf("dimension %+v: want users and a threshold", user)
	}
	if !s.Facts.Known || len(s.Destinations) != 1 || s.Destinations[0].Type != "stdout" {
		t.Errorf("facts %+v, destinations %+v", s.Facts, s.Destinations)
	}
	for _, want := range []string{"Nothing has come on billing yet", "speak from", "nobody is told of unissued_token"} {
		if !says(s.Reasons, want) {
			t.Errorf("reasons %q: want one with %q", s.Reasons, want)
		}
	}
	if !says(s.Faults, "Most of what comes on access is rejected") {
		t.Errorf("faults %q", s.Faults)
	}
	var text strings.Builder
	if err := s.Print(&text, time.UTC); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
}
