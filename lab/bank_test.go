package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/lab/rules"
	"github.com/weirhq/weir/stream"
)

// bankAtOnce is how many actors leak in one run: so few of the 68 that they
// hardly change what the fleet is, and it saves hours.
const bankAtOnce = 6

// bankDraws is how often each actor leaks: each time other records of other hours,
// a week later.
const bankDraws = 3

// TestLabBank reports what is caught of leaks added to a real log, the bank's
// that WEIR_BPI2012 names: every qualifying actor in turn, at 1.5, 2, 3 and 5
// times its mean of an active day, records that it has not touched, in its own
// hours, for one of the weeks after two thirds of the log; beside it the rules of
// today at the same realised false alarms. The baselines are those of the past: nothing
// was fitted to this log.
func TestLabBank(t *testing.T) {
	path := os.Getenv("WEIR_BPI2012")
	if path == "" || !long() {
		t.Skip("WEIR_LAB is not set, or WEIR_BPI2012 does not name the bank's log")
	}
	b := newBank(t, path)
	span := b.calm.Summary.To.Std().Sub(time.UnixMilli(b.from)).Hours() / 24 / 365
	years := span * float64(len(b.hourly.Counts))
	opened := 0
	for i := range b.calm.alerts {
		if a := &b.calm.alerts[i]; a.Status == alerting.Open && int64(a.Time) >= b.from {
			opened++
		}
	}
	low, high := rules.Interval(opened)
	t.Logf("%d actors; test period %.0f days", len(b.hourly.Counts), span*365)
	t.Logf("false alarms of weir on the log as it is: %d, %.1f per actor-year (95 %%: %.1f to %.1f), %.2f a day at a budget of 2",
		opened, float64(opened)/years, low/years, high/years, float64(opened)/(span*365))
	draws := b.draws(t)
	t.Logf("| detector | false per actor-year | 1.5x | 2x | 3x | 5x | by chance | median delay at 3x |")
	t.Logf("|---|---|---|---|---|---|---|---|")
	line := fmt.Sprintf("| weir | %.1f |", float64(opened)/years)
	delay := ""
	for _, rate := range bankRates {
		var each []string
		caught, tried := 0, 0
		var delays []float64
		for i := range draws {
			n, of, after := b.weir(t, rate, &draws[i])
			caught, tried, delays = caught+n, tried+of, append(delays, after...)
			each = append(each, fmt.Sprintf("%d of %d", n, of))
		}
		t.Logf("at %gx: %s", rate, strings.Join(each, ", "))
		line += fmt.Sprintf(" %.0f %% |", 100*float64(caught)/float64(tried))
		if rate == 3 {
			delay = FormatDelay(median(delays))
		}
	}
	t.Logf("%s %.0f %% | %s |", line, 100*b.chance(draws), delay)
	for _, rule := range rules.All() {
		rows := b.scores(rule, nil)
		equal := rules.ThresholdFor(rows, opened, b.start())
		b.rule(t, rule, equal, years, draws, rows, fmt.Sprintf("%s, c = %.3g (equal false alarms)", rule.Name, equal))
		b.rule(t, rule, rule.Customary, years, draws, rows, fmt.Sprintf("%s, c = %g", rule.Name, rule.Customary))
	}
}

// bankRates are how much the leaks take, times an active day's mean.
var bankRates = []float64{1.5, 2, 3, 5}

// bankDraw is one leak of every actor that qualifies for its week.
type bankDraw struct {
	leak   Leak
	start  int // hour in which it begins, as an index
	actors []string
	plans  map[float64][]*Plan // by rate
}

// bank is the log as it is, and what leaks are planned from.
type bank struct {
	path    string
	s       *settings.Settings
	calm    *calmRun
	hourly  *rules.Hourly
	profile *Profile
	leak    Leak
	from    int64 // ms, begin of the test period
}

// newBank reads the log as it is.
func newBank(t *testing.T, path string) *bank {
	t.Helper()
	cfg := config.Default()
	cfg.Dimensions = event.DefaultDimensions()[:1]
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Time.Zone = zone
	b := &bank{path: path}
	if b.s, err = settings.New(cfg); err != nil {
		t.Fatal(err)
	}
	if b.leak, err = ParseLeak("RATE=2x,COUNT=10000"); err != nil {
		t.Fatal(err)
	}
	b.hourly = rules.NewHourly(cfg.Dimensions[0], b.s.Hasher)
	b.profile = NewProfile(cfg.Dimensions[0], b.s.Hasher, 1)
	b.calm = newCalmRun(b.s, b.log(t), &progress.Line{}, b.profile)
	if err := b.log(t).Read(context.Background(), &bankCounter{b.calm, b.hourly}); err != nil {
		t.Fatal(err)
	}
	b.profile.End()
	if b.from, _, err = b.profile.Window(&b.leak); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bank) log(t *testing.T) *backtest.Files {
	t.Helper()
	format, err := files.LoadFormat("native")
	if err != nil {
		t.Fatal(err)
	}
	return &backtest.Files{Names: []string{b.path}, Format: format}
}

// bankCounter counts by the hour beside a calm run.
type bankCounter struct {
	*calmRun
	hourly *rules.Hourly
}

