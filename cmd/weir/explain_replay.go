package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/lab"
	"github.com/weirhq/weir/stream"
)

// replay reads the log again: it counts what the alert counted, and has the
// operators raise the alert once more.
func (x *explanation) replay(ctx context.Context, cmd *cobra.Command, o *explainOptions, s *settings, a *alerting.Alert) error {
	if a.Dimension == alerting.CampaignDimension {
		x.Notes = append(x.Notes, "A campaign is replayed by its members: explain each by its own key.")
		return nil
	}
	dim, err := dimensionOf(s, a.Dimension)
	if err != nil {
		return err
	}
	log, err := openLog(ctx, cmd, "explain", o.inputs, o.format, o.config, s)
	if err != nil {
		return err
	}
	r := &explainRun{
		backtest: newBacktest(s, log, newProgress(cmd.ErrOrStderr())), told: a,
		recount: lab.NewRecount(a, dim, s.hasher, s.detect.Retention),
	}
	r.alert = func(again *alerting.Alert) error {
		if again.DedupKey == a.DedupKey && again.Time == a.Time && again.Status == a.Status {
			r.again = again
		}
		return nil
	}
	err = log.each(ctx, r)
	r.progress.clear()
	if err != nil {
		return err
	}
	x.Numbers = append(x.Numbers, r.recount.Numbers()...)
	x.Notes = append(x.Notes, r.recount.Remarks()...)
	x.Notes = append(x.Notes, r.verdict())
	return nil
}

// explainRun is the log up to the alert, and a little more.
type explainRun struct {
	*backtest
	recount *lab.Recount
	told    *alerting.Alert
	again   *alerting.Alert
}

func (r *explainRun) event(src stream.Source, ev *event.Event) bool {
	r.recount.Observe(ev)
	return r.backtest.event(src, ev)
}

// afterAlert is how much of the log behind the alert is read: enough for late
// events and for the watermark to pass.
const afterAlert = 3 * 3600 * 1000

func (r *explainRun) flush(last bool) error {
	if err := r.backtest.flush(last); err != nil {
		return err
	}
	if r.summary.To > r.told.Time+afterAlert {
		return errEnough
	}
	return nil
}

// verdict says whether the operators raise the same alert.
func (r *explainRun) verdict() string {
	if r.again == nil {
		return "The replay raises no such alert. It does so only from the same events under the same configuration: check that the log is whole and begins where weir began, and that nothing was held back by a verdict."
	}
	// What only a deployment adds does not count.
	told, again := *r.told, *r.again
	told.Links, again.Links = alerting.Links{}, alerting.Links{}
	told.Campaign, again.Campaign = "", ""
	if bytes.Equal(told.AppendJSON(nil), again.AppendJSON(nil)) {
		return "The replay raises the same alert, byte for byte."
	}
	var differ []string
	for _, f := range []struct {
		name        string
		told, again string
	}{
		{"severity", string(told.Severity), string(again.Severity)},
		{"observed", fmt.Sprint(told.Observed), fmt.Sprint(again.Observed)},
		{"expected", fmt.Sprintf("%.4g", told.Expected), fmt.Sprintf("%.4g", again.Expected)},
		{"evidence", fmt.Sprintf("%.3f", told.Evidence.LogValue), fmt.Sprintf("%.3f", again.Evidence.LogValue)},
		{"threshold", fmt.Sprintf("%.3f", told.Evidence.Threshold), fmt.Sprintf("%.3f", again.Evidence.Threshold)},
		{"exposed", fmt.Sprint(told.Exposed.Records), fmt.Sprint(again.Exposed.Records)},
	} {
		if f.told != f.again {
			differ = append(differ, fmt.Sprintf("%s %s, was %s", f.name, f.again, f.told))
		}
	}
	if len(differ) == 0 {
		differ = []string{"its texts only"}
	}
	return "The replay raises the alert at the same time, with other numbers: " + strings.Join(differ, "; ") + "."
}
