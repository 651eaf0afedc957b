package ingest

import (
	"slices"

	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// recordWriter writes partials into records of weir.partials.
type recordWriter struct {
	writer  *stream.PartialWriter
	records int64             // begun by writer; counts from 1
	refs    []stream.TraitRef // scratch
}

// write adds some partials of one identity to the record that is being written.
func (w *recordWriter) write(o *openPartials, a *accumulator, partials []int32) {
	w.writer.Group(w.refer(a))
	for _, at := range partials {
		open := &o.open[at]
		p := stream.Partial{
			Dimension: int(a.key[0]), Tick: open.tick, Apply: open.apply, Events: open.events,
			Records: sketches.From(sketches.PartialPrecision, o.touches.of(at)),
		}
		if r := open.rare; r != nil {
			p.Rows = r.rows
			p.Destructive = sketches.From(sketches.PartialPrecision, r.destructive)
		}
		w.refs = w.refs[:0]
		o.eachTrait(at, func(who int32, events uint32) {
			w.refs = append(w.refs, stream.TraitRef{Name: w.refer(o.dirty[who]), Events: events})
		})
		w.writer.Add(&p, w.refs)
	}
}

// refer returns what the record that is being written calls an identity.
func (w *recordWriter) refer(a *accumulator) int32 {
	if a.written != w.records {
		a.written, a.reference = w.records, w.writer.Name(a.key)
	}
	return a.reference
}

// close returns the record that was being written and begins the next.
func (w *recordWriter) close(header []byte) []byte {
	w.records++
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
	in.partials.touches.sort()
	for p, places := range in.partials.byPartition() {
		signed := in.signed.flush(p, func(list []stream.SignIn) { emit(int32(p), stream.AppendSignIns(slices.Clip(start), list)) })
		for _, at := range places {
			a := in.partials.dirty[at]
			if int(a.key[0]) == len(in.cfg.Dimensions) {
				continue // a name, which others have for a trait
			}
			for group := range slices.Chunk(a.partials, stream.TicksPerGroup) {
				in.records.write(&in.partials, a, group)
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
