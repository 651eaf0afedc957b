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
	day int64 // last day that was told
}

func (l *demoLines) close() {}

func (l *demoLines) alert(s *demoState, a *alerting.Alert) {
	fmt.Fprintf(l.out, "%s  %-8s  %-6s  %s%s\n", a.Time.Std().Format(demoTime), a.Severity, a.Status, a.Summary, mark(s, a))
}

// mark tells alerts about the leak from others, as only a demonstration can.
func mark(s *demoState, a *alerting.Alert) string {
	if s.truth.leakOf(a) >= 0 {
		return "  [the leak]"
	}
	return ""
}

// frame writes a line when a day of event time has been worked through.
func (l *demoLines) frame(s *demoState) {
	const day = 24 * 3600 * 1000
	if s.done() <= 0 || s.done()/day <= l.day {
		return
	}
	l.day = s.done() / day
	fmt.Fprintf(l.out, "%s  %s events read, %s identities known\n", eventClock(l.day*day), alerting.Group(s.events), alerting.Group(s.identities))
}