func (c *bankCounter) Event(src stream.Source, ev *event.Event) int64 {
	c.hourly.Observe(ev)
	return c.calmRun.Event(src, ev)
}

// start is the hour of the test period's begin, as an index.
func (b *bank) start() int { return b.hour(b.from) }

func (b *bank) hour(ms int64) int { return int(ms/3_600_000 - b.hourly.First) }

// draws places the leaks.
func (b *bank) draws(t *testing.T) (list []bankDraw) {
	t.Helper()
	for i := range bankDraws {
		d := bankDraw{leak: b.leak, plans: map[float64][]*Plan{}}
		d.leak.Seed = uint64(i + 1)
		d.leak.Start = time.UnixMilli(b.from).AddDate(0, 0, 7*i)
		d.start = b.hour(d.leak.Start.UnixMilli())
		var err error
		if d.actors, err = b.profile.Choose(&d.leak); err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

// weir runs every actor's leak of a draw, a few at once, and keeps the plans.
func (b *bank) weir(t *testing.T, rate float64, d *bankDraw) (caught, tried int, delays []float64) {
	t.Helper()
	groups := (len(d.actors) + bankAtOnce - 1) / bankAtOnce
	for g := range groups {
		l := d.leak
		l.Rate = Rate{Times: rate}
		run := &bankRun{Run: backtest.NewRun(b.s, b.log(t), &progress.Line{})}
		run.Alert = func(a *alerting.Alert) error {
			run.alerts = append(run.alerts, *a)
			return nil
		}
		for i := g; i < len(d.actors); i += groups {
			plan, err := b.profile.Plan(&l, d.actors[i], b.s.Config.Dimensions)
			if err != nil {
				t.Fatal(err)
			}
			run.plans = append(run.plans, plan)
		}
		if err := b.log(t).Read(context.Background(), run); err != nil {
			t.Fatal(err)
		}
		for _, plan := range run.plans {
			tried++
			if o := plan.Judge(run.alerts, b.calm.alerts); o.Caught {
				caught++
				delays = append(delays, o.Delay)
			}
		}
		d.plans[rate] = append(d.plans[rate], run.plans...)
	}
	return caught, tried, delays
}

// chance is the share of the actors that alert in a leak's week as it is.
func (b *bank) chance(draws []bankDraw) (share float64) {
	for i := range draws {
		share += b.profile.Chance(&draws[i].leak, draws[i].actors, b.calm.alerts) / float64(len(draws))
	}
	return share
}

// bankRun is the log with several leaks in it.
type bankRun struct {
	*backtest.Run
	plans  []*Plan
	alerts []alerting.Alert
}

func (r *bankRun) Event(src stream.Source, ev *event.Event) int64 {
	for _, p := range r.plans {
		for due := p.Due(ev.Time); due != nil; due = p.Due(ev.Time) {
			r.Run.Event(src, due)
		}
		p.Observe(ev)
	}
	return r.Run.Event(src, ev)
}

func (r *bankRun) Flush(last bool) error {
	if err := r.Run.Flush(last); err != nil {
		return err
	}
	if r.plans[0].Over(int64(r.Summary.To)) {
		return backtest.ErrEnough
	}
	return nil
}

// scores are those of every actor as it is, or of the plans' with their leaks.
func (b *bank) scores(rule rules.Rule, plans []*Plan) (rows [][]float64) {
	if plans == nil {
		for id := range b.hourly.Counts {
			rows = append(rows, rule.Score(b.hourly.Row(id, nil)))
		}
		return rows
	}
	for _, p := range plans {
		rows = append(rows, rule.Score(b.hourly.Row(p.Identity, p.Taken())))
	}
	return rows
}

// rule prints the line of a rule at a threshold.
func (b *bank) rule(t *testing.T, rule rules.Rule, threshold, years float64, draws []bankDraw, calm [][]float64, name string) {
	t.Helper()
	wrong := 0
	for _, row := range calm {
		wrong += len(rules.Alarms(row, threshold, b.start()))
	}
	caught := func(rows [][]float64, start int) (n int, delays []float64) {
		for _, row := range rows {
			if at := rules.Alarms(row[:min(start+8*24, len(row))], threshold, start); len(at) > 0 {
				n++
				delays = append(delays, float64(at[0]-start))
			}
		}
		return n, delays
	}
	line := fmt.Sprintf("| %s | %.1f |", name, float64(wrong)/years)
	delay := "-"
	for _, rate := range bankRates {
		n, of := 0, 0
		var delays []float64
		for i := range draws {
			d := &draws[i]
			k, after := caught(b.scores(rule, d.plans[rate]), d.start)
			n, of, delays = n+k, of+len(d.plans[rate]), append(delays, after...)
		}
		line += fmt.Sprintf(" %.0f %% |", 100*float64(n)/float64(max(of, 1)))
		if rate == 3 && n > 0 {
			delay = FormatDelay(median(delays))
		}
	}
	luck, of := 0, 0
	for i := range draws {
		var asIs [][]float64
		for _, id := range draws[i].actors {
			asIs = append(asIs, rule.Score(b.hourly.Row(id, nil)))
		}
		n, _ := caught(asIs, draws[i].start)
		luck, of = luck+n, of+len(asIs)
	}
	t.Logf("%s %.0f %% | %s |", line, 100*float64(luck)/float64(of), delay)
}
