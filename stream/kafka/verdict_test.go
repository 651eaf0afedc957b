package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// What somebody said before the events were read, as after a reset, holds on
// Kafka as it does without: the alerts are told or held back alike. What was said long
// before may be erased.
func TestVerdictsOnKafka(t *testing.T) { inBubble(t, testVerdictsOnKafka) }

func testVerdictsOnKafka(t *testing.T) {
	d := newDeployment(t, 2)
	events, plain, before := d.leak(t)
	first := mostReported(t, plain)
	verdict := correlate.Verdict{
		ID: "1", Kind: correlate.Expected, DedupKey: first.DedupKey, Author: "kim", Reason: "why",
		Expires: alerting.Time(first.Time.Std().AddDate(1, 0, 0).UnixMilli()),
	}
	sent, held := d.local(t, events, &verdict)
	if len(held) == len(before) {
		t.Fatal("the verdict holds nothing back")
	}

	names := topics.Named("weir.")
	if err := topics.Ensure(t.Context(), &d.conn, names.Specs(d.partitions), 1); err != nil {
		t.Fatal(err)
	}
	value, err := verdict.Encode()
	if err != nil {
		t.Fatal(err)
	}
	cl, err := d.conn.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	old := &kgo.Record{Topic: names.Verdicts, Value: []byte("erased")}
	rec := &kgo.Record{Topic: names.Verdicts, Key: []byte(verdict.DedupKey), Value: value}
	if err := cl.ProduceSync(t.Context(), old, rec).FirstErr(); err != nil {
		t.Fatal(err)
	}
	gone := kadm.Offsets{}
	gone.Add(kadm.Offset{Topic: names.Verdicts, At: 1})
	if answer, err := kadm.NewClient(cl).DeleteRecords(t.Context(), gone); err != nil || answer.Error() != nil {
		t.Fatal(err, answer.Error())
	}
	d.produce(t, "access", 3, events)
	stop := start(t, d.options(t, "p")).stop
	defer stop()
	compare(t, d.alerts(t, len(sent), 5*time.Minute), sent)
	var got []string
	limit, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for len(got) < len(held) && limit.Err() == nil {
		got = nil
		err := topics.ReadSuppressed(limit, &d.conn, names, func(s *correlate.Suppressed) error {
			got = append(got, string(s.AppendJSON(nil)))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	compare(t, got, held)
}

// mostReported returns the first alert of the episode that most alerts are of.
func mostReported(t *testing.T, lines []string) *alerting.Alert {
	t.Helper()
	count, first := map[string]int{}, map[string]*alerting.Alert{}
	var most *alerting.Alert
	for _, line := range lines {
		a, err := alerting.ParseAlert([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		count[a.DedupKey]++
		if first[a.DedupKey] == nil {
			first[a.DedupKey] = a
		}
		if most == nil || count[a.DedupKey] > count[most.DedupKey] {
			most = first[a.DedupKey]
		}
	}
	return most
}
