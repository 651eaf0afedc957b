package explain

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/correlate"
)

// Replay reads the log again: it counts what the alert counted, and has the
// operators raise the alert once more. Of a campaign it only says that its
// members can be replayed.
func (x *Explanation) Replay(ctx context.Context, s *settings.Settings, log backtest.Log, a *alerting.Alert, p *progress.Line) error {
	if a.Dimension == alerting.CampaignDimension {
		x.add(nil, []string{"A campaign is replayed by its members: explain each by its own key."})
		return nil
	}
	dim, ok := s.Dimension(a.Dimension)
	if !ok {
		return usage.Errorf("the alert is of the dimension %q, which the configuration does not have; it has %v", a.Dimension, s.Detect.Dimensions)
	}
	defer p.Clear()
	r := &replay{Run: backtest.NewRun(s, log, p), stated: a, recount: NewRecount(a, dim, s.Hasher, s.Detect.Retention, s.Config.Time.Zone)}
	r.Took = r.recount.Observe
	r.Alert = func(again *alerting.Alert) error {
		r.take(again, nil)
		return nil
	}
	r.Local.Held = func(s *correlate.Suppressed) { r.take(&s.Alert, &s.By) }
	p.Show("reading the log from its beginning to %s", a.Time)
	if err := log.Read(ctx, r); err != nil {
		return err
	}
	x.add(r.recount.Numbers(), append(r.recount.Remarks(), r.compare()))
	return nil
}

// replay is a pass over the log up to the alert, and a little more.
type replay struct {
	*backtest.Run
	recount *Recount
	stated  *alerting.Alert
	again   *alerting.Alert         // as the operators raise it now; nil: they do not
	by      *correlate.SuppressedBy // what holds it back now; nil: nothing does
}

// take keeps the alert if it is the one that was stated. by is what holds it back, nil
// if nothing does.
func (r *replay) take(again *alerting.Alert, by *correlate.SuppressedBy) {
	if again.DedupKey != r.stated.DedupKey || again.Time != r.stated.Time || again.Status != r.stated.Status {
		return
	}
	kept := *again
	if r.again, r.by = &kept, nil; by != nil {
		held := *by
		r.by = &held
	}
}

// afterAlert is how far beyond the alert the log is read, in ms of event time: enough
// for events that come late.
const afterAlert = 3 * 3600 * 1000

// Flush ends the reading when all that came before the alert, and late, is judged.
// What was read tells nothing of that: one partition may be far ahead of the others.
func (r *replay) Flush(last bool) error {
	if err := r.Run.Flush(last); err != nil {
		return err
	}
	if r.Local.Stats().ClosedMS > int64(r.stated.Time)+afterAlert {
		return backtest.ErrEnough
	}
	return nil
}

// compare says whether the operators raise the same alert.
func (r *replay) compare() string {
	if r.again == nil {
		return "The replay raises no such alert. It does so only from the same events under the same configuration: check that the log is whole and begins where weir began, and that no verdict has changed the episode."
	}
	// What only a deployment adds does not count.
	stated, again := *r.stated, *r.again
	stated.Links, again.Links = alerting.Links{}, alerting.Links{}
	stated.Campaign, again.Campaign = "", ""
	if bytes.Equal(stated.AppendJSON(nil), again.AppendJSON(nil)) {
		return "The replay raises the same alert, byte for byte" + r.held() + "."
	}
	var differ []string
	for _, f := range []struct {
		name          string
		stated, again string
	}{
		{"severity", stated.Severity.String(), again.Severity.String()},
		{"observed", fmt.Sprint(stated.Observed), fmt.Sprint(again.Observed)},
		{"expected", fmt.Sprintf("%.4g", stated.Expected), fmt.Sprintf("%.4g", again.Expected)},
		{"evidence", fmt.Sprintf("%.3f", stated.Evidence.LogValue), fmt.Sprintf("%.3f", again.Evidence.LogValue)},
		{"threshold", fmt.Sprintf("%.3f", stated.Evidence.Threshold), fmt.Sprintf("%.3f", again.Evidence.Threshold)},
		{"exposed", fmt.Sprint(stated.Exposed.Records), fmt.Sprint(again.Exposed.Records)},
	} {
		if f.stated != f.again {
			differ = append(differ, fmt.Sprintf("%s %s, was %s", f.name, f.again, f.stated))
		}
	}
	if len(differ) == 0 {
		differ = []string{"its texts only"}
	}
	return "The replay raises the alert at the same time" + r.held() + ", with other numbers: " + strings.Join(differ, "; ") + "."
}

// held says what holds the alert back in the replay; empty: nothing does.
func (r *replay) held() string {
	if r.by == nil {
		return ""
	}
	return ", and holds it back (" + heldBy(r.by) + ")"
}

// heldBy names what holds an alert back.
func heldBy(by *correlate.SuppressedBy) string {
	switch by.Kind {
	case correlate.ByCampaign:
		return "it is told in the message of " + by.Name
	case correlate.ByVerdict:
		return fmt.Sprintf("%s expects it until %s: %s", by.Owner, by.Expires, by.Reason)
	}
	return fmt.Sprintf("the expectation %s of %s: %s", by.Name, by.Owner, by.Reason)
}
