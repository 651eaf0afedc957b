package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/position"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

const (
	// newDestination is how far back a destination that is seen for the first
	// time gets alerts: a new deployment misses none, and a destination added to
	// an old one does not get its history.
	newDestination = 24 * time.Hour
	// maxQueued bounds the messages that wait in memory; the rest waits in Kafka.
	maxQueued = 1000
	// notifyPoll bounds one wait for alerts.
	notifyPoll = time.Second
)

// Destination is one place to which alerts go, and how.
type Destination struct {
	notify.Destination
	Policy    notify.Policy
	Heartbeat *Heartbeat // nil: none
}

// Notifier carries weir.alerts to one destination. Its consumer group and its
// transactional id are its own, so it delays nobody else. An attempt is made,
// and what became of it committed with the destination's place, before the next
// one begins: a kill in between repeats that one message, under the same key.
//
// It also reads weir.deadletters, for what other destinations would not take
// and it has to report; and for an Annotator weir.verdicts and weir.ledger, for what is
// said of episodes and what becomes of it.
type Notifier struct {
	supervise.Env
	Dest      Destination
	Positions *supervise.Positions // what the task says of itself
	Other     string               // the destination that reports what this one will never take; empty: there is none
	Tick      time.Duration        // what is judged at once, and verdicts count with
	// Authority returns why a verdict does not count, nil if it does; without it all do.
	Authority func(*correlate.Verdict) error
}

// run is what a notifier knows from its start to its first fault.
type run struct {
	*Notifier
	client    *kgo.Client
	deliverer *notify.Deliverer
	outbox    *outbox
	queue     notify.Queue
	origin    map[*notify.Message]*kgo.Record
	firing    notify.Firing
	resend    time.Duration // of a Resender; else 0
	updates   bool          // the destination is an Updater, which wants references
	annotates bool          // the destination is an Annotator
	pending   pending
	moved     bool // a place has changed that is not written
	written   time.Time
	resent    bool // the last attempt sent again, or annotated, what the receiver had got

	says       position.Notify
	beats      int       // attempts at the present heartbeat
	beatAgain  time.Time // no attempt at a heartbeat is made before it
	resendBeat time.Time // when a Resender is told the last heartbeat again
}

// Run is a task of a placement on weir.alerts, which has one partition.
func (n *Notifier) Run(ctx context.Context, _ int32, at func(int64)) error {
	cl, err := n.TaskClient(ctx, "notify-"+n.Dest.Name())
	if err != nil {
		return err
	}
	defer cl.Close()
	r := newRun(n, cl)
	if err := r.restore(ctx); err != nil {
		return err
	}
	n.Ready.Done(TaskName(n.Dest.Name()))
	return r.loop(ctx, at)
}

// Forget drops what the metrics show of the destination, which another process
// serves now.
func (n *Notifier) Forget(int32) { n.Metrics.ForgetDestination(n.Dest.Name()) }

func newRun(n *Notifier, client *kgo.Client) *run {
	r := &run{Notifier: n, client: client, outbox: newOutbox(n.Dest.Name()), origin: map[*notify.Message]*kgo.Record{}, written: time.Now(), pending: pending{lines: map[string]*line{}}}
	r.deliverer = notify.NewDeliverer(n.Dest.Destination, n.Dest.Policy, notify.Env{OnRetry: r.retried})
	_, r.updates = n.Dest.Destination.(notify.Updater)
	_, r.annotates = n.Dest.Destination.(notify.Annotator)
	if resender, ok := n.Dest.Destination.(notify.Resender); ok {
		r.resend = resender.ResendEvery()
	}
	return r
}

func (r *run) loop(ctx context.Context, at func(int64)) error {
	name := r.Dest.Name()
	for {
		m, wait := r.queue.Next(time.Now())
		if err := r.read(ctx, m != nil, wait); err != nil {
			return err
		}
		if err := r.work(ctx); err != nil {
			return err
		}
		at(r.outbox.places[r.Topics.Alerts].start())
		r.Metrics.Heartbeat.WithLabelValues("notify/" + name).SetToCurrentTime()
		r.Metrics.Queued.WithLabelValues(name).Set(float64(r.queue.Len()))
	}
}

// TaskName is the name of a destination's task in logs, metrics and readiness.
func TaskName(destination string) string { return "notify " + destination }

func (r *run) retried(a *alerting.Alert, attempt int, wait time.Duration, err error) {
	r.failed(attempt, err)
	r.Log.Warn("a delivery failed and will be repeated", "destination", r.Dest.Name(), "dedup_key", a.DedupKey, "attempt", attempt, "wait", wait, "error", err)
}

// failed shows that an attempt has failed which will be repeated.
func (r *run) failed(attempt int, err error) {
	r.Metrics.Retries.WithLabelValues(r.Dest.Name()).Inc()
	r.says.Failing, r.says.Attempts, r.says.Reason = time.Now().UnixMilli(), attempt, alerting.Printable(err.Error(), position.MaxReason)
	r.Positions.Set(0, r.says)
}

