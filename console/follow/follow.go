// Package follow reads what weir has committed to its own topics, from their
// beginning and then as it comes, and publishes the picture that package model
// makes of it. It takes part in no consumer group and writes nothing, so that any
// number of consoles read beside each other and in nobody's way.
package follow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Follower reads the topics of one deployment.
type Follower struct {
	Connection *cluster.Connection
	Topics     topics.Names
	Grid       eventtime.Grid
	Dimensions []string // whose evidence is read too; nil: none is
	Log        *slog.Logger
	// Check returns why a verdict does not count, nil if it does: whoever can write to
	// the topic is nobody by that.
	Check func(*correlate.Verdict) error
	// Eraser puts pseudonyms in the place of names that were erased.
	Eraser model.Veil
	// Publish gets a snapshot after something has come, not more often than each
	// Every. whole says that all that stood there when the reading began was read.
	Publish func(s *model.Snapshot, whole bool)
	Every   time.Duration // 0: a second
}

// pollFor is how long records are waited for before the follower looks around.
const pollFor = 500 * time.Millisecond

// reading is one run of a follower.
type reading struct {
	*Follower
	client *kgo.Client
	fold   *model.Fold
	next   map[string]int64 // by topic: the next offset
	ends   map[string]int64 // by topic: where it ended when the reading began
	fresh  bool             // something has come since the last snapshot
	whole  bool
}

// Run reads until ctx ends or something fails; then it can be run again, which
// begins anew.
func (f *Follower) Run(ctx context.Context) error {
	r, err := f.begin(ctx)
	if err != nil {
		return err
	}
	defer r.client.Close()
	every := f.Every
	if every == 0 {
		every = time.Second
	}
	var published time.Time
	for {
		if err := r.poll(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if was := r.whole; !was && r.hasAll() || r.fresh && time.Since(published) >= every {
			r.whole, r.fresh = was || r.hasAll(), false
			f.Publish(r.fold.Snapshot(), r.whole)
			published = time.Now()
		}
	}
}

// Once returns the picture of all that stands there now.
func (f *Follower) Once(ctx context.Context) (*model.Snapshot, error) {
	r, err := f.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer r.client.Close()
	for !r.hasAll() {
		if err := r.poll(ctx); err != nil {
			return nil, err
		}
	}
	return r.fold.Snapshot(), nil
}

// begin opens a client at the beginning of the topics.
func (f *Follower) begin(ctx context.Context) (*reading, error) {
	start := map[int32]kgo.Offset{0: kgo.NewOffset().AtStart()}
	from := map[string]map[int32]kgo.Offset{
		f.Topics.Alerts: start, f.Topics.Suppressed: start, f.Topics.Verdicts: start, f.Topics.Parameters: start,
	}
	if f.Dimensions != nil {
		from[f.Topics.Evidence] = start
	}
	cl, err := f.Connection.Client(ctx,
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // so that a position reaches the end of its log
		kgo.ConsumePartitions(from),
	)
	if err != nil {
		return nil, err
	}
	r := &reading{Follower: f, client: cl, fold: model.NewFold(), next: map[string]int64{}, fresh: true}
	r.fold.Eraser = f.Eraser
	if err := r.findEnds(ctx); err != nil {
		cl.Close()
		return nil, err
	}
	return r, nil
}

// findEnds notes where the topics begin and end now: of one, all records may be deleted.
// Parameters are left out: their topic is compacted, so that a position may never reach its
// end. Evidence is, since lists do not need it.
func (r *reading) findEnds(ctx context.Context) error {
	names := []string{r.Topics.Alerts, r.Topics.Suppressed, r.Topics.Verdicts}
	adm := kadm.NewClient(r.client)
	starts, err := adm.ListStartOffsets(ctx, names...)
	if err != nil {
		return fmt.Errorf("listing the offsets of weir's topics: %w", cluster.Explain(err))
	}
	ends, err := adm.ListCommittedOffsets(ctx, names...)
	if err != nil {
		return fmt.Errorf("listing the offsets of weir's topics: %w", cluster.Explain(err))
	}
	r.ends = map[string]int64{}
	for _, name := range names {
		start, _ := starts.Lookup(name, 0)
		end, ok := ends.Lookup(name, 0)
		if err := cmp.Or(start.Err, end.Err); !ok || err != nil {
			return fmt.Errorf("listing the offsets of %s: %w", name, cluster.Explain(err))
		}
		r.next[name], r.ends[name] = start.Offset, end.Offset
	}
	return nil
}

// hasAll reports whether all was read that stood there when the reading began.
func (r *reading) hasAll() bool {
	for name, end := range r.ends {
		if r.next[name] < end {
			return false
		}
	}
	return true
}

// poll takes in what has come.
func (r *reading) poll(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, pollFor)
	defer cancel()
	fetches := r.client.PollFetches(wait)
	if err := cluster.FetchError(ctx, fetches); err != nil {
		return err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		rec := iter.Next()
		r.next[rec.Topic] = rec.Offset + 1
		if rec.Attrs.IsControl() {
			continue
		}
		if err := r.take(rec); err != nil {
			// Another version of weir may have written it; the rest can be shown.
			r.Log.Warn("the console passes over a record", "topic", rec.Topic, "offset", rec.Offset, "error", err)
			continue
		}
		r.fresh = true
	}
	return nil
}

