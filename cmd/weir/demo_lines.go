package main

import (
	"fmt"
	"io"
	"time"

	"github.com/weirhq/weir/alerting"
)

// demoProgress shows one line of progress, on a terminal only.
type demoProgress struct{ *progress }

func (p *demoProgress) alert(*demoState, *alerting.Alert) {}
func (p *demoProgress) close()                            { p.clear() }

func (p *demoProgress) frame(s *demoState) {
	p.show("%s events read; worked through to %s, %d alerts so far", alerting.Group(s.events), eventClock(s.done()), len(s.alerts))
}

func eventClock(ms int64) string {
	if ms <= 0 {
		return "starting"
	}
	return time.UnixMilli(ms).UTC().Format(demoTime)
}

// demoLines tells everything in plain lines, for pipes and logs.
type demoLines struct {
	out io.Writer
	day int64 // last day that has begun, in days since 1970
}

func (l *demoLines) close() {}

func (l *demoLines) alert(s *demoState, a *alerting.Alert) {
	l.turn(s, int64(a.Time))
	fmt.Fprintf(l.out, "%s  %-8s  %-6s  %s%s\n", a.Time.Std().Format(demoTime), a.Severity, a.Status, a.Summary, mark(s, a))
}

// mark tells alerts about the leak from others, as only a demonstration can.
func mark(s *demoState, a *alerting.Alert) string {
	if s.truth.leakOf(a) >= 0 {
		return "  [the leak]"
	}
	return ""
}

func (l *demoLines) frame(s *demoState) { l.turn(s, s.done()) }

// turn writes a line when a new day of event time has begun.
func (l *demoLines) turn(s *demoState, ms int64) {
	l.day = max(l.day, s.start.UnixMilli()/dayMillis)
	if ms/dayMillis <= l.day {
		return
	}
	l.day = ms / dayMillis
	fmt.Fprintf(l.out, "%s  a new day; %s events read, %s identities known\n", eventClock(l.day*dayMillis), alerting.Group(s.events), alerting.Group(s.identities))
}
