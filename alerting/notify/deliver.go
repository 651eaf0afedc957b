package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/weirhq/weir/alerting"
)

// Deliverer delivers messages to one destination, one attempt at a time, and
// keeps to the destination's limit. Which message comes next is the Queue's to
// say. Each destination has a Deliverer of its own, so that a destination that
// is down delays its own messages only. It is not safe for concurrent use.
type Deliverer struct {
	dest   Destination
	policy Policy
	env    Env
	limit  bucket
}

// Env is what a Deliverer needs of the world. Nil fields mean the real one.
type Env struct {
	Now     func() time.Time                                                        // wall clock
	Rand    func() float64                                                          // uniform in [0, 1), for jitter
	Sleep   func(ctx context.Context, d time.Duration) error                        // returns ctx's error when cut short
	OnRetry func(a *alerting.Alert, attempt int, wait time.Duration, failure error) // called after each failed attempt that will be repeated after wait; for logs and metrics
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
	if env.OnRetry == nil {
		env.OnRetry = func(*alerting.Alert, int, time.Duration, error) {}
	}
	return &Deliverer{
		dest: dest, policy: policy, env: env,
		limit: bucket{rate: policy.PerMinute / 60, burst: float64(policy.Burst)},
	}
}

// Accepts reports whether the destination gets this alert at all.
func (d *Deliverer) Accepts(a *alerting.Alert) bool {
	return d.policy.Accept == nil || d.policy.Accept(a)
}

// HoldUntil returns the time before which an alert is not to be delivered that
// was raised at the given time of the wall clock.
func (d *Deliverer) HoldUntil(a *alerting.Alert, raised time.Time) time.Time {
	return d.policy.Hold.Until(a, raised)
}

// Deliver makes attempts until the destination takes the message, refuses it for
// good, or the policy gives up, and returns the record of it. It is for one
// message alone, which nothing else waits for; weir run goes by a Queue.
// A message whose Raised is zero counts as raised now.
//
// An error means that ctx ended first: nothing is decided and nothing is to be
// recorded. The alert is to be delivered again after a restart, under the same
// message id.
func (d *Deliverer) Deliver(ctx context.Context, m *Message) (Delivery, error) {
	if m.Raised.IsZero() {
		m.Raised = d.env.Now()
	}
	for {
		if err := d.WaitForLimit(ctx); err != nil {
			return Delivery{}, d.interrupted(m.Alert, err)
		}
		result, err := d.Attempt(ctx, m)
		if err != nil {
			return Delivery{}, err
		}
		if result.Delivery != nil {
			return *result.Delivery, nil
		}
		if err := d.env.Sleep(ctx, result.Wait); err != nil {
			return Delivery{}, d.interrupted(m.Alert, err)
		}
	}
}

// WaitForLimit waits until the destination's limit allows one more attempt. Each
// call of Attempt needs a call of WaitForLimit before it; which message is sent
// is best decided in between, since the wait may be long.
func (d *Deliverer) WaitForLimit(ctx context.Context) error {
	return d.env.Sleep(ctx, d.limit.take(d.env.Now()))
}

// Result is what became of one attempt.
type Result struct {
	Delivery   *Delivery     // the record of how the delivery ended; nil: the message, or a further part of it, is to be tried after Wait
	Wait       time.Duration // until the next attempt
	RetryAfter time.Duration // for which the receiver asked not to be called at all; 0: it did not ask
}

// Attempt makes one attempt to deliver a message, or the next part of it. It counts a
// failed one in the message and keeps the message's reference up to date. An error means
// that ctx ended first, as with Deliver.
func (d *Deliverer) Attempt(ctx context.Context, m *Message) (Result, error) {
	part, last := m.Alert.Part(m.parts, d.room())
	kept, retry, err := d.guard(ctx, func(ctx context.Context) (string, bool, error) { return d.notify(ctx, part, m.Reference) })
	if len(kept) <= MaxReference && kept != "" {
		m.Reference = kept
	}
	if err != nil && ctx.Err() != nil {
		return Result{}, d.interrupted(m.Alert, ctx.Err())
	}
	attempts := m.Attempts + 1
	if err == nil && !last {
		m.parts, m.Attempts = m.parts+1, 0
		return Result{}, nil
	}
	if err == nil {
		return Result{Delivery: d.record(m, Delivered, attempts, "")}, nil
	}
	if !retry {
		return Result{Delivery: d.record(m, Rejected, attempts, err.Error())}, nil
	}
	m.Attempts = attempts
	asked := retryAfter(err)
	wait := d.policy.Backoff(attempts, asked, d.env.Rand())
	if why := d.policy.Exhausted(attempts, d.env.Now().Add(wait).Sub(m.Raised)); why != "" {
		return Result{Delivery: d.record(m, GivenUp, attempts, why+"; the last attempt: "+err.Error())}, nil
	}
	d.env.OnRetry(m.Alert, attempts, wait, err)
	return Result{Wait: wait, RetryAfter: min(asked, d.policy.MaxRetryAfter)}, nil
}

