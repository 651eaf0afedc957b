package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

const (
	// newDestination is how far back a destination that is seen for the first
	// time gets alerts: a new deployment misses none, and a destination added to
	// an old one does not get its history.
	newDestination = 24 * time.Hour
	// maxQueued bounds the messages that wait in memory; the rest waits in Kafka.
	maxQueued = 1000
	// stopGrace is how long an attempt that has begun may go on after the
	// process was asked to stop: what is cut off may have been taken, and would
	// be repeated.
	stopGrace = 5 * time.Second
	// notifyPoll bounds one wait for alerts.
	notifyPoll = time.Second
)

// Destination is one place to which alerts go, and how.
type Destination struct {
	notify.Destination
	Policy notify.Policy
}

// Notifier carries weir.alerts to one destination. Its consumer group and its
// transactional id are its own, so it delays nobody else. An attempt is made,
// and what became of it committed with the destination's place, before the next
// one begins: a kill in between repeats that one message, under the same key.
//
// It also reads weir.deadletters, for what other destinations would not take
// and it has to report.
type Notifier struct {
	supervise.Env
	Dest  Destination
	Other string // by which the dead letters of this destination are reported; empty: there is none

	client    *kgo.Client
	deliverer *notify.Deliverer
	box       *outbox
	queue     notify.Queue
	origin    map[*notify.Message]*kgo.Record
	firing    notify.Firing
	resend    time.Duration // of a Resender; else 0
	updates   bool          // the destination is an Updater, which wants references
	moved     bool          // a place has changed that is not written
	written   time.Time
	resent    bool // the last attempt sent an alert again that the receiver had got
}

// Run is a task of a placement on weir.alerts, which has one partition.
func (n Notifier) Run(ctx context.Context, partition int32, at func(int64)) error {
	name := n.Dest.Name()
	n.Ready.Begin(TaskName(name))
	defer n.Ready.Forget(TaskName(name))
	cl, err := n.TaskClient(ctx, "notify-"+name)
	if err != nil {
		return err
	}
	defer cl.Close()
	n.client, n.origin, n.written = cl, map[*notify.Message]*kgo.Record{}, time.Now()
	n.deliverer = notify.NewDeliverer(n.Dest.Destination, n.Dest.Policy, notify.Env{OnRetry: n.retried})
	if err := n.restore(ctx); err != nil {
		return err
	}
	n.Ready.Done(TaskName(name))
	for {
		m, wait := n.queue.Next(time.Now())
		if err := n.read(ctx, m != nil, wait); err != nil {
			return err
		}
		if err := n.work(ctx); err != nil {
			return err
		}
		at(n.box.places[n.Topics.Alerts].start())
		n.Metrics.Heartbeat.WithLabelValues("notify/" + name).SetToCurrentTime()
		n.Metrics.Queued.WithLabelValues(name).Set(float64(n.queue.Len()))
	}
}

// TaskName is the name of a destination's task in logs, metrics and readiness.
func TaskName(destination string) string { return "notify " + destination }

func (n *Notifier) retried(a *alerting.Alert, attempt int, wait time.Duration, err error) {
	n.Metrics.Retries.WithLabelValues(n.Dest.Name()).Inc()
	n.Log.Warn("a delivery failed and will be repeated", "destination", n.Dest.Name(), "dedup_key", a.DedupKey, "attempt", attempt, "wait", wait, "error", err)
}

// restore reads where the destination stands, and begins to read there. A
// destination that is new is placed, and the place is written, so that it stays
// where it is even if nothing can be delivered for days.
func (n *Notifier) restore(ctx context.Context) error {
	n.box = newOutbox(n.Dest.Name())
	_, err := n.Conn.ReadAll(ctx, n.Topics.Outbox, 0, func(r *kgo.Record) error { return n.box.load(r.Key, r.Value) })
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	from := map[string]map[int32]kgo.Offset{}
	for _, topic := range []string{n.Topics.Alerts, n.Topics.DeadLetters} {
		start, end, err := n.Conn.Bounds(ctx, topic, 0)
		if err != nil {
			return err
		}
		p := n.box.places[topic]
		if p == nil {
			if p, err = n.place(ctx, topic); err != nil {
				return err
			}
			n.box.places[topic] = p
		}
		if p.within(start, end) {
			n.Log.Warn("a topic is not the one that this destination has read; it starts at its beginning", "destination", n.Dest.Name(), "topic", topic)
		}
		from[topic] = map[int32]kgo.Offset{0: kgo.NewOffset().At(p.start())}
	}
	_, n.updates = n.Dest.Destination.(notify.Updater)
	if r, ok := n.Dest.Destination.(notify.Resender); ok {
		n.resend = r.ResendEvery()
		if err := n.box.firing(&n.firing); err != nil {
			return fmt.Errorf("restoring: %w", err)
		}
	}
	if err := n.commit(ctx, n.box.forget(n.Topics.Outbox, time.Now())...); err != nil {
		return err
	}
	n.client.AddConsumePartitions(from)
	return nil
}