// errTombstone is what a record without a value is taken for.
var errTombstone = errors.New("it is empty")

// take takes in one record.
func (r *reading) take(rec *kgo.Record) error {
	if rec.Value == nil {
		return errTombstone
	}
	switch rec.Topic {
	case r.Topics.Alerts:
		a, err := alerting.ParseAlert(rec.Value)
		if err != nil {
			return err
		}
		r.fold.Alert(a)
	case r.Topics.Suppressed:
		s, err := correlate.DecodeSuppressed(rec.Value)
		if err != nil {
			return err
		}
		r.fold.Suppressed(s)
	case r.Topics.Verdicts:
		v, err := correlate.DecodeVerdict(rec.Value)
		if err != nil {
			return err
		}
		if err := r.Check(v); err != nil {
			return err
		}
		r.fold.Verdict(v)
	case r.Topics.Parameters:
		p, err := stream.DecodeParameterRecord(rec.Value)
		if err != nil {
			return err
		}
		r.fold.Judged(alerting.Time(r.Grid.BinStart(p.Bin + 1)))
		r.fold.Peers(Levels(r.Dimensions, p.Parameters))
	case r.Topics.Evidence:
		report, err := stream.DecodeEvidenceReport(rec.Value)
		if err != nil {
			return err
		}
		Counted(r.fold, r.Dimensions, report)
	}
	return nil
}

// Counted has a picture take in what evidence says of hours and days.
func Counted(fold *model.Fold, dimensions []string, report *stream.EvidenceReport) {
	for i := range report.Candidates {
		c := &report.Candidates[i]
		hour, day, exact := model.Bin{}, model.Bin{}, true
		for j := range c.Measures {
			switch m := &c.Measures[j]; m.Measure {
			case "distinct_in_bin":
				hour.Start, hour.Distinct = alerting.Time(m.From), count(m)
				exact = exact && m.Low == m.High
			case "first_touch_in_bin":
				hour.FirstTouch = count(m)
			case "rows_in_bin":
				hour.Rows = count(m)
			case "distinct":
				day.Start, day.Distinct = alerting.Time(m.From), count(m)
				exact = exact && m.Low == m.High
			}
		}
		if !exact { // an estimate of what is new is too far off in one hour
			hour.FirstTouch = model.Measured{}
		}
		if hour.Start != 0 && c.Dimension >= 0 && c.Dimension < len(dimensions) {
			fold.Counted(dimensions[c.Dimension], c.Identity, &hour, &day)
		}
	}
}

// count returns what was counted of a measure. The spread is that of the negative binomial
// distribution by which it was judged.
func count(m *stream.MeasureEvidence) model.Measured {
	variance := m.Expected
	if m.Dispersion > 0 {
		variance += m.Expected * m.Expected / m.Dispersion
	}
	return model.Measured{Counted: float32(m.Observed), Usual: float32(m.Expected), Spread: float32(math.Sqrt(max(variance, 0)))}
}

// Levels returns what groups of peers read on a mean day with work.
func Levels(dimensions []string, p *score.Parameters) map[model.Group]model.Level {
	out := map[model.Group]model.Level{}
	for i := range p.Dimensions[:min(len(p.Dimensions), len(dimensions))] {
		for j := range p.Dimensions[i].Classes {
			c := &p.Dimensions[i].Classes[j]
			known := c.First[len(c.First)-1].Mean
			out[model.Group{Dimension: dimensions[i], Name: c.Name}] = model.Level{Distinct: known[score.Distinct], FirstTouch: known[score.FirstTouch]}
		}
	}
	return out
}