// room is how long the names in a message may be.
func (d *Deliverer) room() int {
	if p, ok := d.dest.(Parted); ok {
		return p.NamesRoom()
	}
	return 0
}

// Beat makes one attempt to tell a heartbeat. If this one, the attempts-th, fails, wait
// is how long to stay away before the next. What is refused is tried again too: until
// it is told, its absence is the alarm.
func (d *Deliverer) Beat(ctx context.Context, h *alerting.Heartbeat, attempts int) (wait time.Duration, err error) {
	_, _, err = d.guard(ctx, func(ctx context.Context) (string, bool, error) {
		retry, err := d.dest.Beat(ctx, h)
		return "", retry, err
	})
	if err == nil {
		return 0, nil
	}
	return d.policy.Backoff(attempts, retryAfter(err), d.env.Rand()), err
}

// Annotation is a line for the message of an episode.
type Annotation struct {
	Reference string // the receiver's id of the message
	Line      string // empty: none any more
	Failed    int    // attempts that have failed before
}

// Annotate makes one attempt to have the message that shows an alert, or the last part of
// it, show a line too, if the destination is an Annotator. With an error, again says
// whether it is worth another attempt after wait.
func (d *Deliverer) Annotate(ctx context.Context, a *alerting.Alert, n Annotation) (again bool, wait time.Duration, err error) {
	dest, ok := d.dest.(Annotator)
	if !ok {
		return false, 0, nil
	}
	part, last := a.Part(0, d.room())
	for i := 1; !last; i++ {
		part, last = a.Part(i, d.room())
	}
	_, again, err = d.guard(ctx, func(ctx context.Context) (string, bool, error) {
		retry, err := dest.Annotate(ctx, d.prepare(part), n.Reference, n.Line)
		return "", retry, err
	})
	if err == nil || !again {
		return false, 0, err
	}
	wait = d.policy.Backoff(n.Failed+1, retryAfter(err), d.env.Rand())
	return d.policy.Exhausted(n.Failed+1, 0) == "", wait, err
}

// prepare returns the alert as the policy has it delivered.
func (d *Deliverer) prepare(a *alerting.Alert) *alerting.Alert {
	if d.policy.Prepare == nil {
		return a
	}
	return d.policy.Prepare(a)
}

// notify calls the destination once.
func (d *Deliverer) notify(ctx context.Context, a *alerting.Alert, reference string) (kept string, retry bool, err error) {
	a = d.prepare(a)
	if u, ok := d.dest.(Updater); ok {
		return u.Upsert(ctx, a, reference)
	}
	retry, err = d.dest.Notify(ctx, a)
	return "", retry, err
}

// guard makes a call of the destination under the policy's timeout. A fault of the
// destination's own code must not stop the others, so a panic is a refusal.
func (d *Deliverer) guard(ctx context.Context, call func(context.Context) (string, bool, error)) (kept string, retry bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.policy.Timeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			// r may quote anything, secrets included; its type must do.
			retry, err = false, fmt.Errorf("destination %s panicked (%T); please report this with the alert's dedup key", d.dest.Name(), r)
		}
	}()
	kept, retry, err = call(ctx)
	if err != nil && !retry && errors.Is(err, context.DeadlineExceeded) {
		retry = true // a timeout passes, whatever the destination makes of it
	}
	return kept, retry, err
}

func (d *Deliverer) record(m *Message, o Outcome, attempts int, reason string) *Delivery {
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
