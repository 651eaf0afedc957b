package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

type published struct {
	*model.Snapshot
	whole bool
}

// deployment is an embedded broker with weir's topics.
type deployment struct {
	t     *testing.T
	conn  *cluster.Connection
	names topics.Names
	log   bytes.Buffer
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	d := &deployment{t: t, names: topics.Named("weir.")}
	d.conn = &cluster.Connection{Brokers: broker.ListenAddrs(), ClientID: "test", Logger: slog.New(slog.DiscardHandler)}
	if err := topics.Ensure(t.Context(), d.conn, d.names.Specs(1), 1); err != nil {
		t.Fatal(err)
	}
	return d
}

// write writes values to a topic in one transaction, which ends as said.
func (d *deployment) write(topic string, how kgo.TransactionEndTry, values ...[]byte) {
	d.t.Helper()
	cl, err := d.conn.Client(d.t.Context(), kgo.TransactionalID(fmt.Sprint(topic, how)))
	if err != nil {
		d.t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		d.t.Fatal(err)
	}
	for _, v := range values {
		if err := cl.ProduceSync(d.t.Context(), &kgo.Record{Topic: topic, Value: v}).FirstErr(); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := cl.EndTransaction(d.t.Context(), how); err != nil {
		d.t.Fatal(err)
	}
}

// follow reads the deployment until the test ends.
func (d *deployment) follow() <-chan published {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		d.t.Fatal(err)
	}
	out := make(chan published, 1000)
	f := &Follower{
		Connection: d.conn, Topics: d.names, Grid: grid, Dimensions: []string{"network", "user"}, Log: slog.New(slog.NewTextHandler(&d.log, nil)), Every: time.Millisecond,
		Check: func(v *correlate.Verdict) error {
			if v.Author == "thief" {
				return errors.New("it is not signed")
			}
			return nil
		},
		Publish: func(s *model.Snapshot, whole bool) { out <- published{s, whole} },
	}
	ctx, cancel := context.WithCancel(d.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	d.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			d.t.Error(err)
		}
	})
	return out
}

// until returns the first snapshot for which a condition holds.
func until(t *testing.T, from <-chan published, what string, holds func(published) bool) published {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case s := <-from:
			if holds(s) {
				return s
			}
		case <-limit:
			t.Fatal("not within 20 seconds: ", what)
		}
	}
}

// What was committed is shown, from the beginning and as it comes; what was
// aborted never is, and a record that cannot be read stands in nobody's way.
func TestFollow(t *testing.T) {
	d := newDeployment(t)
	a := alertingtest.Full()
	other := alertingtest.Korean()
	d.write(d.names.Alerts, kgo.TryCommit, a.AppendJSON(nil), []byte(`{"schema":99}`))
	d.write(d.names.Alerts, kgo.TryAbort, other.AppendJSON(nil))
	s := correlate.Suppressed{By: correlate.SuppressedBy{Kind: correlate.ByConfig, Name: "r"}, Alert: *alertingtest.Campaign()}
	d.write(d.names.Suppressed, kgo.TryCommit, s.AppendJSON(nil))
	from := d.follow()
	got := until(t, from, "all is read", func(p published) bool { return p.whole })
	if len(got.Episodes()) != 2 || got.Episode(a.DedupKey) == nil || got.Episode(other.DedupKey) != nil || len(got.Holders()) != 1 {
		t.Errorf("%d episodes, %d holders", len(got.Episodes()), len(got.Holders()))
	}
	if !strings.Contains(d.log.String(), "passes over a record") {
		t.Error("nothing is logged of the record that cannot be read")
	}
	v := correlate.Verdict{ID: "1", Time: a.Time, Kind: correlate.Acknowledged, DedupKey: a.DedupKey, Author: "ana"}
	forged := correlate.Verdict{ID: "0", Time: a.Time, Kind: correlate.Confirmed, DedupKey: a.DedupKey, Author: "thief"}
	for _, v := range []correlate.Verdict{v, forged} {
		value, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		d.write(d.names.Verdicts, kgo.TryCommit, value)
	}
	until(t, from, "the verdict comes", func(p published) bool { return p.Episode(a.DedupKey).Holder() == "ana" })
	end := *a
	end.Status, end.Time = alerting.Close, a.Time+3600_000
	d.write(d.names.Alerts, kgo.TryCommit, end.AppendJSON(nil))
	until(t, from, "the end comes", func(p published) bool { return !p.Episode(a.DedupKey).IsOpen() })
	if !strings.Contains(d.log.String(), "it is not signed") {
		t.Error("a forged verdict is not passed over")
	}
}

// The hours in which evidence stood out are shown, of the dimensions that are asked for.
func TestFollowEvidence(t *testing.T) {
	d := newDeployment(t)
	measures := []stream.MeasureEvidence{
		{Measure: "distinct", From: 1, Observed: 90}, {Measure: "distinct_in_bin", From: 3_600_000, Observed: 40, Expected: 5, Mode: 2, Dispersion: 5}, {Measure: "first_touch_in_bin", From: 3_600_000, Observed: 30, Expected: 1},
	}
	report := stream.EvidenceReport{Candidates: []stream.Candidate{{Tick: 24, Dimension: 1, Identity: "ana", Measures: measures}, {Tick: 24, Dimension: 7, Identity: "ana", Measures: measures}, {Tick: 24, Identity: "10.0.0.0/24"}}}
	value, err := report.Encode()
	if err != nil {
		t.Fatal(err)
	}
	d.write(d.names.Evidence, kgo.TryCommit, value)
	got := until(t, d.follow(), "the hour is shown", func(p published) bool { return p.Week("user", "ana").Hours != nil })
	want := model.Watched{
		Hours: []model.Bin{{Start: 3_600_000, Distinct: model.Measured{Counted: 40, Usual: 5, Spread: float32(math.Sqrt(10))}, FirstTouch: model.Measured{Counted: 30, Usual: 1, Spread: 1}}},
		Days:  []model.Bin{{Start: 1, Distinct: model.Measured{Counted: 90}}},
	}
	if !reflect.DeepEqual(got.Week("user", "ana"), want) {
		t.Errorf("%+v, want %+v", got.Week("user", "ana"), want)
	}
	if got.Week("network", "10.0.0.0/24").Hours != nil {
		t.Error("what was not judged by hours is shown")
	}
}

// Once returns all that stands there.
func TestOnce(t *testing.T) {
	d := newDeployment(t)
	d.write(d.names.Alerts, kgo.TryCommit, alertingtest.Full().AppendJSON(nil), alertingtest.Korean().AppendJSON(nil))
	f := &Follower{Connection: d.conn, Topics: d.names, Log: slog.New(slog.DiscardHandler)}
	s, err := f.Once(t.Context())
	if err != nil || len(s.Episodes()) != 2 {
		t.Errorf("%v, %v", s, err)
	}
}

// A deployment that has said nothing is whole at once.
func TestFollowNothing(t *testing.T) {
	d := newDeployment(t)
	if s := until(t, d.follow(), "a whole snapshot", func(p published) bool { return p.whole }); len(s.Episodes()) != 0 {
		t.Errorf("%d episodes", len(s.Episodes()))
	}
}
