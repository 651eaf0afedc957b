package explain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
)

// OfBin has the operators read the log up to the end of the bin in which a time
// lies, and takes apart what they make of an identity there, alert or not.
func OfBin(ctx context.Context, s *settings.Settings, log backtest.Log, dimension, identity string, at time.Time, p *progress.Line) (*Explanation, error) {
	dim := slices.Index(s.Detect.Dimensions, dimension)
	if dim < 0 {
		return nil, usage.Errorf("--identity %s:%s: there is no dimension %q; there are %s", dimension, identity, dimension, strings.Join(s.Detect.Dimensions, ", "))
	}
	bin := s.Grid.BinOf(at.UnixMilli())
	a := &alerting.Alert{
		Dimension: dimension, Identity: identity, Kind: alerting.Statistical, Time: alerting.Time((bin + 1) * s.Grid.Bin),
		Evidence: alerting.Evidence{Bin: alerting.Time(bin * s.Grid.Bin), BinWidth: s.Config.Time.Bin.String()},
	}
	r := &binRun{Run: backtest.NewRun(s, log, p), about: a, recount: NewRecount(a, s.Config.Dimensions[dim], s.Hasher, s.Detect.Retention, s.Config.Time.Zone)}
	r.Took = r.recount.Observe
	r.Local.Ask(dim, identity, bin)
	r.answer = func() *detect.BinAnswer { return r.Local.Answer(dim, identity) }
	r.Alert = func(stated *alerting.Alert) error {
		if stated.Dimension == dimension && stated.Identity == identity && stated.Time > a.Evidence.Bin && stated.Time <= a.Time {
			r.stated = append(r.stated, stated)
		}
		return nil
	}
	defer p.Clear()
	if err := log.Read(ctx, r); err != nil {
		return nil, err
	}
	return r.explain(float64(s.Config.Alerts.Budget))
}

// binRun is a pass over the log up to the end of the bin.
type binRun struct {
	*backtest.Run
	recount *Recount
	about   *alerting.Alert   // which bin of which identity
	stated  []*alerting.Alert // of the identity, in the bin
	answer  func() *detect.BinAnswer
}

// Flush ends the reading when the bin is closed.
func (r *binRun) Flush(last bool) error {
	if err := r.Run.Flush(last); err != nil {
		return err
	}
	if r.answer() != nil {
		return backtest.ErrEnough
	}
	return nil
}

// explain says what was found.
func (r *binRun) explain(budget float64) (*Explanation, error) {
	a, found := r.about, r.answer()
	who := a.Dimension + ":" + a.Identity
	switch {
	case r.Summary.Events == 0:
		return nil, fmt.Errorf("explaining %s: the log holds no events", who)
	case found == nil && a.Time <= r.Summary.From:
		return nil, fmt.Errorf("explaining %s: the log begins at %s, after the bin of %s to %s", who, r.Summary.From, a.Evidence.Bin, a.Time)
	case found == nil:
		return nil, fmt.Errorf("explaining %s: the bin of %s to %s is not over in this log, which ends at %s", who, a.Evidence.Bin, a.Time, r.Summary.To)
	case !found.Known:
		return nil, fmt.Errorf("explaining %s: nothing of it is in the log before %s; a name must be written as alerts write it", who, a.Time)
	}
	a.Evidence.Group, a.Evidence.LogValue, a.Evidence.Threshold, a.Evidence.Budget = found.Group, found.Log, found.Threshold, budget
	a.Evidence.Peers, a.Evidence.Measures = found.Peers, correlate.Measures(found.Measures)
	x := &Explanation{
		Dimension: a.Dimension, Identity: a.Identity, Time: a.Time, Bin: a.Evidence.Bin, BinWidth: a.Evidence.BinWidth,
		Summary: fmt.Sprintf("At the end of the bin its evidence was %.3f nats of the %.3f that open an episode.", a.Evidence.LogValue, a.Evidence.Threshold),
		Agrees:  true,
	}
	x.add(Recompute(a), Remarks(a))
	x.add(r.recount.Numbers(), r.recount.Remarks())
	for _, stated := range r.stated {
		x.Notes = append(x.Notes, fmt.Sprintf("In the bin, at %s, its episode %s is told of (%s): weir explain %s takes that apart.", stated.Time, stated.DedupKey, stated.Status, stated.DedupKey))
	}
	if len(r.stated) == 0 {
		x.Notes = append(x.Notes, "In the bin nobody is told anything of it.")
	}
	return x, nil
}
