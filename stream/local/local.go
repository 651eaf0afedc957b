package local

import (
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/join"
)

// Runner joins the operators without Kafka, for files: one ingest task, one
// detect task, correlate. It gives the alerts that the same operators give on
// Kafka for the same events.
type Runner struct {
	Ingest    *ingest.Worker
	Join      *join.Task // nil: tokens are not joined
	Detect    *detect.Task
	Correlate *correlate.Task
	// Held gets what was held back, if it is not nil.
	Held    func(*correlate.Suppressed)
	offsets [3]int64 // of the partials, reports and sessions handed on
	topics  []stream.Topic
}

// New joins new operators for the given source topics.
func New(in ingest.Config, de detect.Config, co correlate.Config, topics []stream.Topic) *Runner {
	in.Partitions, de.Partition, de.SnapshotTicks, co.Partitions = 1, 0, 0, 1
	if de.Facts == nil {
		in.SessionsTopic = ""
	}
	l := &Runner{Ingest: ingest.New(in), Detect: detect.New(de), Correlate: correlate.New(co), topics: topics}
	if in.SessionsTopic != "" {
		l.Join = join.New(join.ConfigFor(&in, de.Facts.Grace))
	}
	for _, t := range topics {
		for p := range t.Partitions {
			l.Ingest.Assign(ingest.NoProgress(stream.Source{Topic: t.Name, Partition: p}, 0))
		}
	}
	return l
}

// Fold counts one event of a source.
func (l *Runner) Fold(s stream.Source, stamp int64, ev *event.Event) ingest.Outcome {
	return l.Ingest.Fold(s, stamp, ev)
}

// Flush hands on what was folded and returns the alerts that follow.
func (l *Runner) Flush() ([]alerting.Alert, error) {
	if err := l.join(); err != nil {
		return nil, err
	}
	var alerts []alerting.Alert
	for waiting := true; waiting; {
		waiting = l.Detect.Advance()
		report, _ := l.Detect.Take()
		if report == nil {
			break
		}
		if err := l.Correlate.Apply(l.offsets[1], report); err != nil {
			return alerts, err
		}
		l.offsets[1]++
		found := l.Correlate.Advance()
		alerts = append(alerts, found.Alerts...)
		for i := range found.Suppressed {
			if l.Held != nil {
				l.Held(&found.Suppressed[i])
			}
		}
		if found.Parameters != nil {
			l.Detect.SetParameters(found.Parameters)
		}
	}
	return alerts, nil
}

// join hands what was folded on to the join of tokens and to detect.
func (l *Runner) join() (err error) {
	apply := func(value []byte) {
		batch, e := stream.DecodeBatch(value)
		if e == nil {
			e = l.Detect.Apply(l.offsets[0], batch)
		}
		if err == nil {
			err = e
		}
		l.offsets[0]++
	}
	l.Ingest.Flush(l.topics, func(_ int32, value []byte) {
		batch, e := stream.DecodeSessions(value)
		if e == nil {
			e = l.Join.Apply(l.offsets[2], batch)
		}
		if err == nil {
			err = e
		}
		l.offsets[2]++
	}, func(_ int32, value []byte) { apply(value) })
	l.Ingest.Commit()
	if l.Join == nil {
		return err
	}
	l.Join.Advance()
	found, _ := l.Join.Take()
	for _, r := range found {
		apply(r.Value)
	}
	return err
}

// End declares every source idle and hands on what is left. Nothing closes
// because input ended: an episode that is open stays open.
func (l *Runner) End() ([]alerting.Alert, error) {
	for _, p := range l.Ingest.Progress() {
		l.Ingest.End(p.Source)
	}
	return l.Flush()
}
