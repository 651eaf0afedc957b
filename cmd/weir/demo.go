package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify/stdout"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
)

// newDemoCommand makes `weir demo`: all of weir on a company that does not
// exist.
func newDemoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo [--once]",
		Short: "See weir find a leak in a simulated company",
		Long: `See weir find a leak, without Kafka and without data of your own.

A small company is simulated: staff, services and customers, two weeks of
ordinary life, and on the last day forged tokens that read 600 customers an hour
through a busy signing key. Its events go through an embedded Kafka broker and
the same pipeline as ` + "`weir run`" + `, with its defaults of detection. Nothing is written to disk.

On a terminal the two weeks go by as fast as they can and the last day at a
multiple of time (--speed), as a picture that Ctrl-C ends. Anywhere else it is
plain lines, all of it as fast as it can, and the demo ends with the day.

What the security team would get in Slack and PagerDuty is shown on a page of
this machine's (--soc), whose address the picture tells.

--once prints the first alert that is about the leak, and the truth to compare
it with, and exits.`,
		Example: `  weir demo
  weir demo --once
  weir demo --once -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.output != "table" && o.output != "json" {
				return usagef("-o is table or json, not %q", o.output)
			}
			if o.output == "json" && !o.once {
				return usagef("-o json goes with --once")
			}
			if !cmd.Flags().Changed("speed") {
				o.speed = defaultSpeed
				o.asFast = o.once || !isScreen(cmd.OutOrStdout())
			}
			if !cmd.Flags().Changed("soc") && !o.once && isScreen(cmd.OutOrStdout()) {
				o.soc = "127.0.0.1:0"
			}
			if !(o.speed > 0 && o.speed <= 1e6) {
				return usagef("--speed is above 0 and at most 1000000, not %v", o.speed)
			}
			return runDemo(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&o.once, "once", false, "print the first alert about the leak, and exit")
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "form of what --once prints: table, or json (the alert; the truth on stderr)")
	cmd.Flags().Float64Var(&o.speed, "speed", defaultSpeed, "seconds of the last day that pass in one second (default on a terminal; elsewhere, as fast as it can)")
	cmd.Flags().StringVar(&o.soc, "soc", off, "address of a page that shows the messages, or off (default on a terminal: a free port of the loopback interface)")
	return cmd
}

// defaultSpeed lets the leak begin some forty seconds into the last day.
const defaultSpeed = 360

// liveLead is how long before the leak time is slowed down to be looked at.
const liveLead = 4 * time.Hour

type demoOptions struct {
	once   bool
	output string
	speed  float64
	asFast bool   // no slowing down at all
	soc    string // address of the page that shows the messages; off or empty: none
	// company says who is watched; the zero value is the scenario "demo".
	company simulate.Options
}

// isScreen reports whether a picture can be drawn on w.
func isScreen(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// demoShow is how people are told what happens.
type demoShow interface {
	// alert tells of one alert, as soon as it is there.
	alert(s *demoState, a *alerting.Alert)
	// frame tells how things stand; it is called several times a second.
	frame(s *demoState)
	// close gives the terminal back.
	close()
}

func runDemo(ctx context.Context, o *demoOptions, out, diagnostics io.Writer) error {
	if o.company.Scenario == "" {
		o.company.Scenario = "demo"
	}
	company, err := simulate.New(o.company)
	if err != nil {
		return err
	}
	d := &demo{options: o, state: newDemoState(company.Truth())}
	page, err := o.serveSOC(diagnostics)
	if err != nil {
		return err
	}
	if page != nil {
		defer page.stop()
		d.state.page = page.url
	}
	_, end := company.Span()
	d.live = end
	if leaks := company.Truth().Leaks; !o.asFast && len(leaks) > 0 {
		d.live = leaks[0].Start.Add(-liveLead).Truncate(time.Hour)
		d.state.speed = o.speed
	}
	switch {
	case o.once:
		d.show = &demoProgress{newProgress(diagnostics)}
	case isScreen(out):
		d.show = newDemoScreen(out.(*os.File))
	default:
		d.show = &demoLines{out: out}
	}
	d.stay = !o.once && isScreen(out)
	p, err := startDemoPipeline(ctx, d.idle(), d.state.page)
	if err != nil {
		d.show.close()
		return fmt.Errorf("starting the demonstration: %w", err)
	}
	if page != nil {
		if err := page.answer(p); err != nil {
			d.show.close()
			return errors.Join(err, p.stop())
		}
	}
	d.state.grid, d.state.dimensions = p.settings.grid, p.settings.detect.Dimensions
	err = d.run(ctx, p, company)
	d.show.close()
	if stopped := p.stop(); err == nil {
		err = stopped
	}
	return d.conclude(ctx, err, p, out, diagnostics)
}

// demo is one demonstration.
type demo struct {
	options *demoOptions
	state   *demoState
	show    demoShow
	live    time.Time // when the events begin to come at a pace
	stay    bool      // the end of the day is not the end
	found   *alerting.Alert
}

// idle is for how long a source must be quiet to be taken for idle: longer than
// a busy machine keeps the feed waiting, and in a slowed day longer than the
// pause between two events. An event of a tick that idleness has closed would
// count in the next one, and the demonstration would not repeat.
func (d *demo) idle() time.Duration {
	const busy = 4 * time.Second
	if d.options.asFast {
		return busy
	}
	return max(busy, time.Duration(float64(20*time.Minute)/d.options.speed))
}

// frameEvery is how often the picture is drawn.
const frameEvery = 200 * time.Millisecond

// run feeds the company's events to the pipeline and watches what comes out,
// until the leak is found (--once), the day is over, or ctx ends.
func (d *demo) run(ctx context.Context, p *demoPipeline, company *simulate.Company) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	feed := newDemoFeed(company, p.client, d.state.truth)
	fed, news := make(chan error, 1), make(chan demoNews, 64)
	go func() { fed <- feed.run(ctx, d.live.UnixMilli(), d.options.speed) }()
	go p.watch(ctx, news)
	frames := time.NewTicker(frameEvery)
	defer frames.Stop()
	historyBin, lastBin := int64(math.MaxInt64), int64(math.MaxInt64)
	tomorrow := d.state.start.UnixMilli() + dayMillis
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-p.ended:
			return err
		case err := <-fed:
			if err != nil {
				return err
			}
			lastBin = wholeBin(p.settings.grid, d.state.truth.lastEvent())
		case at := <-feed.parked:
			historyBin = wholeBin(p.settings.grid, at)
		case n := <-news:
			if n.err != nil {
				return n.err
			}
			if d.learn(n) {
				return nil
			}
		case <-frames.C:
			d.state.measure(p.registry, time.Now())
			d.show.frame(d.state)
		}
		for ; d.state.done() >= tomorrow; tomorrow += dayMillis {
			feed.days <- struct{}{}
		}
		switch done := d.state.bin; {
		case d.state.phase == demoHistory && done >= historyBin:
			d.state.phase = demoLive
			close(feed.resume)
		case d.state.phase != demoOver && done >= lastBin:
			d.state.phase = demoOver
			if !d.stay {
				return nil
			}
		}
	}
}

// wholeBin returns the last bin that closes when nothing comes after ms: the
// watermark then goes to the end of that tick.
func wholeBin(g stream.Grid, ms int64) int64 {
	tick := g.TickOf(ms)
	bin := g.BinOfTick(tick)
	if tick < g.LastTick(bin) {
		bin--
	}
	return bin
}

// learn takes in what the pipeline told and reports whether that is the end:
// the leak has been found, and that was all that was asked for.
func (d *demo) learn(n demoNews) bool {
	d.state.learn(n)
	for _, a := range n.alerts {
		d.show.alert(d.state, a)
		if d.found == nil && d.state.truth.leakOf(a) >= 0 {
			d.found = a
			if d.options.once {
				return true
			}
		}
	}
	return false
}

// conclude says what was seen. An interrupt is the ordinary end of a picture.
func (d *demo) conclude(ctx context.Context, err error, p *demoPipeline, out, diagnostics io.Writer) error {
	interrupted := ctx.Err() != nil
	if err != nil && !(interrupted && d.stay) {
		if said := p.log.String(); said != "" && !interrupted {
			fmt.Fprint(diagnostics, said)
		}
		return err
	}
	if !d.options.once {
		d.state.explain(out, d.found)
		return nil
	}
	if d.found == nil {
		return fmt.Errorf("the leak was not found: %s events were read and %d alerts raised, none of them about it; `weir simulate --scenario demo --out FILE` writes the same events for `weir backtest`",
			alerting.Group(d.state.events), len(d.state.alerts))
	}
	sink, err := stdout.New("stdout", out, stdout.Format(d.options.output), time.UTC)
	if err == nil {
		_, err = sink.Notify(ctx, d.found)
	}
	if err != nil {
		return fmt.Errorf("writing the alert: %w", err)
	}
	finding := d.state.finding(d.found)
	if d.options.output == "json" {
		return finding.json(diagnostics)
	}
	return finding.text(out)
}