// place returns where a destination that is seen for the first time begins.
func (n *Notifier) place(ctx context.Context, topic string) (*place, error) {
	listed, err := kadm.NewClient(n.client).ListOffsetsAfterMilli(ctx, time.Now().Add(-newDestination).UnixMilli(), topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("placing destination %s: %w", n.Dest.Name(), cluster.Explain(err))
	}
	o, _ := listed.Lookup(topic, 0)
	return &place{Next: o.Offset}, nil
}

// read takes in what has come: without waiting when something is due, else
// until something is.
func (n *Notifier) read(ctx context.Context, due bool, wait time.Duration) error {
	if n.queue.Len() >= maxQueued {
		if due {
			return nil
		}
		return cluster.Sleep(ctx, min(max(wait, 0), notifyPoll))
	}
	switch {
	case due || len(n.firing.Due(time.Now())) > 0:
		wait = time.Millisecond
	case wait < 0 || wait > notifyPoll:
		wait = notifyPoll
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	fetches := n.client.PollRecords(waiting, maxQueued-n.queue.Len())
	cancel()
	if err := cluster.TaskError(ctx, fetches); err != nil {
		return err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		if err := n.take(ctx, iter.Next()); err != nil {
			return err
		}
	}
	return nil
}

// take puts a record into the queue if this destination is to get it and has
// not got it.
func (n *Notifier) take(ctx context.Context, rec *kgo.Record) error {
	p := n.box.places[rec.Topic]
	if !p.wants(rec.Offset) {
		return nil
	}
	a, err := n.message(rec)
	switch {
	case err != nil:
		n.Log.Error("an alert cannot be read and is passed over", "destination", n.Dest.Name(), "offset", rec.Offset, "error", err)
		p.done(rec.Offset)
		return n.commit(ctx, n.deadLetter(rec.Key, rec.Value, err.Error(), rec.Topic == n.Topics.Alerts))
	case a == nil:
		p.done(rec.Offset)
		n.moved = true
		return nil
	}
	m := &notify.Message{Alert: a, Raised: rec.Timestamp}
	if until := n.deliverer.HoldUntil(a, rec.Timestamp); until.After(rec.Timestamp) {
		m.HeldUntil = until
	}
	p.queue(rec.Offset)
	n.origin[m] = rec
	n.queue.Add(m)
	return nil
}

// message returns the alert that the destination gets for a record, or nil for
// none.
func (n *Notifier) message(rec *kgo.Record) (*alerting.Alert, error) {
	if rec.Topic == n.Topics.DeadLetters {
		return n.report(rec), nil
	}
	a, err := alerting.ParseAlert(rec.Value)
	if err != nil || !n.deliverer.Accepts(a) {
		return nil, err
	}
	return a, nil
}

// work does one thing: it makes an attempt at the next message, sends an alert
// again, or writes the place when the place has moved by itself for a while.
func (n *Notifier) work(ctx context.Context) error {
	m, _ := n.queue.Next(time.Now())
	due := n.firing.Due(time.Now())
	switch {
	case len(due) > 0 && (m == nil || !n.resent):
		n.resent = true
		return n.resendOne(ctx, due[0])
	case m != nil:
		n.resent = false
		return n.attempt(ctx)
	case n.moved && time.Since(n.written) > supervise.CommitPositions:
		return n.commit(ctx)
	}
	return nil
}

// attempt makes one attempt and commits what came of it.
func (n *Notifier) attempt(ctx context.Context) error {
	if err := n.deliverer.WaitForLimit(ctx); err != nil {
		return err
	}
	m, _ := n.queue.Next(time.Now()) // the wait may have been long
	if m == nil {
		return nil
	}
	if known := n.box.episodes[m.Alert.DedupKey]; known != nil && m.Attempts == 0 {
		m.Reference = known.Reference
	}
	trying, cancel := lasting(ctx)
	result, err := n.deliverer.Attempt(trying, m)
	cancel()
	if err != nil {
		return err // stopping; the alert is delivered after the restart
	}
	if result.Delivery == nil {
		n.queue.Retry(m, time.Now(), result.Wait, result.RetryAfter)
		return nil
	}
	return n.finish(ctx, m, result.Delivery)
}

// lasting returns a context that outlives ctx by stopGrace.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if cluster.Sleep(out, stopGrace) == nil {
			cancel()
		}
	})
	return out, func() { stop(); cancel() }
}

