package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Span is a piece of a partition that is read once.
type Span struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Next      int64  `json:"next"` // offset to be read next
	End       int64  `json:"end"`  // first offset that does not belong to it
	// Deleted is the offset below which the partition's retention has deleted what
	// may belong to it; 0: nothing.
	Deleted int64 `json:"deleted,omitempty"`
}

// Spans returns what the topics hold now of records that were stamped at the
// time, Unix milliseconds, or later: all that is committed.
func Spans(ctx context.Context, conn *Connection, topics []string, from int64) ([]Span, error) {
	cl, err := conn.Client(ctx)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	var lists [3]kadm.ListedOffsets
	for i, list := range []func() (kadm.ListedOffsets, error){
		func() (kadm.ListedOffsets, error) { return adm.ListStartOffsets(ctx, topics...) },
		func() (kadm.ListedOffsets, error) { return adm.ListOffsetsAfterMilli(ctx, max(from, 0), topics...) },
		func() (kadm.ListedOffsets, error) { return adm.ListCommittedOffsets(ctx, topics...) },
	} {
		if lists[i], err = list(); err == nil {
			err = lists[i].Error()
		}
		if err != nil {
			return nil, fmt.Errorf("finding the offsets of %v: %w", topics, Explain(err))
		}
	}
	var out []Span
	for _, end := range lists[2].Offsets().Sorted() {
		start, _ := lists[0].Lookup(end.Topic, end.Partition)
		first, _ := lists[1].Lookup(end.Topic, end.Partition)
		span := Span{Topic: end.Topic, Partition: end.Partition, Next: min(first.Offset, end.At), End: end.At}
		if first.Offset == start.Offset {
			span.Deleted = start.Offset
		}
		out = append(out, span)
	}
	return out, nil
}

// ReadSpans hands the records of the spans to fn, those of a partition in their
// order, and moves each span on once fn has taken the record.
func ReadSpans(ctx context.Context, conn *Connection, spans []Span, fn func(*kgo.Record) error) error {
	cl, err := conn.Client(ctx, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	if err != nil {
		return err
	}
	defer cl.Close()
	type partition struct {
		topic string
		n     int32
	}
	open := map[partition]*Span{}
	from := map[string]map[int32]kgo.Offset{}
	for i := range spans {
		s := &spans[i]
		if s.Next >= s.End {
			continue
		}
		open[partition{s.Topic, s.Partition}] = s
		if from[s.Topic] == nil {
			from[s.Topic] = map[int32]kgo.Offset{}
		}
		from[s.Topic][s.Partition] = kgo.NewOffset().At(s.Next)
	}
	cl.AddConsumePartitions(from)
	for len(open) > 0 {
		wait, cancel := context.WithTimeout(ctx, stalled)
		fetches := cl.PollFetches(wait)
		cancel()
		if err := TaskError(ctx, fetches); err != nil {
			return err
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			r := iter.Next()
			s := open[partition{r.Topic, r.Partition}]
			if s == nil || r.Offset >= s.End {
				continue
			}
			if !r.Attrs.IsControl() {
				if err := fn(r); err != nil {
					return err
				}
			}
			if s.Next = r.Offset + 1; s.Next >= s.End {
				delete(open, partition{r.Topic, r.Partition})
				cl.PauseFetchPartitions(map[string][]int32{r.Topic: {r.Partition}})
			}
		}
	}
	return nil
}

// mostSince bounds what ReadSince reads of a partition.
const mostSince = 50_000

// ReadSince hands the records of a topic to fn that were stamped at the time or later, of
// each partition the last 50 000 of them at most.
func ReadSince(ctx context.Context, conn *Connection, topic string, from time.Time, fn func(*kgo.Record)) error {
	spans, err := Spans(ctx, conn, []string{topic}, from.UnixMilli())
	if err != nil {
		return err
	}
	for i := range spans {
		spans[i].Next = max(spans[i].Next, spans[i].End-mostSince)
	}
	return ReadSpans(ctx, conn, spans, func(rec *kgo.Record) error {
		fn(rec)
		return nil
	})
}