// restore reads where the destination stands, and begins to read there. A
// destination that is new is placed, and the place is written, so that it stays
// where it is even if nothing can be delivered for days.
func (r *run) restore(ctx context.Context) error {
	_, err := r.Conn.ReadAll(ctx, r.Topics.Outbox, 0, func(rec *kgo.Record) error { return r.outbox.load(rec.Key, rec.Value) })
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	from := map[string]map[int32]kgo.Offset{}
	for _, topic := range []string{r.Topics.Alerts, r.Topics.DeadLetters} {
		start, end, err := r.Conn.Bounds(ctx, topic, 0)
		if err != nil {
			return err
		}
		p := r.outbox.places[topic]
		if p == nil {
			if p, err = r.place(ctx, topic, time.Now().Add(-newDestination)); err != nil {
				return err
			}
			r.outbox.places[topic] = p
		}
		if p.within(start, end) {
			r.Log.Warn("a topic is not the one that this destination has read; it starts at its beginning", "destination", r.Dest.Name(), "topic", topic)
		}
		from[topic] = map[int32]kgo.Offset{0: kgo.NewOffset().At(p.start())}
	}
	if r.annotates {
		for _, topic := range []string{r.Topics.Verdicts, r.Topics.Ledger} {
			p, err := r.place(ctx, topic, r.outbox.lastDelivery(time.Now().Add(-newDestination)))
			if err != nil {
				return err
			}
			from[topic] = map[int32]kgo.Offset{0: kgo.NewOffset().At(p.Next)}
		}
	}
	if r.resend > 0 {
		if err := r.outbox.firing(&r.firing); err != nil {
			return fmt.Errorf("restoring: %w", err)
		}
	}
	out := r.outbox.forget(r.Topics.Outbox, time.Now())
	if r.outbox.pulse.Sent == 0 {
		r.outbox.pulse.Sent = time.Now().UnixMilli()
		out = append(out, r.outbox.pulse.record(r.Topics.Outbox, r.Dest.Name()))
	}
	if err := r.commit(ctx, out...); err != nil {
		return err
	}
	r.showPulse()
	r.client.AddConsumePartitions(from)
	return nil
}

// place returns the first offset of a topic at or after a time.
func (r *run) place(ctx context.Context, topic string, from time.Time) (*place, error) {
	listed, err := kadm.NewClient(r.client).ListOffsetsAfterMilli(ctx, from.UnixMilli(), topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("placing destination %s: %w", r.Dest.Name(), cluster.Explain(err))
	}
	o, _ := listed.Lookup(topic, 0)
	return &place{Next: o.Offset}, nil
}

// read takes in what has come: without waiting when something is due, else
// until something is.
func (r *run) read(ctx context.Context, due bool, wait time.Duration) error {
	if r.queue.Len() >= maxQueued {
		if due {
			return nil
		}
		return cluster.Sleep(ctx, min(max(wait, 0), notifyPoll))
	}
	switch {
	case due || len(r.firing.Due(time.Now())) > 0 || r.pending.next(time.Now()) != "":
		wait = time.Millisecond
	case wait < 0 || wait > notifyPoll:
		wait = notifyPoll
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	fetches := r.client.PollRecords(waiting, maxQueued-r.queue.Len())
	cancel()
	if err := cluster.TaskError(ctx, fetches); err != nil {
		return err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		if err := r.take(ctx, iter.Next()); err != nil {
			return err
		}
	}
	return nil
}

// take puts a record into the queue if this destination is to get it and has
// not got it.
func (r *run) take(ctx context.Context, rec *kgo.Record) error {
	switch rec.Topic {
	case r.Topics.Verdicts:
		r.takeVerdict(rec, time.Now())
		return nil
	case r.Topics.Ledger:
		r.takeLink(rec, time.Now())
		return nil
	}
	p := r.outbox.places[rec.Topic]
	if !p.wants(rec.Offset) {
		return nil
	}
	a, err := r.message(rec)
	switch {
	case err != nil:
		r.Log.Error("an alert cannot be read and is passed over", "destination", r.Dest.Name(), "offset", rec.Offset, "error", err)
		p.done(rec.Offset)
		return r.commit(ctx, r.deadLetter(rec.Key, rec.Value, err.Error(), rec.Topic == r.Topics.Alerts))
	case a == nil:
		p.done(rec.Offset)
		r.moved = true
		return nil
	}
	m := &notify.Message{Alert: a, Raised: rec.Timestamp}
	if until := r.deliverer.HoldUntil(a, rec.Timestamp); until.After(rec.Timestamp) {
		m.HeldUntil = until
	}
	p.queue(rec.Offset)
	r.origin[m] = rec
	r.queue.Add(m)
	return nil
}

// message returns the alert that the destination gets for a record, or nil for
// none.
func (r *run) message(rec *kgo.Record) (*alerting.Alert, error) {
	if rec.Topic == r.Topics.DeadLetters {
		return r.report(rec), nil
	}
	a, err := alerting.ParseAlert(rec.Value)
	if err != nil || !r.deliverer.Accepts(a) {
		return nil, err
	}
	return a, nil
}

// work does one thing: it tells a heartbeat, makes an attempt at the next message, sends
// an alert again, changes the line under a message, or writes the place when the place has moved by itself for a while.
func (r *run) work(ctx context.Context) error {
	now := time.Now()
	m, _ := r.queue.Next(now)
	due, judged := r.firing.Due(now), r.pending.next(now)
	switch {
	case r.isBeatDue(now):
		return r.beat(ctx)
	case r.isResendDue(now):
		return r.beatOn(ctx)
	case len(due) > 0 && (m == nil || !r.resent):
		r.resent = true
		return r.resendOne(ctx, due[0])
	case judged != "" && (m == nil || !r.resent):
		r.resent = true
		return r.annotate(ctx, judged)
	case m != nil:
		r.resent = false
		return r.attempt(ctx)
	case r.moved && time.Since(r.written) > supervise.CommitPositions:
		return r.commit(ctx)
	}
	return nil
}
