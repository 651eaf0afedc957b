package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/lab"
	"github.com/weirhq/weir/stream"
)

// injectResult is what came of one leak under one configuration: a line of
// stdout with -o json.
type injectResult struct {
	Kind       lab.Kind      `json:"kind"`
	Rate       string        `json:"rate"`
	Dimension  string        `json:"dimension"`
	Start      alerting.Time `json:"start"`
	Days       float64       `json:"days"`
	Tried      int           `json:"tried"`
	Caught     int           `json:"caught"`
	Median     float64       `json:"median_delay_hours,omitempty"` // of the caught
	Chance     float64       `json:"chance"`                       // share of Comparable that raise an alert then without any leak
	Comparable int           `json:"comparable"`
	Outcomes   []lab.Outcome `json:"outcomes"`
}

// injectSummary is the last line on stderr with -o json.
type injectSummary struct {
	Events int64   `json:"events"`
	Days   float64 `json:"days"`
	Opened int64   `json:"opened"` // in the log as it is
	Leaks  int     `json:"leaks"`
	Tried  int     `json:"tried"`
	Caught int     `json:"caught"`
	Error  string  `json:"error,omitempty"`
}

// runInject is weir backtest --inject.
func runInject(ctx context.Context, cmd *cobra.Command, o *backtestOptions) error {
	summary := injectSummary{}
	results, err := injectFiles(ctx, cmd, o, &summary)
	for _, r := range results {
		summary.Tried += r.Tried
		summary.Caught += r.Caught
		if o.output == "json" {
			line, _ := json.Marshal(r) // a struct of numbers and strings always marshals
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n", line)
		} else {
			r.print(cmd.OutOrStdout())
		}
	}
	if err != nil {
		summary.Error = err.Error()
	}
	if o.output == "json" {
		line, _ := json.Marshal(summary)
		fmt.Fprintf(cmd.ErrOrStderr(), "%s\n", line)
		err = told(err)
	} else if err == nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s events in %.0f days; %s episodes open in the log as it is\n",
			alerting.Group(summary.Events), summary.Days, alerting.Group(summary.Opened))
	}
	if err == nil && o.exitCode && summary.Caught < summary.Tried {
		return exitError(3)
	}
	return err
}

func injectFiles(ctx context.Context, cmd *cobra.Command, o *backtestOptions, summary *injectSummary) ([]injectResult, error) {
	leaks, err := parseLeaks(o.inject)
	if err != nil {
		return nil, err
	}
	summary.Leaks = len(leaks)
	cfg, err := loadConfig(o.config)
	if err != nil {
		return nil, err
	}
	s, err := newSettings(cfg)
	if err != nil {
		return nil, err
	}
	format, err := files.LoadFormat(o.format)
	if err != nil {
		return nil, usagef("%w", err)
	}
	log := &logFiles{names: o.files, format: format}
	if err := log.repeatable("--inject"); err != nil {
		return nil, err
	}
	x := newExperiment(log, leaks, newProgress(cmd.ErrOrStderr()))
	defer x.progress.clear()
	calm, err := x.calm(ctx, s)
	if err != nil {
		return nil, err
	}
	summary.Events, summary.Days, summary.Opened = calm.summary.Events, calm.days(), calm.summary.Opened
	return x.inject(ctx, s, calm)
}

func parseLeaks(texts []string) ([]lab.Leak, error) {
	var leaks []lab.Leak
	for _, text := range texts {
		l, err := lab.ParseLeak(text)
		if err != nil {
			return nil, usagef("%w", err)
		}
		leaks = append(leaks, l)
	}
	return leaks, nil
}

// experiment tries leaks on a log, under one configuration after the other.
type experiment struct {
	log      eventLog
	leaks    []lab.Leak
	profiles []*lab.Profile // one for each leak, made by the first calm run
	progress *progress
}

func newExperiment(log eventLog, leaks []lab.Leak, p *progress) *experiment {
	return &experiment{log: log, leaks: leaks, progress: p}
}

// calmRun is the log as it is, under one configuration.
type calmRun struct {
	*backtest
	alerts   []alerting.Alert
	profiles []*lab.Profile // still to be filled
}

func (c *calmRun) event(src stream.Source, ev *event.Event) bool {
	if !c.backtest.event(src, ev) {
		return false
	}
	for _, p := range c.profiles {
		p.Observe(ev)
	}
	return true
}

// days is the length of the log.
func (c *calmRun) days() float64 {
	return c.summary.To.Std().Sub(c.summary.From.Std()).Hours() / 24
}

