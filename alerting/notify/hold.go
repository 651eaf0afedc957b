package notify

import (
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// Hold says how long a message may wait so that people are disturbed less. It
// is a function of the alert, the moment and the configuration; a critical
// alert never waits.
type Hold struct {
	// Quiet are the hours in which only what is grave enough comes through.
	Quiet *Quiet
	// Group gathers messages: one raised within an interval waits for the
	// interval's end. Intervals are whole multiples since 1970 in UTC. 0: none.
	Group time.Duration
}

// Quiet is a daily span of local time.
type Quiet struct {
	From, To time.Duration    // since midnight, 0 to 24 h; a span with To <= From goes past midnight
	Days     []time.Weekday   // on which it begins; empty: every day
	Location *time.Location   // nil: UTC
	Below    episode.Severity // holds what is less grave; 0: Critical
}

// Until returns the time before which the message is not to be sent; at itself
// where nothing holds it. at is when the alert was raised, by the wall clock.
func (h *Hold) Until(a *alerting.Alert, at time.Time) time.Time {
	if h == nil || a.Severity == episode.Critical {
		return at
	}
	until := at
	if h.Group > 0 {
		if begin := at.UTC().Truncate(h.Group); !begin.Equal(at) {
			until = begin.Add(h.Group)
		}
	}
	if h.Quiet != nil && a.Severity < h.Quiet.below() {
		until = h.Quiet.end(until)
	}
	return until
}

func (q *Quiet) below() episode.Severity {
	if q.Below == 0 {
		return episode.Critical
	}
	return q.Below
}

// end returns the end of the quiet span that t lies in, or t. Midnight and the
// ends are taken from the calendar, so that a day of 23 or 25 hours keeps its
// quiet hours by the clock on the wall. Spans that touch are one.
func (q *Quiet) end(t time.Time) time.Time {
	loc := q.Location
	if loc == nil {
		loc = time.UTC
	}
	for range 8 { // a week of spans that touch is the longest there can be but "always"
		next := t
		y, m, d := t.In(loc).Date()
		for _, day := range [...]int{d - 1, d} {
			if !q.on(time.Date(y, m, day, 12, 0, 0, 0, loc).Weekday()) {
				continue
			}
			from, to := clock(y, m, day, q.From, loc), clock(y, m, day, q.To, loc)
			if q.To <= q.From {
				to = clock(y, m, day+1, q.To, loc)
			}
			if !t.Before(from) && t.Before(to) {
				next = to
			}
		}
		if next.Equal(t) {
			break
		}
		t = next
	}
	return t
}

func (q *Quiet) on(day time.Weekday) bool {
	for _, d := range q.Days {
		if d == day {
			return true
		}
	}
	return len(q.Days) == 0
}

// clock returns the moment at which a clock on the wall shows so much since
// midnight of that day.
func clock(y int, m time.Month, d int, since time.Duration, loc *time.Location) time.Time {
	return time.Date(y, m, d, int(since/time.Hour), int(since%time.Hour/time.Minute), int(since%time.Minute/time.Second), 0, loc)
}
