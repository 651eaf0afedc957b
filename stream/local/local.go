package local

import (
	"errors"
	"sync"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/join"
)

// Runner joins the operators without Kafka, for files: one ingest task, detect and join
// tasks that share the identities and tokens and work side by side, correlate. It gives
// the alerts that the same operators give on Kafka for the same events, with any number
// of tasks.
type Runner struct {
	Ingest    *ingest.Worker
	Correlate *correlate.Task
	// Held gets what was held back, if it is not nil.
	Held func(*correlate.Suppressed)
	// Reported gets what detect reports, if it is not nil, from the goroutine that calls
	// Work. It must not keep it.
	Reported func(*stream.EvidenceReport)
	// Learned gets what all learn of the fleet, if it is not nil, as Reported does.
	Learned func(*stream.ParameterRecord)

	parts   []*part
	reports int64 // handed on
	topics  []stream.Topic
}

// part is the tasks of one partition.
type part struct {
	join     *join.Task // nil: tokens are not joined
	detect   *detect.Task
	sessions int64                  // handed on to join
	partials int64                  // handed on to detect
	waiting  bool                   // detect waits for parameters
	report   *stream.EvidenceReport // that detect gave last; nil: none
	found    []stream.Routed        // that the join found last
	handed   []stream.Routed        // that detect has handed over last
}

