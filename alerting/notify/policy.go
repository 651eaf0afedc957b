package notify

import (
	"math"
	"time"

	"github.com/weirhq/weir/alerting"
)

// Policy says how hard a delivery is tried. The zero value means the defaults.
type Policy struct {
	// MinBackoff is the wait after the first failed attempt; each further failed
	// attempt doubles the wait. Default 1 s.
	MinBackoff time.Duration
	// MaxBackoff bounds the growth of the wait. Default 5 min: a destination that
	// comes back is used within minutes, and one that is down is not hammered.
	MaxBackoff time.Duration
	// MaxAge is how long after an alert was raised a failing destination is
	// still tried. Default 24 h. Age counts from the alert, not from the first
	// attempt, so that a backlog before a dead destination is given up together
	// and not a day later for each message. Every message gets one attempt.
	MaxAge time.Duration
	// MaxAttempts bounds the attempts of one message. Default 0: only MaxAge does.
	MaxAttempts int
	// MaxRetryAfter bounds the wait that a receiver may ask for. Default 1 h.
	MaxRetryAfter time.Duration
	// Timeout bounds one attempt. Default 15 s.
	Timeout time.Duration
	// PerMinute and Burst limit attempts, so that a storm of alerts does not
	// get the destination's account blocked. Defaults 60 a minute, burst 10; a
	// negative rate means no limit.
	PerMinute float64
	Burst     int
	// Accept says which alerts the destination gets, see Routes; nil: all.
	// The caller of a Deliverer asks Deliverer.Accepts first: an alert that the
	// destination does not get is neither delivered nor recorded for it.
	Accept func(a *alerting.Alert) bool
	// Hold says how long an alert may wait; nil: not at all. The caller of a
	// Deliverer asks Deliverer.HoldUntil and meanwhile goes on with other
	// episodes: a critical alert must not stand behind one that waits.
	Hold *Hold
	// Prepare returns what is sent in place of an alert: a copy with links, say.
	// It must not change the alert. nil: the alert itself is sent. Decisions and
	// records go by the alert, not by what Prepare returns.
	Prepare func(a *alerting.Alert) *alerting.Alert
}

func (p Policy) withDefaults() Policy {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&p.MinBackoff, time.Second)
	def(&p.MaxBackoff, 5*time.Minute)
	p.MaxBackoff = max(p.MaxBackoff, p.MinBackoff)
	def(&p.MaxAge, 24*time.Hour)
	def(&p.MaxRetryAfter, time.Hour)
	def(&p.Timeout, 15*time.Second)
	if p.PerMinute == 0 {
		p.PerMinute = 60
	}
	if p.Burst <= 0 {
		p.Burst = 10
	}
	return p
}

// Backoff returns the wait after the given number of failed attempts (1 or
// more), with "equal jitter": half of the exponential step is fixed and half is
// scaled by jitter in [0, 1), so that instances that failed together do not
// return together, yet none returns at once (Brooker, "Exponential Backoff And
// Jitter", AWS Architecture Blog, 2015). The wait is at least what the receiver
// asked for (retryAfter, 0 for nothing), up to MaxRetryAfter.
func (p Policy) Backoff(failed int, retryAfter time.Duration, jitter float64) time.Duration {
	p = p.withDefaults()
	step := p.MaxBackoff
	// Compared in floating point: 1 s doubled 63 times does not fit a Duration.
	if f := float64(p.MinBackoff) * math.Pow(2, float64(max(failed, 1)-1)); f < float64(p.MaxBackoff) {
		step = time.Duration(f)
	}
	wait := step/2 + time.Duration(jitter*float64(step-step/2))
	return max(wait, min(retryAfter, p.MaxRetryAfter))
}

// Exhausted says why a message is given up that has failed the given number of
// times and whose next attempt would be made at the given age; "" if it is not
// given up.
func (p Policy) Exhausted(failed int, age time.Duration) string {
	p = p.withDefaults()
	switch {
	case p.MaxAttempts > 0 && failed >= p.MaxAttempts:
		return "no attempts left"
	case age > p.MaxAge:
		return "no time left"
	}
	return ""
}

// bucket is a token bucket that limits attempts. A negative rate means no limit.
type bucket struct {
	rate   float64   // tokens a second
	burst  float64   // tokens that a rested bucket holds
	tokens float64   // tokens left at the time at; negative: attempts wait for theirs
	at     time.Time // of the latest take
}

// take spends one token and returns how long to wait before using it.
func (b *bucket) take(now time.Time) time.Duration {
	if b.rate < 0 {
		return 0
	}
	if b.at.IsZero() {
		b.tokens = b.burst
	} else if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(b.burst, b.tokens+passed.Seconds()*b.rate)
	}
	// A clock that steps back must not stop deliveries, so it only restarts
	// the count from here.
	b.at = now
	b.tokens--
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / b.rate * float64(time.Second))
}
