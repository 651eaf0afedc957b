package stream

import (
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
)

// Local joins the operators without Kafka, for files: one ingest task, one
// detect task, correlate. It gives the alerts that the same operators give on
// Kafka for the same events.
type Local struct {
	Ingest    *Ingest
	Join      *Join // nil: tokens are not joined
	Detect    *Detect
	Correlate *Correlate
	// Held gets what was held back, if it is not nil.
	Held    func(*Suppressed)
	offsets [3]int64 // of the partials, reports and sessions handed on
	topics  []Topic
}

// NewLocal joins new operators for the given source topics.
func NewLocal(in IngestConfig, de DetectConfig, co CorrelateConfig, topics []Topic) *Local {
	in.Partitions, de.Partition, de.SnapshotTicks, co.Partitions = 1, 0, 0, 1
	if de.Facts == nil {
		in.SessionsTopic = ""
	}
	l := &Local{Ingest: NewIngest(in), Detect: NewDetect(de), Correlate: NewCorrelate(co), topics: topics}
	if in.SessionsTopic != "" {
		l.Join = NewJoin(JoinConfigFor(&in, de.Facts.Grace))
	}
	for _, t := range topics {
		for p := range t.Partitions {
			l.Ingest.Assign(NoProgress(Source{t.Name, p}, 0))
		}
	}
	return l
}

// Fold counts one event of a source.
func (l *Local) Fold(s Source, stamp int64, ev *event.Event) Outcome {
	return l.Ingest.Fold(s, stamp, ev)
}

// Flush hands on what was folded and returns the alerts that follow.
func (l *Local) Flush() ([]alerting.Alert, error) {
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
func (l *Local) join() (err error) {
	apply := func(value []byte) {
		batch, e := DecodeBatch(value)
		if e == nil {
			e = l.Detect.Apply(l.offsets[0], batch)
		}
		if err == nil {
			err = e
		}
		l.offsets[0]++
	}
	l.Ingest.FlushSessions(l.topics, func(_ int32, value []byte) {
		batch, e := DecodeSessions(value)
		if e == nil {
			e = l.Join.Apply(l.offsets[2], batch)
		}
		if err == nil {
			err = e
		}
		l.offsets[2]++
	})
	l.Ingest.Flush(l.topics, func(_ int32, value []byte) { apply(value) })
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
func (l *Local) End() ([]alerting.Alert, error) {
	for _, p := range l.Ingest.Progress() {
		l.Ingest.SetIdle(p.Source, true)
	}
	return l.Flush()
}
