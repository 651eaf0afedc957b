package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
)

// newDestination is how far back a destination that is seen for the first time
// gets alerts: a new deployment misses none, and a destination added to an old
// one does not get its history.
const newDestination = 24 * time.Hour

// Destination is one place to which alerts go, and how.
type Destination struct {
	alerting.Destination
	Policy alerting.Policy
}

// notifier carries weir.alerts to one destination, in order. Its consumer
// group is its own, so it delays nobody else. What became of an alert is
// written in the transaction that commits its offset: a delivery is confirmed
// when that is, and a kill in between repeats one message, under the same key.
type notifier struct {
	shared
	id   string // of this process
	dest Destination
}

func (n *notifier) run(ctx context.Context) error {
	name := n.dest.Name()
	if err := n.begin(ctx); err != nil {
		return err
	}
	opts := append(n.conn.options(),
		kgo.ConsumerGroup(n.group+"-notify-"+name),
		kgo.ConsumeTopics(n.topics.Alerts),
		kgo.TransactionalID(n.group+"-notify-"+name+"-"+n.id),
		kgo.TransactionTimeout(transactionLimit),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.SessionTimeout(sessionTimeout),
		kgo.HeartbeatInterval(heartbeat),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	session, err := kgo.NewGroupTransactSession(opts...)
	if err != nil {
		return fmt.Errorf("making a Kafka client: %w", err)
	}
	defer session.Close()
	if err := takeOver(ctx, session.Client()); err != nil {
		return err
	}
	deliverer := alerting.NewDeliverer(n.dest.Destination, n.dest.Policy, alerting.Env{
		Retry: func(a *alerting.Alert, attempt int, wait time.Duration, err error) {
			n.metrics.retries.WithLabelValues(name).Inc()
			n.log.Warn("a delivery failed and will be repeated", "destination", name, "dedup_key", a.DedupKey, "attempt", attempt, "wait", wait, "error", err)
		},
	})
	for {
		wait, cancel := context.WithTimeout(ctx, 5*time.Second)
		fetches := session.PollRecords(wait, 1)
		cancel()
		if err := fetchError(ctx, fetches); err != nil {
			return err
		}
		if err := n.deliver(ctx, session, deliverer, fetches.Records()); err != nil {
			return err
		}
		n.metrics.heartbeat.WithLabelValues("notify/" + name).SetToCurrentTime()
	}
}

// begin places a destination that is new: the place is committed, so that it
// stays where it is even if nothing can be delivered for days.
func (n *notifier) begin(ctx context.Context) error {
	cl, err := n.conn.client()
	if err != nil {
		return err
	}
	defer cl.Close()
	adm, group := kadm.NewClient(cl), n.group+"-notify-"+n.dest.Name()
	committed, err := adm.FetchOffsets(ctx, group)
	if err != nil {
		return fmt.Errorf("looking where destination %s stands: %w", n.dest.Name(), Explain(err))
	}
	if o, ok := committed.Lookup(n.topics.Alerts, 0); ok && o.At >= 0 {
		return nil
	}
	starts, err := adm.ListOffsetsAfterMilli(ctx, time.Now().Add(-newDestination).UnixMilli(), n.topics.Alerts)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return fmt.Errorf("placing destination %s: %w", n.dest.Name(), Explain(err))
	}
	err = adm.CommitAllOffsets(ctx, group, starts.Offsets())
	if errors.Is(err, kerr.UnknownMemberID) {
		return nil // another process serves it already
	}
	if err != nil {
		return fmt.Errorf("placing destination %s: %w", n.dest.Name(), Explain(err))
	}
	return nil
}

// deliver carries what was polled, at most one alert, and commits it. An empty
// poll ends a transaction too, so that the session sees every rebalance.
func (n *notifier) deliver(ctx context.Context, session *kgo.GroupTransactSession, d *alerting.Deliverer, records []*kgo.Record) error {
	var out []*kgo.Record
	var outcomes []alerting.Outcome
	for _, rec := range records {
		a, err := alerting.ParseAlert(rec.Value)
		if err != nil {
			n.log.Error("an alert cannot be read and is passed over", "offset", rec.Offset, "error", err)
			out = append(out, &kgo.Record{Topic: n.topics.DeadLetters, Key: rec.Key, Value: rec.Value, Headers: headers(n.dest.Name(), err.Error())})
			continue
		}
		result, err := d.Deliver(ctx, a, rec.Timestamp)
		if err != nil {
			return err // stopping; the alert is delivered after the restart
		}
		outcomes = append(outcomes, result.Outcome)
		out = append(out, &kgo.Record{Topic: n.topics.Deliveries, Key: rec.Key, Value: result.AppendJSON(nil)})
		if result.Outcome != alerting.Delivered {
			n.log.Error("an alert could not be delivered", "destination", n.dest.Name(), "dedup_key", a.DedupKey, "reason", result.Reason)
			out = append(out, &kgo.Record{Topic: n.topics.DeadLetters, Key: rec.Key, Value: rec.Value, Headers: headers(n.dest.Name(), result.Reason)})
		}
	}
	if err := session.Begin(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", Explain(err))
	}
	ctx = context.WithoutCancel(ctx)
	var failed error
	if len(out) > 0 {
		failed = session.ProduceSync(ctx, out...).FirstErr()
	}
	committed, err := session.End(ctx, kgo.TransactionEndTry(len(out) > 0 && failed == nil))
	if err := errors.Join(failed, err); err != nil {
		return fmt.Errorf("committing a delivery: %w", Explain(err))
	}
	if !committed { // the group has changed: whoever has the partition now repeats it
		return nil
	}
	for _, o := range outcomes {
		n.metrics.deliveries.WithLabelValues(n.dest.Name(), string(o)).Inc()
	}
	return nil
}

func headers(destination, reason string) []kgo.RecordHeader {
	return []kgo.RecordHeader{{Key: "destination", Value: []byte(destination)}, {Key: "reason", Value: []byte(reason)}}
}
