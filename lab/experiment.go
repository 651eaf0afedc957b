package lab

import (
	"context"
	"slices"
	"sort"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream"
)

// Result is what came of one leak under one configuration; weir backtest
// --inject -o json writes it as a line of stdout.
type Result struct {
	Kind       Kind          `json:"kind"`
	Rate       string        `json:"rate"`
	Dimension  string        `json:"dimension"`
	Start      alerting.Time `json:"start"`
	Days       float64       `json:"days"`
	Tried      int           `json:"tried"`
	Caught     int           `json:"caught"`
	Median     float64       `json:"median_delay_hours,omitempty"` // of the caught
	Chance     float64       `json:"chance"`                       // share of Comparable that raise an alert then without any leak
	Comparable int           `json:"comparable"`
	Outcomes   []Outcome     `json:"outcomes"`
}

// Trial is what one configuration comes to; weir tune -o json writes it as a line
// of stdout.
type Trial struct {
	Settings  string   `json:"settings"` // what was tried; empty: the configuration as it is
	PerDay    float64  `json:"alerts_per_day"`
	FirstWeek float64  `json:"alerts_per_day_first_week"`
	Opened    int64    `json:"opened"` // on the log as it is
	Leaks     []Result `json:"leaks"`
}

// Experiment tries leaks on a log, under one configuration after the other.
type Experiment struct {
	log      backtest.Log
	leaks    []Leak
	profiles []*Profile // one for each leak, made by the first calm run
	progress *progress.Line
}

// NewExperiment returns an experiment that has not begun.
func NewExperiment(log backtest.Log, leaks []Leak, p *progress.Line) *Experiment {
	return &Experiment{log: log, leaks: leaks, progress: p}
}

// CalmRun is a pass over the log as it is, under one configuration.
type CalmRun struct {
	*backtest.Run
	Alerts []alerting.Alert

	profiles []*Profile // still to be filled
}

// newCalmRun returns a pass that has not begun and fills the profiles.
func newCalmRun(s *settings.Settings, log backtest.Log, p *progress.Line, profiles ...*Profile) *CalmRun {
	c := &CalmRun{Run: backtest.NewRun(s, log, p), profiles: profiles}
	c.Alert = func(a *alerting.Alert) error {
		c.Alerts = append(c.Alerts, *a)
		return nil
	}
	return c
}

// Event takes in one event and reports whether it moves its source on.
func (c *CalmRun) Event(src stream.Source, ev *event.Event) bool {
	if !c.Run.Event(src, ev) {
		return false
	}
	for _, p := range c.profiles {
		p.Observe(ev)
	}
	return true
}

// Days returns the length of the log, in days.
func (c *CalmRun) Days() float64 {
	return c.Summary.To.Std().Sub(c.Summary.From.Std()).Hours() / 24
}

// perDay returns how many episodes a day opened after the first week of the log,
// and in it.
func (c *CalmRun) perDay() (after, first float64) {
	const week = 7
	end := c.Summary.From + week*alerting.Time(eventtime.Day)
	for i := range c.Alerts {
		switch a := &c.Alerts[i]; {
		case a.Status != alerting.Open:
		case a.Time < end:
			first++
		default:
			after++
		}
	}
	days := c.Days()
	if days <= week {
		return 0, first / max(days, 1)
	}
	return after / (days - week), first / week
}

// Calm reads the log as it is. The first time it also learns what the leaks are
// planned from. A leak of a dimension that the settings lack is a usage.Error.
func (x *Experiment) Calm(ctx context.Context, s *settings.Settings) (*CalmRun, error) {
	c := newCalmRun(s, x.log, x.progress)
	if x.profiles == nil {
		for i := range x.leaks {
			dim, ok := s.Dimension(x.leaks[i].Dimension)
			if !ok {
				return nil, usage.Errorf("the leak's IDENTITY is of the dimension %q, which the configuration does not have; it has %v", x.leaks[i].Dimension, s.Detect.Dimensions)
			}
			c.profiles = append(c.profiles, NewProfile(dim, s.Hasher, x.leaks[i].Seed))
		}
	}
	if err := x.log.Read(ctx, c); err != nil {
		return nil, err
	}
	for _, p := range c.profiles {
		p.End()
	}
	if x.profiles == nil {
		x.profiles = c.profiles
	}
	return c, nil
}

// Trial tries every leak under the settings. calm is the log as it is, under the
// same settings.
func (x *Experiment) Trial(ctx context.Context, s *settings.Settings, calm *CalmRun) (Trial, error) {
	t := Trial{Opened: calm.Summary.Opened}
	t.PerDay, t.FirstWeek = calm.perDay()
	var err error
	t.Leaks, err = x.Inject(ctx, s, calm)
	return t, err
}

// Inject tries every leak with each of its identities, one at a time. calm is
// the log as it is, under the same settings.
func (x *Experiment) Inject(ctx context.Context, s *settings.Settings, calm *CalmRun) ([]Result, error) {
	var results []Result
	for i := range x.leaks {
		r, err := x.try(ctx, s, calm, &x.leaks[i], x.profiles[i])
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

// try tries one leak with each of its identities.
func (x *Experiment) try(ctx context.Context, s *settings.Settings, calm *CalmRun, l *Leak, p *Profile) (Result, error) {
	identities, err := p.Choose(l)
	if err != nil {
		return Result{}, err
	}
	comparable := p.Qualifying(l)
	r := Result{
		Kind: l.Kind, Rate: l.Rate.String(), Dimension: l.Dimension, Days: l.Length.Hours() / 24,
		Chance: p.Chance(l, comparable, calm.Alerts), Comparable: len(comparable),
	}
	var delays []float64
	for _, id := range identities {
		plan, err := p.Plan(l, id, s.Config.Dimensions)
		if err != nil {
			return r, err
		}
		run := newLeakRun(s, x.log, x.progress, plan)
		if err := x.log.Read(ctx, run); err != nil {
			return r, err
		}
		o := plan.Judge(run.alerts, calm.Alerts)
		r.Start = o.Start
		r.Outcomes = append(r.Outcomes, o)
		r.Tried++
		if o.Caught {
			r.Caught++
			delays = append(delays, o.Delay)
		}
	}
	r.Median = median(delays)
	return r, nil
}

// median returns the median, 0 of an empty list.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Clone(list)
	sort.Float64s(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
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
func (r *leakRun) Event(src stream.Source, ev *event.Event) bool {
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
