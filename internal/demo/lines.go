package demo

import (
	"fmt"
	"io"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/progress"
)

// progressDisplay shows one line of progress, on a terminal only.
type progressDisplay struct{ *progress.Line }

func (p *progressDisplay) alert(*state, *alerting.Alert) {}

func (p *progressDisplay) close() { p.Clear() }

func (p *progressDisplay) frame(s *state) {
	p.Show("%s events read; worked through to %s, %d alerts so far", alerting.Group(s.events), eventClock(s.done()), len(s.alerts))
}

func eventClock(ms int64) string {
	if ms <= 0 {
		return "starting"
	}
	return time.UnixMilli(ms).UTC().Format(timeLayout)
}

// lineDisplay tells everything in plain lines, for pipes and logs.
type lineDisplay struct {
	out io.Writer
	day int64 // last day that has begun, in days since 1970
}

func (l *lineDisplay) close() {}

func (l *lineDisplay) alert(s *state, a *alerting.Alert) {
	l.turn(s, int64(a.Time))
	fmt.Fprintf(l.out, "%s  %-8s  %-6s  %s%s\n", a.Time.Std().Format(timeLayout), a.Severity, a.Status, a.Summary, mark(s, a))
}

// mark tells alerts about the leak from others, as only a demonstration can.
func mark(s *state, a *alerting.Alert) string {
	if s.truth.leakOf(a) >= 0 {
		return "  [the leak]"
	}
	return ""
}

func (l *lineDisplay) frame(s *state) { l.turn(s, s.done()) }

// turn writes a line when a new day of event time has begun.
func (l *lineDisplay) turn(s *state, ms int64) {
	l.day = max(l.day, eventtime.DayOf(s.start.UnixMilli()))
	if eventtime.DayOf(ms) <= l.day {
		return
	}
	l.day = eventtime.DayOf(ms)
	fmt.Fprintf(l.out, "%s  a new day; %s events read, %s identities known\n", eventClock(l.day*eventtime.Day), alerting.Group(s.events), alerting.Group(s.identities))
}
