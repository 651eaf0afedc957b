package lab

import (
	"context"
	"slices"
	"sort"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
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
	Settings  string    `json:"settings"` // what was tried; empty: the configuration as it is
	PerDay    float64   `json:"alerts_per_day"`
	FirstWeek float64   `json:"alerts_per_day_first_week"`
	Opened    int64     `json:"opened"`   // on the log as it is
	Openings  []Opening `json:"openings"` // the latest of them, at most MaxOpenings, in the order of time
	Leaks     []Result  `json:"leaks"`
	Events    int64     `json:"-"` // of the log
	Days      float64   `json:"-"` // length of the log
}

// MaxOpenings bounds the openings that a Trial names.
const MaxOpenings = 100

// Opening is an episode that opened on the log as it is.
type Opening struct {
	Time      alerting.Time    `json:"time"`
	Dimension string           `json:"dimension"`
	Identity  string           `json:"identity"`
	Severity  episode.Severity `json:"severity"`
	Why       string           `json:"why"` // its fact, measure or kind
}

// Experiment tries leaks on a log, under one configuration after the other.
type Experiment struct {
	log      backtest.Log
	leaks    []Leak
	profiles []*Profile // one for each leak, made by the first calm run
	progress *progress.Line
}

// Passes returns how often an experiment of several trials reads the log, at the
// most: once as it is and once more for each identity that a leak is tried with.
func Passes(leaks []Leak, trials int) int {
	n := 1
	for i := range leaks {
		n += leaks[i].Count
	}
	return n * trials
}

// NewExperiment returns an experiment that has not begun.
func NewExperiment(log backtest.Log, leaks []Leak, p *progress.Line) *Experiment {
	return &Experiment{log: log, leaks: leaks, progress: p}
}

// Trial reads the log as it is and then tries every leak with each of its
// identities, one at a time, under the settings. A Trial that comes with an error
// holds what was done before it. A leak of a dimension that the settings lack is
// a usage.Error.
func (x *Experiment) Trial(ctx context.Context, s *settings.Settings) (Trial, error) {
	var t Trial
	calm, err := x.calm(ctx, s)
	if err != nil {
		return t, err
	}
	t.Events, t.Days, t.Opened = calm.Summary.Events, calm.days(), calm.Summary.Opened
	t.PerDay, t.FirstWeek = calm.perDay()
	t.Openings = calm.openings()
	for i := range x.leaks {
		r, err := x.try(ctx, s, calm, &x.leaks[i], x.profiles[i])
		if err != nil {
			return t, err
		}
		t.Leaks = append(t.Leaks, r)
	}
	return t, nil
}

// calm reads the log as it is. The first time it also learns what the leaks are
// planned from.
func (x *Experiment) calm(ctx context.Context, s *settings.Settings) (*calmRun, error) {
	var profiles []*Profile // to be filled
	if x.profiles == nil {
		for i := range x.leaks {
			dim, ok := s.Dimension(x.leaks[i].Dimension)
			if !ok {
				return nil, usage.Errorf("the leak's IDENTITY is of the dimension %q, which the configuration does not have; it has %v", x.leaks[i].Dimension, s.Detect.Dimensions)
			}
			profiles = append(profiles, NewProfile(dim, s.Hasher, x.leaks[i].Seed))
		}
	}
	c := newCalmRun(s, x.log, x.progress, profiles...)
	x.progress.Pass()
	if err := x.log.Read(ctx, c); err != nil {
		return nil, err
	}
	for _, p := range profiles {
		p.End()
	}
	if x.profiles == nil {
		x.profiles = profiles
	}
	return c, nil
}

// try tries one leak with each of its identities.
func (x *Experiment) try(ctx context.Context, s *settings.Settings, calm *calmRun, l *Leak, p *Profile) (Result, error) {
	identities, err := p.Choose(l)
	if err != nil {
		return Result{}, err
	}
	comparable := p.Qualifying(l)
	r := Result{
		Kind: l.Kind, Rate: l.Rate.String(), Dimension: l.Dimension, Days: l.Length.Hours() / 24,
		Chance: p.Chance(l, comparable, calm.alerts), Comparable: len(comparable),
	}
	var delays []float64
	for _, id := range identities {
		plan, err := p.Plan(l, id, s.Config.Dimensions)
		if err != nil {
			return r, err
		}
		run := newLeakRun(s, x.log, x.progress, plan)
		x.progress.Pass()
		if err := x.log.Read(ctx, run); err != nil {
			return r, err
		}
		o := plan.Judge(run.alerts, calm.alerts)
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
