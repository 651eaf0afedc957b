// Package demo shows weir at work on a company that does not exist: the company's
// events go through an embedded Kafka broker and the pipeline of weir run, and
// what comes out is drawn on a terminal or told in lines, and held against the
// truth.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify/stdout"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/simulate"
)

// DefaultSpeed is how many seconds of the last day pass in one second. The leak
// then begins some forty seconds into the last day.
const DefaultSpeed = 360

// liveLead is how long before the leak the events begin to come at a pace.
const liveLead = 4 * time.Hour

// Options say how the demonstration goes.
type Options struct {
	Once    bool             // print the first alert about the leak, and end
	Output  string           // form of what Once prints: table or json
	Speed   float64          // seconds of the last day that pass in one second
	AsFast  bool             // as fast as it can, whatever Speed says
	SOC     string           // address of the page that shows the messages; off or empty: no page
	Serve   string           // address of the console; off or empty: none
	Stay    bool             // the end of the day is not the end, whatever out is
	Version string           // of weir
	Company simulate.Options // who is watched; the zero value is the scenario demo
}

// IsScreen reports whether a picture can be drawn on w.
func IsScreen(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// display is how people are told what happens.
type display interface {
	// alert tells of one alert, as soon as it is there.
	alert(s *state, a *alerting.Alert)
	// frame tells how things stand; it is called several times a second.
	frame(s *state)
	// close gives the terminal back.
	close()
}

// newDisplay returns the progress of a demonstration that ends with the first
// alert, the picture on a terminal, or lines elsewhere.
func newDisplay(once bool, out, diagnostics io.Writer) display {
	switch {
	case once:
		return &progressDisplay{progress.New(diagnostics)}
	case IsScreen(out):
		return newScreenDisplay(out.(*os.File))
	}
	return &lineDisplay{out: out}
}

// Run shows the demonstration on out until it is over or ctx ends. Progress, log
// and the truth go to diagnostics.
func Run(ctx context.Context, o *Options, out, diagnostics io.Writer) error {
	if o.Company.Scenario == "" {
		o.Company.Scenario = "demo"
	}
	company, err := simulate.New(o.Company)
	if err != nil {
		return err
	}
	d := &demonstration{options: o, state: newState(company.Truth())}
	page, err := o.serveSOC(diagnostics)
	if err != nil {
		return err
	}
	if page != nil {
		defer page.Stop()
		d.state.page = page.URL
	}
	served, err := o.listenConsole(diagnostics)
	if err != nil {
		return err
	}
	if served != nil {
		defer served.Stop()
		d.state.console = served.URL
	}
	_, end := company.Span()
	d.live = end
	if leaks := company.Truth().Leaks; !o.AsFast && len(leaks) > 0 {
		d.live = leaks[0].Start.Add(-liveLead).Truncate(time.Hour)
		d.state.speed = o.Speed
	}
	d.show = newDisplay(o.Once, out, diagnostics)
	d.stay = !o.Once && (o.Stay || IsScreen(out))
	p, err := startPipeline(ctx, d.state.page, served, o.Version)
	if err != nil {
		d.show.close()
		return fmt.Errorf("starting the demonstration: %w", err)
	}
	if page != nil {
		if err := p.takeClicks(page); err != nil {
			d.show.close()
			return errors.Join(err, p.stop())
		}
	}
	d.state.grid, d.state.dimensions = p.settings.Grid, p.settings.Detect.Dimensions
	err = d.run(ctx, p, company)
	d.show.close()
	if stopped := p.stop(); err == nil {
		err = stopped
	}
	return d.conclude(ctx, err, p, out, diagnostics)
}

// demonstration is one run of the demo.
type demonstration struct {
	options *Options
	state   *state
	show    display
	live    time.Time // when the events begin to come at a pace
	stay    bool      // the end of the day is not the end
	found   *alerting.Alert
}

// frameEvery is how often the picture is drawn.
const frameEvery = 200 * time.Millisecond

// run feeds the company's events to the pipeline and watches what comes out,
// until the leak is found (--once), the day is over, or ctx ends.
func (d *demonstration) run(ctx context.Context, p *pipeline, company *simulate.Company) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	feed := newFeed(company, p, d.state.truth)
	fed, outputs := make(chan error, 1), make(chan output, 64)
	go func() { fed <- feed.run(ctx, d.live.UnixMilli(), d.options.Speed) }()
	go p.watch(ctx, outputs)
	frames := time.NewTicker(frameEvery)
	defer frames.Stop()
	historyBin, lastBin := int64(math.MaxInt64), int64(math.MaxInt64)
	tomorrow := d.state.start.UnixMilli() + eventtime.Day
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
			lastBin = wholeBin(p.settings.Grid, d.state.truth.lastEvent())
		case at := <-feed.parked:
			historyBin = wholeBin(p.settings.Grid, at)
		case got := <-outputs:
			if got.err != nil {
				return got.err
			}
			if d.take(got) {
				return nil
			}
		case <-frames.C:
			d.state.measure(p.registry, time.Now())
			d.show.frame(d.state)
		}
		for ; d.state.done() >= tomorrow; tomorrow += eventtime.Day {
			feed.days <- struct{}{}
		}
		switch done := d.state.bin; {
		case d.state.phase == inHistory && done >= historyBin:
			d.state.phase = inLastDay
			close(feed.resume)
		case d.state.phase != isOver && done >= lastBin && d.state.events >= company.Events():
			d.state.phase = isOver
			if !d.stay {
				return nil
			}
		}
	}
}

// wholeBin returns the last bin that closes when nothing comes after ms: the
// watermark then goes to the end of that tick.
func wholeBin(g eventtime.Grid, ms int64) int64 {
	tick := g.TickOf(ms)
	bin := g.BinOfTick(tick)
	if tick < g.LastTick(bin) {
		bin--
	}
	return bin
}

// take takes in what the pipeline wrote and reports whether that is the end: the
// leak has been found, and that was all that was asked for.
func (d *demonstration) take(got output) bool {
	d.state.take(got)
	for _, a := range got.alerts {
		d.show.alert(d.state, a)
		if d.found == nil && d.state.truth.leakOf(a) >= 0 {
			d.found = a
			if d.options.Once {
				return true
			}
		}
	}
	return false
}

// conclude says what was seen. An interrupt is the ordinary end of a picture.
func (d *demonstration) conclude(ctx context.Context, err error, p *pipeline, out, diagnostics io.Writer) error {
	interrupted := ctx.Err() != nil
	if err != nil && !(interrupted && d.stay) {
		if said := p.log.String(); said != "" && !interrupted {
			fmt.Fprint(diagnostics, said)
		}
		return err
	}
	if !d.options.Once {
		d.state.explain(out, d.found)
		return nil
	}
	if d.found == nil {
		return fmt.Errorf("the leak was not found: %s events were read and %d alerts raised, none of them about it; `weir simulate --scenario demo --out FILE` writes the same events for `weir backtest`",
			alerting.Group(d.state.events), len(d.state.alerts))
	}
	sink, err := stdout.New("stdout", out, stdout.Format(d.options.Output), time.UTC)
	if err == nil {
		_, err = sink.Notify(ctx, d.found)
	}
	if err != nil {
		return fmt.Errorf("writing the alert: %w", err)
	}
	finding := d.state.finding(d.found)
	if d.options.Output == "json" {
		return finding.json(diagnostics)
	}
	return finding.text(out)
}
