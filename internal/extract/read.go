package extract

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/eventsort"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/message"
	"github.com/weirhq/weir/stream/kafka/sources"
)

// ReadTopics reads the source topics from where records of the interval may
// stand to their ends of now: an event may come late, and none is dated further
// past its record's timestamp than the future limit allows.
func (x *Extraction) ReadTopics(ctx context.Context, conn *cluster.Connection, s *settings.Settings) error {
	read, err := settings.Sources(s.Config, conn.Logger)
	if err != nil {
		return err
	}
	decoders := message.Decoders(read)
	names := settings.SourceTopics(s.Config)
	err = x.only.prepare(ctx, x.match, func(ctx context.Context, from int64, yield yield) error {
		spans, err := cluster.Spans(ctx, conn, names, max(from-x.future, 0))
		if err != nil {
			return err
		}
		return x.look(ctx, conn, s, spans, decoders, yield)
	})
	if err != nil {
		return err
	}
	if x.state.Spans == nil {
		if x.state.Spans, err = cluster.Spans(ctx, conn, names, x.episode.since-x.future); err != nil {
			return err
		}
	}
	left := func() (n int64) {
		for _, span := range x.state.Spans {
			n += max(0, span.End-span.Next)
		}
		return n
	}
	for _, span := range x.state.Spans {
		x.counted.add(stream.Source{Topic: span.Topic, Partition: span.Partition}, span.Next, x.state.Progress)
	}
	all := left()
	err = cluster.ReadSpans(ctx, conn, x.state.Spans, func(r *kgo.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		x.where = fmt.Appendf(x.where[:0], `{"topic":%q,"partition":%d,"offset":%d,`, r.Topic, r.Partition, r.Offset)
		x.at, x.stamp = placeOf(r), r.Timestamp.UnixMilli()
		x.counted.begin(x.at, sources.Appended(r))
		if err := decoders[r.Topic].Decode(ctx, r, x.decoded); err != nil {
			return err
		}
		x.progress.Show("%s records to read of %s, %s customers", alerting.Group(left()), alerting.Group(all), alerting.Group(x.state.Records))
		x.counted.read(x.at)
		// The span moves on after this record, so the state of the one before
		// it is whole.
		return x.save(r.Topic, r.Partition, r.Offset)
	})
	if err == nil {
		x.counted.end()
	}
	return err
}

// placeOf returns where a record stands.
func placeOf(r *kgo.Record) place {
	return place{stream.Source{Topic: r.Topic, Partition: r.Partition}, r.Offset}
}

// look hands the events of spans to yield.
func (x *Extraction) look(ctx context.Context, conn *cluster.Connection, s *settings.Settings, spans []cluster.Span, decoders map[string]*message.Decoder, yield yield) error {
	n, c := int64(0), newCounted(s.Ingest, func(ev *event.Event, at int64, _ []byte) { yield(ev, at) })
	for _, span := range spans {
		c.add(stream.Source{Topic: span.Topic, Partition: span.Partition}, span.Next, nil)
	}
	err := cluster.ReadSpans(ctx, conn, spans, func(r *kgo.Record) error {
		n++
		x.progress.Show("finding out what to list: %s records", alerting.Group(n))
		at := placeOf(r)
		c.begin(at, sources.Appended(r))
		err := decoders[r.Topic].Decode(ctx, r, func(ev *event.Event, rej *event.Reject) {
			if rej == nil {
				c.event(at, r.Timestamp.UnixMilli(), nil, ev)
			}
		})
		c.read(at)
		return cmp.Or(err, ctx.Err())
	})
	if err == nil {
		c.end()
	}
	return err
}

// lookAtFile hands the events of a file to yield.
func (x *Extraction) lookAtFile(ctx context.Context, format *fieldmap.Format, name string, yield func(value int64, ev *event.Event)) error {
	file, err := files.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines, decoder := files.NewReader(file, format), format.NewDecoder()
	for value := int64(1); ctx.Err() == nil; value++ {
		line, n, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		x.progress.Show("finding out what to list: line %s of %s", alerting.Group(n), name)
		decoder.Decode(line, func(ev *event.Event, rej *event.Reject) {
			if rej == nil {
				yield(value, ev)
			}
		})
	}
	return ctx.Err()
}

