package notify

import (
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
)

// Hold says how long a message waits so that people are disturbed less. That
// follows from the alert, the time and the configuration; a critical alert never
// waits, nor does a change of the configuration itself.
type Hold struct {
	// Quiet are the hours in which only grave alerts come through; nil: none.
	Quiet *Quiet
	// Group is the length of the intervals by which messages are gathered: a
	// message that is raised within an interval waits for the interval's end.
	// Intervals begin at whole multiples of Group since 1970 in UTC. 0: none.
	Group time.Duration
}

// Quiet is a daily span of local time, the quiet hours.
type Quiet struct {
	From, To time.Duration    // since midnight, 0 to 24 h; a span whose To is not after From ends on the next day
	Days     []time.Weekday   // the days on which the span begins; empty: every day
	Location *time.Location   // nil: UTC
	Below    episode.Severity // alerts that are milder than this are held; 0: Critical
}

// Until returns the time before which an alert is not to be sent that was raised
// at the given time of the wall clock; that time itself where nothing holds it.
func (h *Hold) Until(a *alerting.Alert, raised time.Time) time.Time {
	if h == nil || a.Severity == episode.Critical || a.Fact == fact.SettingsChanged {
		return raised
	}
	until := raised
	if h.Group > 0 {
		if begin := raised.UTC().Truncate(h.Group); !begin.Equal(raised) {
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

// end returns the end of the quiet span that t lies in, or t if it lies in none.
// Midnight and the ends come from the calendar, so that the quiet hours of a day
// of 23 or 25 hours are those of the clock on the wall. Spans that touch count as
// one.
func (q *Quiet) end(t time.Time) time.Time {
	loc := q.Location
	if loc == nil {
		loc = time.UTC
	}
	for range 8 { // the longest that spans which touch can last is a week, unless they last always
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

// clock returns the time at which a clock on the wall shows the given time since
// midnight on that day.
func clock(y int, m time.Month, d int, since time.Duration, loc *time.Location) time.Time {
	return time.Date(y, m, d, int(since/time.Hour), int(since%time.Hour/time.Minute), int(since%time.Minute/time.Second), 0, loc)
}
