package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/lab"
	"github.com/weirhq/weir/stream"
)

// ofBin reports whether a bin is to be explained from the log alone, alert or
// not.
func (o *explainOptions) ofBin() bool {
	return o.identity != "" && o.bin != "" && o.alerts == "" && (o.replay || len(o.inputs) > 0)
}

// explainBin has the operators read the log up to the end of a bin, and takes
// apart what they make of an identity there.
func explainBin(ctx context.Context, cmd *cobra.Command, o *explainOptions, s *settings) (*explanation, error) {
	name, identity, _ := strings.Cut(o.identity, ":")
	dim := slices.IndexFunc(s.config.Dimensions, func(d event.Dimension) bool { return d.Name == name })
	if dim < 0 {
		return nil, usagef("--identity %s: there is no dimension %q; there are %s", o.identity, name, strings.Join(s.detect.Dimensions, ", "))
	}
	at, err := time.Parse(time.RFC3339, o.bin)
	if err != nil {
		return nil, usagef("--bin %q: want a time such as 2026-03-02T14:00:00Z", o.bin)
	}
	log, err := openLog(ctx, cmd, "explain", o.inputs, o.format, o.config, s)
	if err != nil {
		return nil, err
	}
	bin := s.grid.BinOf(at.UnixMilli())
	a := &alerting.Alert{
		Dimension: name, Identity: identity, Kind: alerting.Statistical, Time: alerting.Time((bin + 1) * s.grid.Bin),
		Evidence: alerting.Evidence{Bin: alerting.Time(bin * s.grid.Bin), BinWidth: s.config.Time.Bin.String()},
	}
	r := &binRun{
		backtest: newBacktest(s, log, newProgress(cmd.ErrOrStderr())), about: a,
		recount: lab.NewRecount(a, s.config.Dimensions[dim], s.hasher, s.detect.Retention),
	}
	r.local.Detect.Look(dim, identity, bin)
	r.alert = func(told *alerting.Alert) error {
		if told.Dimension == name && told.Identity == identity && told.Time > a.Evidence.Bin && told.Time <= a.Time {
			r.told = append(r.told, told)
		}
		return nil
	}
	err = log.each(ctx, r)
	r.progress.clear()
	if err != nil {
		return nil, err
	}
	return r.explain(o, float64(s.config.Alerts.Budget))
}

// binRun is the log up to the end of the bin.
type binRun struct {
	*backtest
	recount *lab.Recount
	about   *alerting.Alert
	told    []*alerting.Alert // of the identity, in the bin
}

func (r *binRun) event(src stream.Source, ev *event.Event) bool {
	r.recount.Observe(ev)
	return r.backtest.event(src, ev)
}

func (r *binRun) flush(last bool) error {
	if err := r.backtest.flush(last); err != nil {
		return err
	}
	if r.local.Detect.Looked() != nil {
		return errEnough
	}
	return nil
}

// explain says what was found.
func (r *binRun) explain(o *explainOptions, budget float64) (*explanation, error) {
	a, found := r.about, r.local.Detect.Looked()
	switch {
	case r.summary.Events == 0:
		return nil, fmt.Errorf("explaining %s: the log holds no events", o.identity)
	case found == nil && a.Time <= r.summary.From:
		return nil, fmt.Errorf("explaining %s: the log begins at %s, after the bin of %s to %s", o.identity, r.summary.From, a.Evidence.Bin, a.Time)
	case found == nil:
		return nil, fmt.Errorf("explaining %s: the bin of %s to %s is not over in this log, which ends at %s", o.identity, a.Evidence.Bin, a.Time, r.summary.To)
	case !found.Known:
		return nil, fmt.Errorf("explaining %s: nothing of it is in the log before %s; a name must be written as alerts write it", o.identity, a.Time)
	}
	a.Evidence = found.Evidence
	a.Evidence.Budget = budget
	x := &explanation{
		Dimension: a.Dimension, Identity: a.Identity, Time: a.Time, Bin: a.Evidence.Bin, BinWidth: a.Evidence.BinWidth,
		Summary: fmt.Sprintf("At the end of the bin its evidence was %.3f nats of the %.3f that open an episode.", a.Evidence.LogValue, a.Evidence.Threshold),
		Numbers: append(lab.Recompute(a), r.recount.Numbers()...), Notes: append(lab.Remarks(a), r.recount.Remarks()...),
	}
	for _, told := range r.told {
		x.Notes = append(x.Notes, fmt.Sprintf("In the bin, at %s, its episode %s is told of (%s): weir explain %s takes that apart.", told.Time, told.DedupKey, told.Status, told.DedupKey))
	}
	if len(r.told) == 0 {
		x.Notes = append(x.Notes, "In the bin nobody is told anything of it.")
	}
	return x, nil
}
