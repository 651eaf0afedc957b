package notify

import (
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// Letter is one alert on its way to one destination.
type Letter struct {
	Alert     *alerting.Alert
	Raised    time.Time // wall clock, when the alert was written; Policy.MaxAge counts from it
	Hold      time.Time // not to be sent before, see Deliverer.HoldUntil; zero: not held
	Reference string    // of the episode's message, see Referrer; Deliverer.Try keeps it
	Attempts  int       // that have failed; Deliverer.Try counts

	due    time.Time // of the next attempt, after a failed one
	urgent bool      // critical, or before a critical one of its episode
	before *Letter   // of the same episode, not done yet
	after  *Letter
}

// MaxFailing is how many messages of one destination are tried again and again
// at the same time. Up to so many that a receiver cannot digest delay no other;
// when so many fail the destination is taken to be down, and only critical
// messages get a first attempt, so that it is not hammered with the rest.
const MaxFailing = 16

// Queue holds the messages of one destination that are not done and says which
// one is next: the order of an episode is kept, so that a close never overtakes
// its open, and an episode that is held or fails does not delay the others.
// What is critical goes first, together with what stands before it in its
// episode, and is never held.
//
// It reads no clock and is not safe for concurrent use. The zero value is empty.
type Queue struct {
	list   []*Letter // in the order in which they came
	last   map[string]*Letter
	paused time.Time // the receiver asked for quiet until then
}

// Len returns how many messages are not done.
func (q *Queue) Len() int { return len(q.list) }

// Add takes in a message; those of an episode come in the order of the outbox.
func (q *Queue) Add(m *Letter) {
	if q.last == nil {
		q.last = map[string]*Letter{}
	}
	if before := q.last[m.Alert.DedupKey]; before != nil {
		m.before, before.after = before, m
	}
	q.last[m.Alert.DedupKey] = m
	q.list = append(q.list, m)
	if m.Alert.Severity == episode.Critical {
		for b := m; b != nil; b = b.before {
			b.urgent, b.Hold = true, time.Time{}
		}
	}
}

// Next returns the message to send now. If there is none it returns nil and how
// long to wait for one, or a negative wait if nothing will be due unless
// something is added or done.
func (q *Queue) Next(now time.Time) (m *Letter, wait time.Duration) {
	failing := 0
	for _, m := range q.list {
		if m.Attempts > 0 {
			failing++
		}
	}
	var best *Letter
	wait = -1
	for _, m := range q.list {
		if m.before != nil || m.Attempts == 0 && failing >= MaxFailing && !m.urgent {
			continue
		}
		at := later(m.due, later(m.Hold, q.paused))
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

// Again puts a message back that has failed and is tried again after the wait.
// asked is how long the receiver asked not to be called at all; 0 if it did not.
func (q *Queue) Again(m *Letter, now time.Time, wait, asked time.Duration) {
	m.due = now.Add(wait)
	if asked > 0 {
		q.paused = later(q.paused, now.Add(asked))
	}
}

// Done takes a message out, whatever became of it. taken tells that the
// receiver answered as one that works; what failed while it seemed to be down
// is due again at once then.
func (q *Queue) Done(m *Letter, taken bool) {
	failing := 0
	for _, other := range q.list {
		if other.Attempts > 0 && other != m {
			failing++
		}
	}
	q.list = slices.DeleteFunc(q.list, func(other *Letter) bool { return other == m })
	if m.after != nil {
		m.after.before = nil
	} else {
		delete(q.last, m.Alert.DedupKey)
	}
	if !taken || failing < MaxFailing-1 {
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
