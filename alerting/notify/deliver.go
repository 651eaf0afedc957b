package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/weirhq/weir/alerting"
)

// Deliverer carries alerts to one destination, one attempt at a time, and keeps to
// its limit. What is sent next is for a Queue to say. Each destination has its
// own, so that one that is down delays its own messages only.
type Deliverer struct {
	dest   Destination
	policy Policy
	env    Env

	turn  chan struct{} // holds one token; who has it delivers
	limit bucket        // used by who has the token
}

// Env is what a Deliverer needs of the world. Nil fields mean the real one.
type Env struct {
	Now   func() time.Time                                               // wall clock
	Rand  func() float64                                                 // uniform in [0, 1), for jitter
	Sleep func(ctx context.Context, d time.Duration) error               // returns ctx's error when cut short
	Retry func(a *alerting.Alert, attempt int, w time.Duration, e error) // told of each failed attempt that will be repeated after w; for logs and metrics
}

// NewDeliverer returns a Deliverer to dest under the given policy.
func NewDeliverer(dest Destination, policy Policy, env Env) *Deliverer {
	policy = policy.withDefaults()
	if env.Now == nil {
		env.Now = time.Now
	}
	if env.Rand == nil {
		env.Rand = rand.Float64
	}
	if env.Sleep == nil {
		env.Sleep = sleep
	}
	if env.Retry == nil {
		env.Retry = func(*alerting.Alert, int, time.Duration, error) {}
	}
	d := &Deliverer{
		dest: dest, policy: policy, env: env, turn: make(chan struct{}, 1),
		limit: bucket{rate: policy.PerMinute / 60, burst: float64(policy.Burst)},
	}
	d.turn <- struct{}{}
	return d
}

// Accepts reports whether the destination gets this alert at all.
func (d *Deliverer) Accepts(a *alerting.Alert) bool {
	return d.policy.Accept == nil || d.policy.Accept(a)
}

// HoldUntil returns the time before which the alert, raised at that time by the
// wall clock, is not to be delivered.
func (d *Deliverer) HoldUntil(a *alerting.Alert, raised time.Time) time.Time {
	return d.policy.Hold.Until(a, raised)
}

// Deliver is DeliverReference for an episode of which nothing was delivered, or
// to a destination that is no Referrer.
func (d *Deliverer) Deliver(ctx context.Context, a *alerting.Alert, raised time.Time) (Delivery, error) {
	return d.DeliverReference(ctx, a, raised, "")
}

// DeliverReference tries until the destination takes the alert, refuses it for good, or
// the policy gives up, and returns the record of it. raised is the wall-clock
// time at which the alert was written (its Kafka timestamp), from which
// Policy.MaxAge counts; zero means now.
//
// reference is that of the latest record with a reference, of the same
// destination and dedup key; "" if there is none. The record returned carries
// the one to keep, also when this alert was not delivered.
//
// An error means that ctx ended first: nothing is decided and nothing is to be
// recorded. The alert is delivered again after a restart, under the same
// message id.
func (d *Deliverer) DeliverReference(ctx context.Context, a *alerting.Alert, raised time.Time, reference string) (Delivery, error) {
	select {
	case <-d.turn:
		defer func() { d.turn <- struct{}{} }()
	case <-ctx.Done():
		return Delivery{}, d.interrupted(a, ctx.Err())
	}
	if raised.IsZero() {
		raised = d.env.Now()
	}
	m := &Letter{Alert: a, Raised: raised, Reference: reference}
	for {
		if err := d.Turn(ctx); err != nil {
			return Delivery{}, d.interrupted(a, err)
		}
		result, err := d.Try(ctx, m)
		if err != nil {
			return Delivery{}, err
		}
		if result.Record != nil {
			return *result.Record, nil
		}
		if err := d.env.Sleep(ctx, result.Wait); err != nil {
			return Delivery{}, d.interrupted(a, err)
		}
	}
}

// Turn waits until the destination's limit allows one more attempt. Who calls
// Try calls it before, and decides after it what to send.
func (d *Deliverer) Turn(ctx context.Context) error {
	return d.env.Sleep(ctx, d.limit.take(d.env.Now()))
}

// Tried is what became of one attempt.
type Tried struct {
	Record *Delivery     // how the delivery ended; nil: it is to be tried again
	Wait   time.Duration // until the next attempt
	Asked  time.Duration // for which the receiver asked not to be called; 0: it did not
}

// Try makes one attempt at a message and counts it there. An error means that
// ctx ended first, as with DeliverReference.
func (d *Deliverer) Try(ctx context.Context, m *Letter) (Tried, error) {
	kept, retry, err := d.attempt(ctx, m.Alert, m.Reference)
	if len(kept) <= MaxReference && kept != "" {
		m.Reference = kept
	}
	if err != nil && ctx.Err() != nil {
		return Tried{}, d.interrupted(m.Alert, ctx.Err())
	}
	attempts := m.Attempts + 1
	if err == nil {
		return Tried{Record: d.record(m, Delivered, attempts, "")}, nil
	}
	if !retry {
		return Tried{Record: d.record(m, Rejected, attempts, err.Error())}, nil
	}
	m.Attempts = attempts
	asked := retryAfter(err)
	wait := d.policy.Backoff(attempts, asked, d.env.Rand())
	if why := d.policy.Exhausted(attempts, d.env.Now().Add(wait).Sub(m.Raised)); why != "" {
		return Tried{Record: d.record(m, GivenUp, attempts, why+"; the last attempt: "+err.Error())}, nil
	}
	d.env.Retry(m.Alert, attempts, wait, err)
	return Tried{Wait: wait, Asked: min(asked, d.policy.MaxRetryAfter)}, nil
}

// attempt makes one attempt under the policy's timeout. A fault of the
// destination's own code must not stop the others, so a panic is a refusal.
func (d *Deliverer) attempt(ctx context.Context, a *alerting.Alert, reference string) (kept string, retry bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.policy.Timeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			// r may quote anything, secrets included; its type must do.
			retry, err = false, fmt.Errorf("destination %s panicked (%T); please report this with the alert's dedup key", d.dest.Name(), r)
		}
	}()
	if d.policy.Prepare != nil {
		a = d.policy.Prepare(a)
	}
	if r, ok := d.dest.(Referrer); ok {
		kept, retry, err = r.NotifyReference(ctx, a, reference)
	} else {
		retry, err = d.dest.Notify(ctx, a)
	}
	if err != nil && !retry && errors.Is(err, context.DeadlineExceeded) {
		retry = true // a timeout passes, whatever the destination makes of it
	}
	return kept, retry, err
}

func (d *Deliverer) record(m *Letter, o Outcome, attempts int, reason string) *Delivery {
	a := m.Alert
	return &Delivery{
		DedupKey: a.DedupKey, Status: a.Status, Time: a.Time, Destination: d.dest.Name(),
		Reference: m.Reference, Outcome: o, Attempts: attempts, Reason: alerting.Printable(reason, MaxReason), At: alerting.Time(d.env.Now().UnixMilli()),
	}
}

func (d *Deliverer) interrupted(a *alerting.Alert, err error) error {
	return fmt.Errorf("delivering %s to %s: interrupted, to be repeated after a restart: %w", a.MessageID(), d.dest.Name(), err)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
