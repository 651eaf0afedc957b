package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
)

// Heartbeat is how a destination is told, at fixed times of the wall clock, that weir
// watches.
type Heartbeat struct {
	Schedule notify.Schedule
	// Compose returns what there is to say of the time since. The notifier adds whom it
	// tells, and when.
	Compose func(ctx context.Context, since time.Time) (*alerting.Heartbeat, error)
}

// pulse is what is known of the heartbeats of a destination. It stands in weir.outbox,
// and changes in the transaction that follows the destination's answer. So a kill in
// between repeats that one heartbeat, under the same id, and no restart repeats another.
type pulse struct {
	// Sent is the wall clock at which the last heartbeat was told; at first, at which the
	// destination was placed. Unix ms.
	Sent int64               `json:"sent"`
	Last *alerting.Heartbeat `json:"last,omitempty"` // the last heartbeat that was told; nil: none yet
}

const (
	heartbeatPrefix = "heartbeat\x00"
	// resendGrace is how long a Resender's receiver still hears the last heartbeat after
	// the next one was due.
	resendGrace = time.Hour
	// composeAgain is how long to wait where Kafka did not tell what there is to say.
	composeAgain = time.Minute
)

// record returns the record that holds a destination's pulse.
func (p *pulse) record(topic, destination string) *kgo.Record {
	value, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("deliver: a heartbeat does not marshal: %v", err)) // a mistake in this file: it holds plain values
	}
	return &kgo.Record{Topic: topic, Key: []byte(heartbeatPrefix + destination), Value: value}
}

// isBeatDue reports whether a heartbeat is to be told now.
func (r *run) isBeatDue(now time.Time) bool {
	h := r.Dest.Heartbeat
	return h != nil && !now.Before(r.beatAgain) && !h.Schedule.Next(time.UnixMilli(r.outbox.pulse.Sent)).After(now)
}

// beat makes one attempt to tell the heartbeat that was due last. If several were missed,
// one tells of all that time.
func (r *run) beat(ctx context.Context) error {
	schedule, now, since := &r.Dest.Heartbeat.Schedule, time.Now(), r.outbox.pulse.Sent
	h, err := r.Dest.Heartbeat.Compose(ctx, time.UnixMilli(since))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		r.beatFailed(now.Add(composeAgain), fmt.Errorf("composing a heartbeat: %w", err))
		return nil
	}
	h.Schema, h.Type, h.Group, h.Destination = alerting.Schema, alerting.HeartbeatType, r.Group, r.Dest.Name()
	h.Due, h.Time, h.Since = alerting.Time(schedule.Last(now).UnixMilli()), alerting.Time(now.UnixMilli()), alerting.Time(since)
	h.Next = alerting.Time(schedule.Next(now).UnixMilli())
	wait, err := r.tellBeat(ctx, h)
	if ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	if err != nil {
		r.beatFailed(time.Now().Add(wait), err)
		return nil
	}
	r.outbox.pulse = pulse{Sent: now.UnixMilli(), Last: h}
	if err := r.commit(ctx, r.outbox.pulse.record(r.Topics.Outbox, r.Dest.Name())); err != nil {
		return err
	}
	r.beats, r.says.Failing, r.resendBeat = 0, 0, time.Now().Add(r.resend)
	r.showPulse()
	return nil
}

// tellBeat makes one attempt within the destination's limit.
func (r *run) tellBeat(ctx context.Context, h *alerting.Heartbeat) (wait time.Duration, err error) {
	if err := r.deliverer.WaitForLimit(ctx); err != nil {
		return 0, err
	}
	r.beats++
	trying, cancel := lasting(ctx)
	defer cancel()
	return r.deliverer.Beat(trying, h, r.beats)
}

// beatFailed notes that a heartbeat is to be tried again at the time.
func (r *run) beatFailed(again time.Time, err error) {
	r.beatAgain = again
	r.failed(r.beats, err)
	r.Log.Warn("a heartbeat failed and will be repeated", "destination", r.Dest.Name(), "attempt", r.beats, "again", again, "error", err)
}

// isResendDue reports whether the last heartbeat is to be told again to a receiver that
// forgets. One that should have had a successor is not: its absence is the alarm.
func (r *run) isResendDue(now time.Time) bool {
	last := r.outbox.pulse.Last
	return r.resend > 0 && r.Dest.Heartbeat != nil && last != nil &&
		!now.Before(r.resendBeat) && now.Before(last.Next.Std().Add(resendGrace))
}

// beatOn tells the last heartbeat again. Nothing is recorded.
func (r *run) beatOn(ctx context.Context) error {
	every := r.resend
	if wait, err := r.tellBeat(ctx, r.outbox.pulse.Last); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		every = min(every, wait)
	} else {
		r.beats = 0
	}
	r.resendBeat = time.Now().Add(every)
	return nil
}

// showPulse shows when the last heartbeat was told, and when the next is due.
func (r *run) showPulse() {
	if r.Dest.Heartbeat == nil {
		return
	}
	r.says.Next = r.Dest.Heartbeat.Schedule.Next(time.UnixMilli(r.outbox.pulse.Sent)).UnixMilli()
	if r.outbox.pulse.Last != nil {
		r.says.Sent = r.outbox.pulse.Sent
		r.Metrics.HeartbeatSent.WithLabelValues(r.Dest.Name()).Set(float64(r.says.Sent) / 1000)
	}
	r.Positions.Set(0, r.says)
}
