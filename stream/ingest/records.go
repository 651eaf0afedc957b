package ingest

import (
	"slices"

	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// recordWriter writes partials into records of weir.partials.
type recordWriter struct {
	writer *stream.PartialWriter
	named  namesOfRecord
	refs   []stream.TraitRef // scratch
}

// write adds some partials of one identity, by its place, to the record that is being
// written.
func (w *recordWriter) write(o *openPartials, place int32, partials []int32) {
	refer := func(place int32) int32 {
		reference, known := w.named.reference(place)
		if !known {
			reference = w.writer.Name(o.key(place))
			w.named.refer(place, reference)
		}
		return reference
	}
	w.writer.Group(refer(place))
	dimension := int(o.key(place)[0])
	for _, at := range partials {
		open := &o.open[at]
		p := stream.Partial{
			Dimension: dimension, Tick: open.tick, Apply: open.apply, Events: open.events,
			Records: sketches.From(sketches.PartialPrecision, o.touched(at)),
		}
		if r := open.rare; r != nil {
			p.Rows = r.rows
			p.Destructive = sketches.From(sketches.PartialPrecision, r.destructive)
		}
		w.refs = o.appendTraits(w.refs[:0], at, refer)
		w.writer.Add(&p, w.refs)
	}
}

// close returns the record that was being written and begins the next.
func (w *recordWriter) close(header []byte) []byte {
	w.named.next()
	value := make([]byte, 0, len(header)+w.writer.Size()+64)
	return w.writer.Append(append(value, header...))
}

// Emit takes one record for one partition of a topic.
type Emit func(partition int32, value []byte)

// Flush hands out what was folded since the last flush, as records of weir.sessions
// (where there is a join) and of weir.partials: at least one to each partition of
// both, so that all of them learn the progress. What was flushed is not committed:
// Commit or Abort must follow.
func (in *Worker) Flush(topics []stream.Topic, sessions, partials Emit) {
	progress := in.Progress()
	if in.cfg.SessionsTopic != "" {
		in.tokens.flush(in.names, &in.partials, topics, progress, sessions)
	}
	in.flushPartials(topics, progress, partials)
	in.drop()
	in.partials.flushed()
}

func (in *Worker) flushPartials(topics []stream.Topic, progress []stream.Progress, emit Emit) {
	start := stream.AppendBroadcast(stream.AppendBatchHeader(nil, in.names, nil, nil), nil, nil)
	bare := stream.AppendSignIns(slices.Clip(start), nil)
	facts := in.broadcast.flush(func(facts []stream.FactRecord) {
		value := stream.AppendSignIns(stream.AppendBroadcast(stream.AppendBatchHeader(nil, in.names, nil, nil), facts, nil), nil)
		for p := range in.cfg.Partitions {
			emit(p, value)
		}
	})
	last := stream.AppendBatchHeader(nil, in.names, in.withSessions(topics), progress)
	last = stream.AppendBroadcast(last, facts, in.broadcast.active)
	in.partials.gather()
	in.records.named.begin(len(in.partials.dirty))
	in.records.named.next()
	for p, places := range in.partials.byPartition() {
		signed := in.signed.flush(p, func(list []stream.SignIn) { emit(int32(p), stream.AppendSignIns(slices.Clip(start), list)) })
		for _, at := range places {
			if int(in.partials.key(at)[0]) == in.partials.dimensions {
				continue // a name, which others have for a trait
			}
			for group := range slices.Chunk(in.partials.ofIdentity(at), stream.TicksPerGroup) {
				in.records.write(&in.partials, at, group)
				if in.records.writer.Size() > stream.MaxBatch {
					emit(int32(p), in.records.close(bare))
				}
			}
		}
		emit(int32(p), in.records.close(stream.AppendSignIns(slices.Clip(last), signed)))
	}
}

// withSessions adds the join's progress to what the watermark waits for.
func (in *Worker) withSessions(topics []stream.Topic) []stream.Topic {
	if in.cfg.SessionsTopic == "" || len(topics) == 0 {
		return topics
	}
	return append(slices.Clone(topics), stream.Topic{Name: in.cfg.SessionsTopic, Partitions: in.cfg.Partitions, Listed: topics[0].Listed})
}
