package notify

import (
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// Message is one alert on its way to one destination. Times are of the wall
// clock.
type Message struct {
	Alert     *alerting.Alert
	Raised    time.Time // when the alert was written; Policy.MaxAge counts from it
	HeldUntil time.Time // the message is not sent before, see Deliverer.HoldUntil; zero: it is not held
	Reference string    // what the receiver calls the episode's message, see Updater; Deliverer.Attempt keeps it up to date
	Attempts  int       // attempts that have failed, of the part that is being sent; Deliverer.Attempt counts them

	parts    int       // how many parts of the message the receiver has taken
	due      time.Time // after a failed attempt: when the next one is made
	urgent   bool      // the alert is critical, or a critical one of its episode stands behind it
	previous *Message  // the message of the same episode that must be done first; nil: none
	next     *Message  // the message of the same episode that waits for this one; nil: none
}

// Begun reports whether the receiver was sent the message, or a part of it.
func (m *Message) Begun() bool { return m.Attempts > 0 || m.parts > 0 }

// MaxFailing is how many messages of one destination are in retry at the same
// time. Up to that many messages that a receiver cannot digest delay no other.
// When that many fail, the destination is taken to be down: only critical
// messages get a first attempt then, so that it is not hammered with the rest.
const MaxFailing = 16

// Queue holds the messages of one destination that are not done, and says which
// one is next. The messages of an episode are done in the order in which they
// were added, so that a close never overtakes its open; an episode that is held
// or fails does not delay the others. A critical message goes first, together
// with the messages that stand before it in its episode, and is never held.
//
// A Queue reads no clock and is not safe for concurrent use. The zero value is
// empty.
type Queue struct {
	list   []*Message          // in the order in which they were added
	last   map[string]*Message // the newest message of each episode, by dedup key
	paused time.Time           // the receiver asked not to be called until then
}

// Len returns how many messages are not done.
func (q *Queue) Len() int { return len(q.list) }

// Add takes in a message. The messages of an episode must be added in the order
// of the outbox.
func (q *Queue) Add(m *Message) {
	if q.last == nil {
		q.last = map[string]*Message{}
	}
	if previous := q.last[m.Alert.DedupKey]; previous != nil {
		m.previous, previous.next = previous, m
	}
	q.last[m.Alert.DedupKey] = m
	q.list = append(q.list, m)
	if m.Alert.Severity == episode.Critical {
		for p := m; p != nil; p = p.previous {
			p.urgent, p.HeldUntil = true, time.Time{}
		}
	}
}

// Next returns the message to send now. If there is none, it returns nil and how
// long to wait for one; the wait is negative if nothing will be due unless a
// message is added or done.
func (q *Queue) Next(now time.Time) (m *Message, wait time.Duration) {
	down := q.failing(nil) >= MaxFailing
	var best *Message
	wait = -1
	for _, m := range q.list {
		if m.previous != nil || !m.Begun() && down && !m.urgent {
			continue
		}
		at := later(m.due, later(m.HeldUntil, q.paused))
		if d := at.Sub(now); d > 0 {
			if wait < 0 || d < wait {
				wait = d
			}
			continue
		}
		if best == nil || m.urgent && !best.urgent {
			best = m
		}
	}
	if best != nil {
		return best, 0
	}
	return nil, wait
}

// failing counts the messages that have failed and are not done, but for one.
func (q *Queue) failing(except *Message) (n int) {
	for _, m := range q.list {
		if m.Attempts > 0 && m != except {
			n++
		}
	}
	return n
}

// Retry makes a message that has failed due again after the wait. retryAfter is
// how long the receiver asked not to be called at all; 0 if it did not ask.
func (q *Queue) Retry(m *Message, now time.Time, wait, retryAfter time.Duration) {
	m.due = now.Add(wait)
	if retryAfter > 0 {
		q.paused = later(q.paused, now.Add(retryAfter))
	}
}

// Done takes a message out, however its delivery ended. answered says that the
// receiver took or refused it, so it works: if it seemed to be down, all that
// failed meanwhile is due at once.
func (q *Queue) Done(m *Message, answered bool) {
	seemedDown := q.failing(m) >= MaxFailing-1
	q.list = slices.DeleteFunc(q.list, func(other *Message) bool { return other == m })
	if m.next != nil {
		m.next.previous = nil
	} else {
		delete(q.last, m.Alert.DedupKey)
	}
	if !answered || !seemedDown {
		return
	}
	for _, other := range q.list {
		other.due = time.Time{}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