// New joins new operators for the given source topics, with so many detect tasks.
func New(in ingest.Config, de detect.Config, co correlate.Config, topics []stream.Topic, tasks int) *Runner {
	in.Partitions, de.SnapshotTicks, co.Partitions = int32(tasks), 0, int32(tasks)
	if de.Heirs != nil {
		heirs := *de.Heirs
		heirs.Partitions = int32(tasks)
		de.Heirs = &heirs
	}
	if de.Facts == nil {
		in.SessionsTopic = ""
	}
	l := &Runner{Ingest: ingest.New(in), Correlate: correlate.New(co), topics: topics}
	for i := range int32(tasks) {
		de.Partition, de.Partitions = i, tasks
		p := &part{detect: detect.New(de)}
		if in.SessionsTopic != "" {
			c := join.ConfigFor(&in, de.Facts.Grace)
			c.Partition = i
			p.join = join.New(c)
		}
		l.parts = append(l.parts, p)
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
	found, err := l.Work(l.Cut())
	l.Tell(&found)
	return found.Alerts, err
}

// End declares every source idle and hands on what is left. Nothing closes
// because input ended: an episode that is open stays open.
func (l *Runner) End() ([]alerting.Alert, error) {
	l.EndSources()
	return l.Flush()
}

// EndSources declares every source idle.
func (l *Runner) EndSources() {
	for _, p := range l.Ingest.Progress() {
		l.Ingest.End(p.Source)
	}
}

// Cut is what was folded between two flushes, as records by partition.
type Cut struct{ sessions, partials [][][]byte }

// Cut hands out what was folded.
func (l *Runner) Cut() Cut {
	c := Cut{make([][][]byte, len(l.parts)), make([][][]byte, len(l.parts))}
	l.Ingest.Flush(l.topics,
		func(p int32, value []byte) { c.sessions[p] = append(c.sessions[p], value) },
		func(p int32, value []byte) { c.partials[p] = append(c.partials[p], value) })
	l.Ingest.Commit()
	return c
}

// Found is what came of a cut.
type Found struct {
	Alerts []alerting.Alert
	Judged alerting.Time // event time up to which everything is judged; 0: nothing is
	held   []correlate.Suppressed
}

// Tell gives Held what was held back.
func (l *Runner) Tell(f *Found) {
	for i := range f.held {
		if l.Held != nil {
			l.Held(&f.held[i])
		}
	}
}

// Work takes a cut through the operators after ingest. The next may be folded
// meanwhile. Cuts come one by one, in their order.
func (l *Runner) Work(c Cut) (found Found, err error) {
	if err := l.each(func(i int, p *part) error { return p.readTokens(c.sessions[i]) }); err != nil {
		return found, err
	}
	for _, p := range l.parts {
		for _, r := range p.found {
			c.partials[r.Partition] = append(c.partials[r.Partition], r.Value)
		}
	}
	if err := l.each(func(i int, p *part) error { return p.read(c.partials[i]) }); err != nil {
		return found, err
	}
	for waiting := true; waiting; {
		_ = l.each(func(_ int, p *part) error { // it has no error
			p.waiting = p.detect.Advance()
			p.report, _ = p.detect.Take()
			p.handed = p.detect.TakeHandovers()
			return nil
		})
		handed, err := l.handOver()
		if err != nil {
			return found, err
		}
		waiting = handed
		reported := handed
		for _, p := range l.parts {
			waiting = waiting || p.waiting
			if p.report == nil {
				continue
			}
			reported = true
			if err := l.Correlate.Apply(l.reports, p.report); err != nil {
				return found, err
			}
			if l.reports++; l.Reported != nil {
				l.Reported(p.report)
			}
		}
		if !reported {
			break
		}
		f := l.Correlate.Advance()
		found.Alerts, found.held = append(found.Alerts, f.Alerts...), append(found.held, f.Suppressed...)
		if f.Parameters != nil {
			if l.Learned != nil {
				l.Learned(f.Parameters)
			}
			for _, p := range l.parts {
				p.detect.SetParameters(f.Parameters)
			}
		}
	}
	found.Judged = alerting.Time(l.Correlate.Status().Closed)
	return found, nil
}

// handOver has the detect tasks read what they have handed over to each other, and
// reports whether that was anything.
func (l *Runner) handOver() (any bool, err error) {
	for _, p := range l.parts {
		for _, r := range p.handed {
			any = true
			if err := l.parts[r.Partition].read([][]byte{r.Value}); err != nil {
				return any, err
			}
		}
	}
	return any, nil
}

// each has all partitions do something side by side.
func (l *Runner) each(do func(i int, p *part) error) error {
	errs := make([]error, len(l.parts))
	var rest sync.WaitGroup
	for i, p := range l.parts[1:] {
		rest.Go(func() { errs[1+i] = do(1+i, p) })
	}
	errs[0] = do(0, l.parts[0])
	rest.Wait()
	return errors.Join(errs...)
}

// readTokens takes in records of weir.sessions and finds what nobody issued.
func (p *part) readTokens(values [][]byte) error {
	if p.join == nil {
		return nil
	}
	for _, value := range values {
		batch, err := stream.DecodeSessions(value)
		if err == nil {
			err = p.join.Apply(p.sessions, batch)
		}
		if err != nil {
			return err
		}
		p.sessions++
	}
	p.join.Advance()
	p.found, _ = p.join.Take()
	return nil
}

// read takes in records of weir.partials.
func (p *part) read(values [][]byte) error {
	for _, value := range values {
		batch, err := stream.DecodeBatch(value)
		if err == nil {
			err = p.detect.Apply(p.partials, batch)
		}
		if err != nil {
			return err
		}
		p.partials++
	}
	return nil
}

// Stats returns what the detect tasks did so far, all together.
func (l *Runner) Stats() detect.Stats {
	out := l.parts[0].detect.Stats()
	for _, p := range l.parts[1:] {
		s := p.detect.Stats()
		out.Identities += s.Identities
		out.ClosedMS = min(out.ClosedMS, s.ClosedMS)
	}
	return out
}

// NeverSeen returns the accounts and keys of which facts tell, and by which nobody acts.
func (l *Runner) NeverSeen() stream.NeverSeen {
	out := l.parts[0].detect.NeverSeen()
	for _, p := range l.parts[1:] {
		out = out.Both(p.detect.NeverSeen())
	}
	return out
}

// Ask asks for the numbers of an identity in a bin, as detect.Task.Ask does.
func (l *Runner) Ask(dimension int, identity string, bin int64) {
	l.asked(dimension, identity).detect.Ask(dimension, identity, bin)
}

// Answer returns what was asked for, or nil as long as the bin has not ended.
func (l *Runner) Answer(dimension int, identity string) *detect.BinAnswer {
	return l.asked(dimension, identity).detect.Answer()
}

// asked returns the partition of an identity.
func (l *Runner) asked(dimension int, identity string) *part {
	key := append([]byte{byte(dimension)}, identity...)
	return l.parts[stream.PartitionOf(key)%uint64(len(l.parts))]
}
