package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka"
)

// openLog returns the files as a log or, where none is named, the source topics
// of the configuration. It is for commands that read it more than once.
func openLog(ctx context.Context, cmd *cobra.Command, command string, names []string, format, config string, s *settings) (eventLog, error) {
	if len(names) > 0 {
		f, err := files.LoadFormat(format)
		if err != nil {
			return nil, usagef("%w", err)
		}
		l := &logFiles{names: names, format: f}
		return l, l.repeatable(command)
	}
	if config == "" {
		return nil, usagef("%s needs FILEs, or a configuration (-c FILE), whose source topics it then reads", command)
	}
	if len(s.config.Sources) == 0 {
		return nil, s.config.CheckRun()
	}
	_, conn, err := reach(ctx, config, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	return newLogTopics(ctx, conn, s)
}

// logTopics are the source topics as they stand when it is made.
type logTopics struct {
	conn    *kafka.Connection
	spans   []kafka.Span
	formats map[string]*fieldmap.Format // by topic
}

func newLogTopics(ctx context.Context, conn *kafka.Connection, s *settings) (*logTopics, error) {
	l := &logTopics{conn: conn, formats: map[string]*fieldmap.Format{}}
	for i, src := range s.config.Sources {
		f, err := files.LoadFormat(src.Format)
		if err != nil {
			return nil, s.config.At(fmt.Sprintf("sources[%d].format", i), err)
		}
		l.formats[src.Topic] = f
	}
	var err error
	l.spans, err = kafka.Spans(ctx, conn, sourceNames(s.config), 0)
	return l, err
}

func (l *logTopics) topics() []stream.Topic {
	partitions := map[string]int32{}
	var out []stream.Topic
	for _, s := range l.spans { // sorted by topic and partition
		if partitions[s.Topic] == 0 {
			out = append(out, stream.Topic{Name: s.Topic})
		}
		partitions[s.Topic]++
		out[len(out)-1].Partitions = partitions[s.Topic]
	}
	return out
}

// each reads the partitions as Kafka hands them out: what is ahead in one is
// held until the others have come as far.
func (l *logTopics) each(ctx context.Context, r logReader) error {
	decoders := map[string]*fieldmap.Decoder{}
	for topic, f := range l.formats {
		decoders[topic] = f.NewDecoder()
	}
	spans := append([]kafka.Span(nil), l.spans...)
	end := map[stream.Source]int64{}
	for _, s := range spans {
		src := stream.Source{Topic: s.Topic, Partition: s.Partition}
		if end[src] = s.End; s.Next >= s.End {
			r.ended(src)
		}
	}
	pending := 0
	err := kafka.ReadSpans(ctx, l.conn, spans, func(rec *kgo.Record) error {
		src := stream.Source{Topic: rec.Topic, Partition: rec.Partition}
		decoders[rec.Topic].Decode(rec.Value, func(ev *event.Event, rej *event.Reject) {
			if rej != nil {
				r.reject(rej)
				return
			}
			pending++
			r.event(src, ev)
		})
		r.read(src, rec.Offset+1)
		if rec.Offset+1 >= end[src] {
			r.ended(src)
		}
		if pending < batchEvents {
			return ctx.Err()
		}
		pending = 0
		return r.flush(false)
	})
	if err != nil {
		return enough(err)
	}
	return enough(r.flush(true))
}
