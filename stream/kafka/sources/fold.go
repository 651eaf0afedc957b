package sources

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// countLosses counts what was deleted before it could be read.
func (r *run) countLosses(fetches kgo.Fetches) {
	for _, e := range fetches.Errors() {
		var loss *kgo.ErrDataLoss
		if errors.As(e.Err, &loss) {
			r.countLoss(e.Topic, e.Partition, loss.ConsumedTo, loss.ResetTo)
		}
	}
}

// countLoss counts the offsets from one to another as lost.
func (r *run) countLoss(topic string, partition int32, from, to int64) {
	r.Metrics.LostOffsets.WithLabelValues(topic, metrics.Label(partition)).Add(float64(max(to-from, 0)))
	r.Log.Error("source offsets are gone: deleted by retention, or the topic was made anew",
		"topic", topic, "partition", partition, "from", from, "to", to)
}

// fold counts the events of one poll into partials.
func (r *run) fold(ctx context.Context, fetches kgo.Fetches) error {
	var failed error
	r.ingest.Now(time.Now().UnixMilli())
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if failed != nil || len(p.Records) == 0 {
			return
		}
		src := stream.Source{Topic: p.Topic, Partition: p.Partition}
		f := folder{run: r, src: src}
		yield := f.yield
		decoder := r.decoders[p.Topic]
		before := r.ingest.At(src)
		if gone := min(p.Records[0].Offset, p.LogStartOffset) - before.Offset; gone > 0 {
			r.countLoss(p.Topic, p.Partition, before.Offset, before.Offset+gone)
		}
		size := 0
		for _, rec := range p.Records {
			if !rec.Attrs.IsControl() {
				f.offset, f.stamp = rec.Offset, rec.Timestamp.UnixMilli()
				r.ingest.Begin(src, rec.Offset, Appended(rec))
				size += len(rec.Value)
				if failed = decoder.Decode(ctx, rec, yield); failed != nil {
					return
				}
			}
			r.ingest.Read(src, rec.Offset+1)
		}
		at := r.partitions[src]
		if r.ingest.At(src).MaxTime != before.MaxTime {
			at.quiet = time.Now()
		}
		f.count(size)
		at.lag = p.HighWatermark - 1 - p.Records[len(p.Records)-1].Offset
		r.Metrics.LagOffsets.WithLabelValues(p.Topic, metrics.Label(p.Partition)).Set(float64(at.lag))
	})
	return failed
}

// Appended returns when the broker wrote a record by its own clock, Unix ms;
// eventtime.Never if the record's timestamp is its producer's.
func Appended(rec *kgo.Record) int64 {
	const byBroker = 1 // kgo: LogAppendTime
	if rec.Attrs.TimestampType() != byBroker {
		return eventtime.Never
	}
	return rec.Timestamp.UnixMilli()
}

// decided counts what became of an event that waited.
func (r *run) decided(d ingest.Decision) {
	r.Metrics.Events.WithLabelValues(d.Source.Topic, d.Outcome.String()).Inc()
	switch d.Outcome {
	case ingest.Expired:
		r.rejects.add(d.Source, d.Offset, d.Outcome.String(), "time")
		return
	case ingest.Ahead:
		r.warnAhead(&d)
	}
	if !d.Event.Action.Access() {
		r.Metrics.Facts.WithLabelValues(d.Event.Action.String()).Inc()
	}
}

// warnLate says of a partition, not more than once in a while, that most of its events
// are late: its order tells nothing then.
func (f *folder) warnLate() {
	const few = 100
	late, at := f.outcomes[ingest.Late], f.partitions[f.src]
	if now := time.Now(); late > few && late > f.outcomes[ingest.Counted] && now.Sub(at.warnedLate) >= warnOften {
		f.Log.Warn("most events are older than others before them, so little can be seen: the source must write them in the order in which they happened, oldest first",
			"topic", f.src.Topic, "partition", f.src.Partition, "offset", f.offset, "late", late)
		at.warnedLate = now
	}
}

// warnOften is how often one warning about a partition is repeated at most.
const warnOften = 10 * time.Minute

// warnAhead says of a partition, not more than once in a while, that dates of events
// are not believed.
func (r *run) warnAhead(d *ingest.Decision) {
	at := r.partitions[d.Source]
	at.ahead++
	if now := time.Now(); now.Sub(at.warned) >= warnOften {
		r.Log.Warn("events are dated far ahead of those around them, and are counted at the time of those: look for a wrong clock at their source",
			"topic", d.Source.Topic, "partition", d.Source.Partition, "offset", d.Offset, "dated", time.UnixMilli(d.Dated).UTC(), "events", at.ahead)
		at.warned, at.ahead = now, 0
	}
}

// folder counts what becomes of the events of one partition in one poll.
type folder struct {
	*run
	src      stream.Source
	offset   int64 // of the record in hand
	stamp    int64 // of the record in hand, Unix ms
	outcomes [ingest.NumOutcomes]int
	facts    map[event.Action]int
	chosen   int // events that the format leaves out by its own choice
	notes    map[event.Notes]int
}

// yield takes in one event, or the reason why it could not be decoded.
func (f *folder) yield(ev *event.Event, rej *event.Reject) {
	if rej != nil {
		if rej.Reason.Chosen() {
			f.chosen++
			return
		}
		f.rejects.add(f.src, f.offset, rej.Reason.String(), rej.Path)
		return
	}
	if ev.Notes != 0 {
		if f.notes == nil {
			f.notes = map[event.Notes]int{}
		}
		f.notes[ev.Notes]++
	}
	outcome := f.ingest.Fold(f.src, f.stamp, ev)
	if outcome == ingest.Waiting {
		return
	}
	f.outcomes[outcome]++
	if outcome == ingest.Fact {
		if f.facts == nil {
			f.facts = map[event.Action]int{}
		}
		f.facts[ev.Action]++
	}
	if outcome == ingest.Expired {
		f.rejects.add(f.src, f.offset, outcome.String(), "time")
	}
}

// count adds to the metrics what was folded; size is in bytes.
func (f *folder) count(size int) {
	m := f.Metrics
	for o, n := range f.outcomes {
		if n > 0 {
			m.Events.WithLabelValues(f.src.Topic, ingest.Outcome(o).String()).Add(float64(n))
		}
	}
	f.warnLate()
	for action, n := range f.facts {
		m.Facts.WithLabelValues(action.String()).Add(float64(n))
	}
	if f.chosen > 0 {
		m.Events.WithLabelValues(f.src.Topic, "left_out").Add(float64(f.chosen))
	}
	for set, n := range f.notes {
		for _, name := range strings.Split(set.String(), ",") {
			m.Notes.WithLabelValues(f.src.Topic, name).Add(float64(n))
		}
	}
	m.Bytes.WithLabelValues("ingest", "read").Add(float64(size))
}
