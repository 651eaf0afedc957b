package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// attemptGrace is how long an attempt that has begun may go on after the process
// was asked to stop: what is cut off may have been taken, and would be repeated.
// It is at most the grace of the process.
const attemptGrace = 5 * time.Second

// attempt makes one attempt and commits what came of it.
func (r *run) attempt(ctx context.Context) error {
	if err := r.deliverer.WaitForLimit(ctx); err != nil {
		return err
	}
	m, _ := r.queue.Next(time.Now()) // the wait may have been long
	if m == nil {
		return nil
	}
	if known := r.outbox.episodes[m.Alert.DedupKey]; known != nil && !m.Begun() {
		m.Reference = known.Reference
	}
	trying, cancel := lasting(ctx)
	result, err := r.deliverer.Attempt(trying, m)
	cancel()
	if err != nil {
		return err // stopping; the alert is delivered after the restart
	}
	if result.Delivery == nil {
		r.queue.Retry(m, time.Now(), result.Wait, result.RetryAfter)
		return nil
	}
	return r.finish(ctx, m, result.Delivery)
}

// lasting returns a context that outlives ctx by attemptGrace.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(cluster.Finishing(ctx))
	stop := context.AfterFunc(ctx, func() {
		if cluster.Sleep(out, attemptGrace) == nil {
			cancel()
		}
	})
	return out, func() { stop(); cancel() }
}

// finish commits the record of a delivery, with all that follows from it.
func (r *run) finish(ctx context.Context, m *notify.Message, d *notify.Delivery) error {
	name, origin := r.Dest.Name(), r.origin[m]
	out := []*kgo.Record{{Topic: r.Topics.Deliveries, Key: []byte(d.DedupKey), Value: d.AppendJSON(nil)}}
	if d.Outcome != notify.Delivered {
		r.Log.Error("an alert could not be delivered", "destination", name, "dedup_key", d.DedupKey, "outcome", d.Outcome, "reason", d.Reason)
		out = append(out, r.deadLetter([]byte(d.DedupKey), m.Alert.AppendJSON(nil), d.Reason, origin.Topic == r.Topics.Alerts))
	}
	if rec, err := r.remember(m, d); err != nil {
		return err
	} else if rec != nil {
		out = append(out, rec)
	}
	r.outbox.places[origin.Topic].done(origin.Offset)
	if err := r.commit(ctx, out...); err != nil {
		return err
	}
	r.queue.Done(m, d.Outcome != notify.GivenUp)
	r.pending.redrawn(d.DedupKey, time.Now())
	delete(r.origin, m)
	r.Metrics.Deliveries.WithLabelValues(name, string(d.Outcome)).Inc()
	return nil
}

// remember keeps what the next message of the episode needs: the reference, and
// for a Resender the alert. It returns the record of it, or nil for nothing.
func (r *run) remember(m *notify.Message, d *notify.Delivery) (*kgo.Record, error) {
	origin := r.origin[m]
	resend := r.resend > 0 && origin.Topic == r.Topics.Alerts
	if !resend && (!r.updates || d.Reference == "") {
		return nil, nil
	}
	sent := &lastSent{Reference: d.Reference, Offset: -1, At: int64(d.At)}
	if origin.Topic == r.Topics.Alerts {
		sent.Offset = origin.Offset
	}
	if resend {
		r.firing.Sent(m.Alert, d.At.Std(), r.resend)
		if m.Alert.Status != alerting.Close {
			sent.Alert = m.Alert.AppendJSON(nil)
		} else if sent.Reference == "" {
			sent = nil
		}
	}
	return r.outbox.setLastSent(r.Topics.Outbox, d.DedupKey, sent)
}

// resendOne sends an alert again to a receiver that forgets. Nothing is recorded,
// since the receiver has got the alert before; a failure is repeated soon.
func (r *run) resendOne(ctx context.Context, a *alerting.Alert) error {
	if err := r.deliverer.WaitForLimit(ctx); err != nil {
		return err
	}
	m := &notify.Message{Alert: a, Raised: time.Now()}
	if known := r.outbox.episodes[a.DedupKey]; known != nil {
		m.Reference = known.Reference
	}
	trying, cancel := lasting(ctx)
	result, err := r.deliverer.Attempt(trying, m)
	cancel()
	if err != nil {
		return err
	}
	every := r.resend
	if result.Delivery == nil {
		every = min(every, max(result.Wait, result.RetryAfter))
	}
	r.firing.Sent(a, time.Now(), every)
	return nil
}

// commit writes the records and the destination's place, in one transaction.
func (r *run) commit(ctx context.Context, records ...*kgo.Record) error {
	began := time.Now()
	tx := cluster.Transaction{Client: r.client, Records: append(records, r.outbox.record(r.Topics.Outbox))}
	if err := tx.Commit(ctx); err != nil {
		r.Metrics.Commits.WithLabelValues("notify", "failed").Inc()
		return fmt.Errorf("recording a delivery to %s: %w", r.Dest.Name(), err)
	}
	r.Metrics.Committed("notify", began)
	r.moved, r.written = false, time.Now()
	return nil
}
