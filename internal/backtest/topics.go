package backtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/guess"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/message"
)

// Topics are the source topics of a configuration, as they stood when they were
// opened.
type Topics struct {
	conn    *cluster.Connection
	spans   []cluster.Span
	sources map[string]message.Source // by topic
}

// OpenTopics finds where the source topics begin and end now.
func OpenTopics(ctx context.Context, conn *cluster.Connection, c *config.Config) (*Topics, error) {
	sources, err := settings.Sources(c, conn.Logger)
	if err != nil {
		return nil, err
	}
	spans, err := cluster.Spans(ctx, conn, settings.SourceTopics(c), 0)
	if err != nil {
		return nil, err
	}
	return &Topics{conn: conn, spans: spans, sources: sources}, nil
}

// Topics returns the source topics with their partitions.
func (l *Topics) Topics() []stream.Topic {
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

// Read reads the partitions as Kafka hands them out: what is ahead in one is
// held until the others have come as far.
func (l *Topics) Read(ctx context.Context, r Reader) error {
	decoders := message.Decoders(l.sources)
	spans := append([]cluster.Span(nil), l.spans...)
	end := map[stream.Source]int64{}
	for _, s := range spans {
		src := stream.Source{Topic: s.Topic, Partition: s.Partition}
		if end[src] = s.End; s.Next >= s.End {
			r.End(src)
		}
	}
	pending, events, rejects := 0, 0, map[string]int64{}
	err := cluster.ReadSpans(ctx, l.conn, spans, func(rec *kgo.Record) error {
		src := stream.Source{Topic: rec.Topic, Partition: rec.Partition}
		err := decoders[rec.Topic].Decode(ctx, rec, func(ev *event.Event, rej *event.Reject) {
			if rej != nil {
				r.Reject(rej)
				rejects[rej.Reason.String()]++
				return
			}
			pending++
			events++
			r.Event(src, ev)
		})
		if err != nil {
			return err
		}
		r.Progress(src, rec.Offset+1)
		if rec.Offset+1 >= end[src] {
			r.End(src)
		}
		if pending < BatchEvents {
			return ctx.Err()
		}
		pending = 0
		return r.Flush(false)
	})
	if err != nil {
		return unlessEnough(err)
	}
	if err := r.Flush(true); err != nil {
		return unlessEnough(err)
	}
	if events == 0 && len(rejects) > 0 { // this must not look like a log in which nothing happened
		return fmt.Errorf("reading %s: no event could be read (%s); check the format of each source", strings.Join(slices.Sorted(maps.Keys(l.sources)), ", "), guess.Reasons(rejects))
	}
	return nil
}