// finish commits the record of a delivery, with all that follows from it.
func (n *Notifier) finish(ctx context.Context, m *notify.Message, d *notify.Delivery) error {
	name, origin := n.Dest.Name(), n.origin[m]
	out := []*kgo.Record{{Topic: n.Topics.Deliveries, Key: []byte(d.DedupKey), Value: d.AppendJSON(nil)}}
	if d.Outcome != notify.Delivered {
		n.Log.Error("an alert could not be delivered", "destination", name, "dedup_key", d.DedupKey, "outcome", d.Outcome, "reason", d.Reason)
		out = append(out, n.deadLetter([]byte(d.DedupKey), m.Alert.AppendJSON(nil), d.Reason, origin.Topic == n.Topics.Alerts))
	}
	if rec, err := n.remember(m, d); err != nil {
		return err
	} else if rec != nil {
		out = append(out, rec)
	}
	n.box.places[origin.Topic].done(origin.Offset)
	if err := n.commit(ctx, out...); err != nil {
		return err
	}
	n.queue.Done(m, d.Outcome != notify.GivenUp)
	delete(n.origin, m)
	n.Metrics.Deliveries.WithLabelValues(name, string(d.Outcome)).Inc()
	return nil
}

// remember keeps what the next message of the episode needs: the reference, and
// for a Resender the alert. It returns the record of it, or nil for nothing.
func (n *Notifier) remember(m *notify.Message, d *notify.Delivery) (*kgo.Record, error) {
	resend := n.resend > 0 && n.origin[m].Topic == n.Topics.Alerts
	if !resend && (!n.updates || d.Reference == "") {
		return nil, nil
	}
	sent := &lastSent{Reference: d.Reference, At: int64(d.At)}
	if resend {
		n.firing.Sent(m.Alert, d.At.Std(), n.resend)
		if m.Alert.Status != alerting.Close {
			sent.Alert = m.Alert.AppendJSON(nil)
		} else if sent.Reference == "" {
			sent = nil
		}
	}
	return n.box.setLastSent(n.Topics.Outbox, d.DedupKey, sent)
}

// resendOne sends an alert again to a receiver that forgets. Nothing is recorded,
// since the receiver has got the alert before; a failure is repeated soon.
func (n *Notifier) resendOne(ctx context.Context, a *alerting.Alert) error {
	if err := n.deliverer.WaitForLimit(ctx); err != nil {
		return err
	}
	m := &notify.Message{Alert: a, Raised: time.Now()}
	if known := n.box.episodes[a.DedupKey]; known != nil {
		m.Reference = known.Reference
	}
	trying, cancel := lasting(ctx)
	result, err := n.deliverer.Attempt(trying, m)
	cancel()
	if err != nil {
		return err
	}
	every := n.resend
	if result.Delivery == nil {
		every = min(every, max(result.Wait, result.RetryAfter))
	}
	n.firing.Sent(a, time.Now(), every)
	return nil
}

// commit writes the records and the destination's place, in one transaction.
func (n *Notifier) commit(ctx context.Context, records ...*kgo.Record) error {
	began := time.Now()
	tx := cluster.Transaction{Client: n.client, Records: append(records, n.box.record(n.Topics.Outbox))}
	if err := tx.Commit(ctx); err != nil {
		n.Metrics.Commits.WithLabelValues("notify", "failed").Inc()
		return fmt.Errorf("recording a delivery to %s: %w", n.Dest.Name(), err)
	}
	n.Metrics.Committed("notify", began)
	n.moved, n.written = false, time.Now()
	return nil
}