// order is how a backtest reads a file.
type order struct {
	sorted  bool
	reached int64 // latest time of a sorted file that is believed, Unix ms
}

// orderOf finds out how a backtest reads a file.
func (x *Extraction) orderOf(ctx context.Context, format *fieldmap.Format, name string) (o order, err error) {
	if name == "-" {
		return o, nil // it can be read once
	}
	info, err := os.Stat(name)
	if err != nil {
		return o, fmt.Errorf("opening the events: %w", err)
	}
	if !info.Mode().IsRegular() {
		return o, nil
	}
	found := eventsort.NewOrder()
	o.reached = eventtime.Never
	err = x.lookAtFile(ctx, format, name, func(_ int64, ev *event.Event) {
		if ev.Time <= x.stamp+x.future {
			o.reached = max(o.reached, ev.Time)
		}
		found.Observe(ev)
	})
	if o.sorted = !found.Fine(); o.reached == eventtime.Never { // none is: then all are
		o.reached = math.MaxInt64
	}
	return o, err
}

// follow has a reader go by the order in which a backtest reads a file.
func (x *Extraction) follow(c *counted, o order) {
	c.sorted, c.believed, c.reached = o.sorted, x.stamp+x.future, o.reached
}

// ReadFiles reads the files one after the other.
func (x *Extraction) ReadFiles(ctx context.Context, names []string, format *fieldmap.Format) error {
	orders := map[string]order{}
	for _, name := range names {
		var err error
		if orders[name], err = x.orderOf(ctx, format, name); err != nil {
			return err
		}
	}
	err := x.only.prepare(ctx, x.match, func(ctx context.Context, _ int64, yield yield) error {
		for _, name := range names {
			c := newCounted(x.ingest, func(ev *event.Event, at int64, _ []byte) { yield(ev, at) })
			x.follow(c, orders[name])
			c.add(stream.Source{Topic: name}, 0, nil)
			err := x.lookAtFile(ctx, format, name, func(value int64, ev *event.Event) {
				at := place{stream.Source{Topic: name}, value}
				c.begin(at, eventtime.Never)
				c.event(at, x.stamp, nil, ev)
				c.read(at)
			})
			if err != nil {
				return err
			}
			c.end()
		}
		return nil
	})
	if err != nil {
		return err
	}
	if x.state.Spans == nil {
		for _, name := range names {
			x.state.Spans = append(x.state.Spans, cluster.Span{Topic: name})
		}
	}
	for i := range x.state.Spans {
		span := &x.state.Spans[i]
		x.counted.add(stream.Source{Topic: span.Topic}, span.Next, x.state.Progress)
	}
	for i := range x.state.Spans {
		x.follow(x.counted, orders[x.state.Spans[i].Topic])
		if err := x.readFile(ctx, format, &x.state.Spans[i]); err != nil {
			return fmt.Errorf("reading %s: %w", x.state.Spans[i].Topic, err)
		}
	}
	return nil
}

func (x *Extraction) readFile(ctx context.Context, format *fieldmap.Format, span *cluster.Span) error {
	file, err := files.Open(span.Topic)
	if err != nil {
		return err
	}
	defer file.Close()
	lines, decoder := files.NewReader(file, format), format.NewDecoder()
	for value := int64(1); ; value++ { // a line may hold several
		line, n, err := lines.Next()
		if errors.Is(err, io.EOF) {
			x.counted.ingest.End(stream.Source{Topic: span.Topic})
			return nil
		}
		if err != nil {
			return err
		}
		if value < span.Next {
			continue // taken before the interruption
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		x.where = fmt.Appendf(x.where[:0], `{"file":%s,"line":%d,`, quoted(span.Topic), n)
		x.at = place{stream.Source{Topic: span.Topic}, value}
		x.counted.begin(x.at, eventtime.Never)
		decoder.Decode(line, x.decoded)
		x.counted.read(x.at)
		x.progress.Show("line %s of %s, %s customers", alerting.Group(n), span.Topic, alerting.Group(x.state.Records))
		if err := x.save(span.Topic, 0, value); err != nil {
			return err
		}
		span.Next = value + 1
	}
}

// quoted returns a JSON string.
func quoted(s string) []byte {
	b, _ := json.Marshal(s) // a string always marshals
	return bytes.TrimSpace(b)
}
