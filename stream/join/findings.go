package join

import (
	"maps"
	"slices"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// findings turns reads through tokens that nobody issued into partials of everybody
// whom the reads were on behalf of.
type findings struct {
	grid  eventtime.Grid
	names []string            // of the dimensions
	order []int               // of dimensions: see tokenOrder
	tick  map[string]*finding // of the tick that is being closed, by dimension byte and name
	out   []*stream.PartialWriter
	ready []stream.Routed // records that were full
}

// finding is what was found in one tick of tokens that nobody issued and that read on
// behalf of one identity.
type finding struct {
	found   []sketches.Entry // tokens that were found to be so
	tokens  []sketches.Entry // those that read and count for its dimension
	records sketches.Window  // what the latter read
}

func newFindings(grid eventtime.Grid, dims []event.Dimension, partitions int32) findings {
	f := findings{grid: grid, order: tokenOrder(dims), tick: map[string]*finding{}}
	minutes := stream.TickMinutes(grid.TickMinutes())
	for range partitions {
		f.out = append(f.out, stream.NewPartialWriter(minutes, len(dims)))
	}
	for _, d := range dims {
		f.names = append(f.names, d.Name)
	}
	return f
}

// tokenOrder returns the dimensions in the order in which tokens are counted:
// each token counts for the first of them that its reads have, so that one
// forger is one fact.
func tokenOrder(dims []event.Dimension) (out []int) {
	for _, field := range []string{"key_id", "client_family", "client", "network", "endpoint", "actor"} {
		for i, d := range dims {
			if len(d.Fields) == 1 && d.Fields[0] == field {
				out = append(out, i)
			}
		}
	}
	for i := range dims {
		if !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

// add counts a read through a token that nobody issued, the token in the tick in
// which it read. first says that the token is found to be so by it.
func (f *findings) add(r *stream.SessionRead, first bool) {
	counted := stream.NoDimension
	for _, dim := range f.order {
		if slices.ContainsFunc(r.Who, func(i stream.IdentityRef) bool { return i.Dimension == dim }) {
			counted = dim
			break
		}
	}
	entry := sketches.NewEntry(r.Token, eventtime.MinuteOf(f.grid.TickStart(r.Tick)))
	for _, who := range r.Who {
		if !first && who.Dimension != counted {
			continue
		}
		key := string(append([]byte{byte(who.Dimension)}, who.Name...))
		is := f.tick[key]
		if is == nil {
			is = &finding{records: sketches.New(sketches.PartialPrecision)}
			f.tick[key] = is
		}
		if first {
			is.found = append(is.found, entry)
		}
		if who.Dimension == counted {
			is.tokens = append(is.tokens, entry)
			is.records.Merge(&r.Records)
		}
	}
}

// close turns what was found in a tick into partials.
func (f *findings) close(tick int64) {
	for _, key := range slices.Sorted(maps.Keys(f.tick)) {
		is := f.tick[key]
		partition := int32(stream.PartitionOf([]byte(key)) % uint64(len(f.out)))
		w := f.out[partition]
		w.Group(w.Name(key))
		w.Add(&stream.Partial{
			Dimension: int(key[0]), Tick: tick, Apply: tick,
			Unissued:       sketches.From(sketches.PartialPrecision, is.found),
			UnissuedTokens: sketches.From(sketches.PartialPrecision, is.tokens), UnissuedRecords: is.records,
		}, nil)
		if w.Size() > stream.MaxBatch {
			f.ready = append(f.ready, stream.Routed{Partition: partition, Value: w.Append(f.header(nil))})
		}
	}
	clear(f.tick)
}

// take hands out the partials of the ticks that were closed, at least one record to
// each partition, the last of them with the progress.
func (f *findings) take(progress []stream.Progress) []stream.Routed {
	out := f.ready
	f.ready = nil
	for p, w := range f.out {
		out = append(out, stream.Routed{Partition: int32(p), Value: w.Append(f.header(progress))})
	}
	return out
}

func (f *findings) header(progress []stream.Progress) []byte {
	return stream.AppendSignIns(stream.AppendBroadcast(stream.AppendBatchHeader(nil, f.names, nil, progress), nil, nil), nil)
}
