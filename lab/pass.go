package lab

import (
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream"
)

// calmRun is a pass over the log as it is, under one configuration.
type calmRun struct {
	*backtest.Run
	alerts []alerting.Alert
}

// newCalmRun returns a pass that has not begun and fills the profiles.
func newCalmRun(s *settings.Settings, log backtest.Log, p *progress.Line, profiles ...*Profile) *calmRun {
	c := &calmRun{Run: backtest.NewRun(s, log, p)}
	c.Alert = func(a *alerting.Alert) error {
		c.alerts = append(c.alerts, *a)
		return nil
	}
	c.Took = func(ev *event.Event) {
		for _, p := range profiles {
			p.Observe(ev)
		}
	}
	return c
}

// days returns the length of the log, in days.
func (c *calmRun) days() float64 {
	return c.Summary.To.Std().Sub(c.Summary.From.Std()).Hours() / 24
}

// perDay returns how many episodes a day opened after the first week of the log,
// and in it.
func (c *calmRun) perDay() (after, first float64) {
	const week = 7
	end := c.Summary.From + week*alerting.Time(eventtime.Day)
	for i := range c.alerts {
		switch a := &c.alerts[i]; {
		case a.Status != alerting.Open:
		case a.Time < end:
			first++
		default:
			after++
		}
	}
	days := c.days()
	if days <= week {
		return 0, first / max(days, 1)
	}
	return after / (days - week), first / week
}

// openings returns the latest openings, at most MaxOpenings.
func (c *calmRun) openings() []Opening {
	out := []Opening{}
	for i := range c.alerts {
		if a := &c.alerts[i]; a.Status == alerting.Open {
			out = append(out, Opening{a.Time, a.Dimension, a.Identity, a.Severity, a.RestsOn()})
		}
	}
	return out[max(0, len(out)-MaxOpenings):]
}

// leakRun is a pass over the log with a leak in it. The leak's events come in by
// the source that had the first event, each before the first of that source's
// events that is later.
type leakRun struct {
	*backtest.Run
	plan   *Plan
	source *stream.Source // nil: no event has come yet
	alerts []alerting.Alert
}

func newLeakRun(s *settings.Settings, log backtest.Log, p *progress.Line, plan *Plan) *leakRun {
	r := &leakRun{Run: backtest.NewRun(s, log, p), plan: plan}
	r.Alert = func(a *alerting.Alert) error {
		r.alerts = append(r.alerts, *a)
		return nil
	}
	return r
}

// Event takes in one event of the log, after those of the leak that are due.
func (r *leakRun) Event(src stream.Source, ev *event.Event) (reached int64) {
	if r.source == nil {
		r.source = &src
	}
	if src == *r.source {
		r.add(src, ev.Time)
	}
	r.plan.Observe(ev)
	return r.Run.Event(src, ev)
}

func (r *leakRun) add(src stream.Source, now int64) {
	for ev := r.plan.Due(now); ev != nil; ev = r.plan.Due(now) {
		r.Run.Event(src, ev)
	}
}

// End brings the rest of the leak before its source ends.
func (r *leakRun) End(src stream.Source) {
	if r.source != nil && src == *r.source {
		r.add(src, r.plan.To)
	}
	r.Run.End(src)
}

// Flush ends the reading when the leak can no longer be caught.
func (r *leakRun) Flush(last bool) error {
	if err := r.Run.Flush(last); err != nil {
		return err
	}
	if r.plan.Over(int64(r.Summary.To)) {
		return backtest.ErrEnough
	}
	return nil
}
