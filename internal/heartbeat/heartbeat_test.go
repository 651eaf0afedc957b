package heartbeat_test

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/heartbeat"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

const settings = `
partitions: 1
replication_factor: 1
sources: [{topic: access}, {topic: missing}]
expected:
  - {name: export, dimension: user, identity: svc-export, owner: data@example.com, reason: nightly, expires: 2027-02-01}
  - {name: old, dimension: user, identity: svc-old, owner: data@example.com, reason: over, expires: 2026-12-01}
`

// A heartbeat counts what lies after the one before, and says what is expected and what
// must be mended. The clock is that of synctest: a sleep takes no time.
func TestCompose(t *testing.T) { synctest.Test(t, testCompose) }

func testCompose(t *testing.T) {
	time.Sleep(time.Until(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)))
	c, err := config.Parse("weir.yaml", []byte(settings), nil)
	if err != nil {
		t.Fatal(err)
	}
	network := &kfake.VirtualNetwork{}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(network.Listen))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	c.Kafka.Brokers = broker.ListenAddrs()
	conn := &cluster.Connection{Brokers: c.Kafka.Brokers, Logger: slog.New(slog.DiscardHandler), Extra: []kgo.Opt{kgo.Dialer(network.DialContext)}}
	if err := topics.Ensure(t.Context(), conn, topics.Named(c.TopicPrefix).Specs(1), 1); err != nil {
		t.Fatal(err)
	}
	write := writer(t, conn)
	day := func(n int) { // writes what a day brings, with n events
		a := alertingtest.Full()
		for i, status := range []alerting.Status{alerting.Open, alerting.Close, alerting.Open} {
			a.Status = status
			write("weir.alerts", a.AppendJSON(nil))
			held := correlate.Suppressed{By: correlate.SuppressedBy{Kind: correlate.ByConfig, Name: "export", Owner: "data@example.com"}, Alert: *a}
			if i > 0 {
				held.By = correlate.SuppressedBy{Kind: correlate.ByCampaign, Name: fmt.Sprint("weir-", i)}
			}
			write("weir.suppressed", held.AppendJSON(nil))
			write("weir.ledger", []byte(`{"seq":1,"kind":"refusal","body":{}}`))
		}
		for range n {
			write("access", []byte("{}"))
		}
	}
	day(7)
	time.Sleep(time.Hour)
	since := time.Now()
	day(5)
	commit(t, conn, "weir-ingest", "access", 11) // one waits
	h, err := heartbeat.Compose(t.Context(), conn, c, since)
	if err != nil {
		t.Fatal(err)
	}
	want := alerting.Heartbeat{
		Events: 4, Waiting: 1, Messages: 3, Opened: 1, Refused: 3, Faults: h.Faults,
		Held: []alerting.Held{{By: "campaign", Alerts: 2}, {By: "config", Name: "export", Owner: "data@example.com", Alerts: 1}},
		Expected: []alerting.Awaits{{By: "config", Name: "export", What: "user svc-export", Owner: "data@example.com", Reason: "nightly",
			Until: alerting.Time(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC).UnixMilli())}},
	}
	if !reflect.DeepEqual(*h, want) || len(h.Faults) == 0 {
		t.Errorf("got  %+v\nwant %+v", *h, want)
	}
}

func writer(t *testing.T, conn *cluster.Connection) func(topic string, value []byte) {
	t.Helper()
	cl, err := conn.Client(t.Context(), kgo.AllowAutoTopicCreation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	if _, err := kadm.NewClient(cl).CreateTopics(t.Context(), 1, 1, nil, "access"); err != nil {
		t.Fatal(err)
	}
	return func(topic string, value []byte) {
		if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func commit(t *testing.T, conn *cluster.Connection, group, topic string, offset int64) {
	t.Helper()
	cl, err := conn.Client(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, offset, -1)
	if err := kadm.NewClient(cl).CommitAllOffsets(t.Context(), group, offsets); err != nil {
		t.Fatal(err)
	}
}
