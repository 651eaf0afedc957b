package extract

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/message"
)

// ReadTopics reads the source topics from where records of the interval may
// stand to their ends of now: an event may come late, and none is dated further
// past its record's timestamp than the future limit allows.
func (x *Extraction) ReadTopics(ctx context.Context, conn *cluster.Connection, s *settings.Settings) error {
	sources, err := settings.Sources(s.Config, conn.Logger)
	if err != nil {
		return err
	}
	decoders := message.Decoders(sources)
	names := settings.SourceTopics(s.Config)
	err = x.only.prepare(ctx, x.match, func(ctx context.Context, from int64, yield func(*event.Event)) error {
		spans, err := cluster.Spans(ctx, conn, names, max(from-x.future, 0))
		if err != nil {
			return err
		}
		return x.look(ctx, conn, spans, decoders, yield)
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
	all := left()
	return cluster.ReadSpans(ctx, conn, x.state.Spans, func(r *kgo.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		x.where = fmt.Appendf(x.where[:0], `{"topic":%q,"partition":%d,"offset":%d,`, r.Topic, r.Partition, r.Offset)
		if err := decoders[r.Topic].Decode(ctx, r, x.decoded); err != nil {
			return err
		}
		x.progress.Show("%s records to read of %s, %s customers", alerting.Group(left()), alerting.Group(all), alerting.Group(x.state.Records))
		// The span moves on after this record, so the state of the one before
		// it is whole.
		return x.save(r.Topic, r.Partition, r.Offset)
	})
}

// look hands the events of spans to yield.
func (x *Extraction) look(ctx context.Context, conn *cluster.Connection, spans []cluster.Span, decoders map[string]*message.Decoder, yield func(*event.Event)) error {
	n := int64(0)
	return cluster.ReadSpans(ctx, conn, spans, func(r *kgo.Record) error {
		n++
		x.progress.Show("finding out what to list: %s records", alerting.Group(n))
		err := decoders[r.Topic].Decode(ctx, r, func(ev *event.Event, rej *event.Reject) {
			if rej == nil {
				yield(ev)
			}
		})
		return cmp.Or(err, ctx.Err())
	})
}

// lookAtFile hands the events of a file to yield.
func (x *Extraction) lookAtFile(ctx context.Context, format *fieldmap.Format, name string, yield func(*event.Event)) error {
	file, err := files.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines, decoder := files.NewReader(file, format), format.NewDecoder()
	for ctx.Err() == nil {
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
				yield(ev)
			}
		})
	}
	return ctx.Err()
}

// ReadFiles reads the files one after the other.
func (x *Extraction) ReadFiles(ctx context.Context, names []string, format *fieldmap.Format) error {
	err := x.only.prepare(ctx, x.match, func(ctx context.Context, _ int64, yield func(*event.Event)) error {
		for _, name := range names {
			if err := x.lookAtFile(ctx, format, name, yield); err != nil {
				return err
			}
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
		decoder.Decode(line, x.decoded)
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
