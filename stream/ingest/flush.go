package ingest

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// Flush hands out what was counted since the last flush, as records of
// weir.partials: at least one to each partition, so that all of them learn the
// progress. Flushed is not committed: Commit or Abort must follow.
func (in *Worker) Flush(topics []stream.Topic, emit func(partition int32, value []byte)) {
	start := stream.AppendBroadcast(stream.AppendBatchHeader(nil, in.names, nil, nil), nil, nil)
	bare := stream.AppendSignIns(slices.Clip(start), nil)
	in.told.flush(func(facts []stream.FactRecord) {
		value := stream.AppendSignIns(stream.AppendBroadcast(stream.AppendBatchHeader(nil, in.names, nil, nil), facts, nil), nil)
		for p := range in.cfg.Partitions {
			emit(p, value)
		}
	})
	last := stream.AppendBatchHeader(nil, in.names, in.withSessions(topics), in.Progress())
	last = stream.AppendBroadcast(last, in.told.facts, in.told.active)
	in.sort()
	for p, places := range in.byPartition() {
		signed := in.signed.flush(p, func(list []stream.SignIn) { emit(int32(p), stream.AppendSignIns(slices.Clip(start), list)) })
		for _, at := range places {
			a := in.dirty[at]
			for group := range slices.Chunk(a.ticks, stream.TicksPerGroup) {
				in.write(a, group)
				if in.writer.Size() > stream.MaxBatch {
					emit(int32(p), in.closeRecord(bare))
				}
			}
		}
		emit(int32(p), in.closeRecord(stream.AppendSignIns(slices.Clip(last), signed)))
	}
	in.drop()
	in.forget()
}

// byPartition returns the places of the identities with something to flush, in
// the order in which they came, and sorts the ticks of each.
func (in *Worker) byPartition() [][]int32 {
	out := in.parting
	if out == nil {
		out = make([][]int32, in.cfg.Partitions)
	}
	for i := range out {
		out[i] = out[i][:0]
	}
	for at, a := range in.dirty {
		a.used = in.flushes
		out[a.partition] = append(out[a.partition], int32(at))
		if len(a.ticks) > 1 {
			slices.SortFunc(a.ticks, func(x, y int32) int {
				cx, cy := &in.counts[x], &in.counts[y]
				return cmp.Or(cmp.Compare(cx.tick, cy.tick), cmp.Compare(cx.apply, cy.apply))
			})
		}
	}
	in.parting = out
	return out
}

// sort brings the touches of each count together, in sorted.
func (in *Worker) sort() {
	in.sorted = slices.Grow(in.sorted[:0], len(in.entries))[:len(in.entries)]
	next := int32(0)
	for i := range in.counts {
		c := &in.counts[i]
		next, c.end = next+c.end, next
	}
	for i, owner := range in.owners {
		c := &in.counts[owner]
		in.sorted[c.end] = in.entries[i]
		c.end++
	}
}

// touches returns the touches of a count, once sorted, to be used up.
func (in *Worker) touches(at int32) []sketches.Entry {
	from := int32(0)
	if at > 0 {
		from = in.counts[at-1].end
	}
	return in.sorted[from:in.counts[at].end]
}

// write adds some ticks of one identity to the record in hand.
func (in *Worker) write(a *accumulator, ticks []int32) {
	in.writer.Group(in.refer(a))
	for _, at := range ticks {
		c := &in.counts[at]
		p := stream.Partial{
			Dimension: int(a.key[0]), Tick: c.tick, Apply: c.apply, Events: c.events,
			Records: sketches.From(sketches.PartialPrecision, in.touches(at)),
		}
		if r := c.rare; r != nil {
			p.Rows, p.Tokens = r.rows, r.tokens
			p.Destructive = sketches.From(sketches.PartialPrecision, r.destructive)
		}
		in.writer.Add(&p, in.traitRefs(at))
	}
}

// refer returns what the record in hand calls an identity.
func (in *Worker) refer(a *accumulator) int32 {
	if a.written != in.records {
		a.written, a.reference = in.records, in.writer.Name(a.key)
	}
	return a.reference
}

// closeRecord returns the record in hand and begins the next.
func (in *Worker) closeRecord(header []byte) []byte {
	in.records++
	value := make([]byte, 0, len(header)+in.writer.Size()+64)
	return in.writer.Append(append(value, header...))
}