// calm reads the log as it is. The first time it also learns what the leaks are
// planned from.
func (x *experiment) calm(ctx context.Context, s *settings) (*calmRun, error) {
	c := &calmRun{backtest: newBacktest(s, x.log, x.progress)}
	c.alert = func(a *alerting.Alert) error {
		c.alerts = append(c.alerts, *a)
		return nil
	}
	if x.profiles == nil {
		for i := range x.leaks {
			dim, err := dimensionOf(s, x.leaks[i].Dimension)
			if err != nil {
				return nil, err
			}
			c.profiles = append(c.profiles, lab.NewProfile(dim, s.hasher, x.leaks[i].Seed))
		}
	}
	if err := x.log.each(ctx, c); err != nil {
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

func dimensionOf(s *settings, name string) (event.Dimension, error) {
	var names []string
	for _, d := range s.config.Dimensions {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return event.Dimension{}, usagef("the leak's IDENTITY is of the dimension %q, which the configuration does not have; it has %v", name, names)
}

// inject tries every leak with each of its identities.
func (x *experiment) inject(ctx context.Context, s *settings, calm *calmRun) ([]injectResult, error) {
	var results []injectResult
	for i := range x.leaks {
		r, err := x.try(ctx, s, calm, &x.leaks[i], x.profiles[i])
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

func (x *experiment) try(ctx context.Context, s *settings, calm *calmRun, l *lab.Leak, p *lab.Profile) (injectResult, error) {
	identities, err := p.Choose(l)
	if err != nil {
		return injectResult{}, err
	}
	comparable := p.Qualifying(l)
	r := injectResult{
		Kind: l.Kind, Rate: l.Rate.String(), Dimension: l.Dimension, Days: l.Length.Hours() / 24,
		Chance: p.Chance(l, comparable, calm.alerts), Comparable: len(comparable),
	}
	var delays []float64
	for _, id := range identities {
		plan, err := p.Plan(l, id, s.config.Dimensions)
		if err != nil {
			return r, err
		}
		run := &leakRun{backtest: newBacktest(s, x.log, x.progress), plan: plan}
		run.alert = func(a *alerting.Alert) error {
			run.alerts = append(run.alerts, *a)
			return nil
		}
		if err := x.log.each(ctx, run); err != nil {
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

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Clone(list)
	sort.Float64s(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// leakRun is the log with a leak in it. The leak's events come in by the source
// that spoke first, each before the first of its events that is later.
type leakRun struct {
	*backtest
	plan   *lab.Plan
	source *stream.Source
	alerts []alerting.Alert
}

func (r *leakRun) event(src stream.Source, ev *event.Event) bool {
	if r.source == nil {
		r.source = &src
	}
	if src == *r.source {
		r.add(src, ev.Time)
	}
	r.plan.Observe(ev)
	return r.backtest.event(src, ev)
}

func (r *leakRun) add(src stream.Source, now int64) {
	for ev := r.plan.Due(now); ev != nil; ev = r.plan.Due(now) {
		r.backtest.event(src, ev)
	}
}

func (r *leakRun) ended(src stream.Source) {
	if r.source != nil && src == *r.source {
		r.add(src, r.plan.To)
	}
	r.backtest.ended(src)
}

func (r *leakRun) flush(last bool) error {
	if err := r.backtest.flush(last); err != nil {
		return err
	}
	if r.plan.Over(int64(r.summary.To)) {
		return errEnough
	}
	return nil
}

// print writes the result as a table.
func (r *injectResult) print(w io.Writer) {
	fmt.Fprintf(w, "%s %s from %s for %g days\n", r.Kind, r.Rate, r.Start.Std().Format("2006-01-02 15:04 MST"), r.Days)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  %s\tcaught\tafter\tgone by then\tby\n", r.Dimension)
	for _, o := range r.Outcomes {
		after, by := "", "-"
		caught := "no"
		if o.Caught {
			caught, after, by = "yes", hours(o.Delay), fmt.Sprintf("%s (%s)", o.By, o.Why)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s of %s\t%s\n", alerting.Printable(o.Identity, 60), caught, after, alerting.Group(o.Gone), alerting.Group(o.Taken), alerting.Printable(by, 80))
	}
	t.Flush()
	fmt.Fprintf(w, "  %d of %d caught", r.Caught, r.Tried)
	if r.Caught > 0 {
		fmt.Fprintf(w, ", median %s", hours(r.Median))
	}
	fmt.Fprintf(w, "; by chance %.0f %% (of %s such %ss, in those days, without a leak)\n\n", 100*r.Chance, alerting.Group(int64(r.Comparable)), r.Dimension)
}

// hours writes a delay: minutes below two hours, else hours.
func hours(h float64) string {
	if h < 2 {
		return fmt.Sprintf("%.0f min", h*60)
	}
	return fmt.Sprintf("%.1f h", h)
}
