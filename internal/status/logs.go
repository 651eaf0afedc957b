package status

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/sources"
)

const (
	rejectsOf   = 24 * time.Hour
	deliveredOf = 7 * 24 * time.Hour
)

// exists reports whether the cluster has a topic.
func (r *reader) exists(topic string) bool { return r.have[topic].Err == nil }

// readSince hands the records of one of weir's own topics to fn that were appended
// within a span. A topic that is not there has none.
func (r *reader) readSince(ctx context.Context, topic string, span time.Duration, fn func(*kgo.Record)) error {
	if !r.exists(topic) {
		return nil
	}
	return cluster.ReadSince(ctx, r.conn, topic, r.now.Add(-span), fn)
}

// readRejects counts what could not be taken in, by source and reason.
func (r *reader) readRejects(ctx context.Context) error {
	byTopic := map[string]map[string]int64{}
	stretches := map[stream.Source][2]int64{}
	err := r.readSince(ctx, r.names.Rejects, rejectsOf, func(rec *kgo.Record) {
		var reject sources.RejectRecord
		if json.Unmarshal(rec.Value, &reject) != nil || len(reject.Offsets) == 0 {
			return // not weir's
		}
		if byTopic[reject.Topic] == nil {
			byTopic[reject.Topic] = map[string]int64{}
		}
		of := stream.Source{Topic: reject.Topic, Partition: reject.Partition}
		stretch, seen := stretches[of]
		for _, span := range reject.Offsets {
			byTopic[reject.Topic][reject.Reason] += span[1] - span[0] + 1
			if !seen {
				stretch, seen = span, true
			}
			stretch = [2]int64{min(stretch[0], span[0]), max(stretch[1], span[1])}
		}
		stretches[of] = stretch
	})
	for i := range r.status.Sources {
		s := &r.status.Sources[i]
		for reason, n := range byTopic[s.Topic] {
			s.Rejected = append(s.Rejected, Reject{reason, n})
		}
		slices.SortFunc(s.Rejected, func(a, b Reject) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason)) })
		for of, stretch := range stretches {
			if of.Topic == s.Topic {
				s.stretch += stretch[1] - stretch[0] + 1
			}
		}
	}
	return err
}

// readDeliveries counts what became of messages, by destination.
func (r *reader) readDeliveries(ctx context.Context) error {
	return r.readSince(ctx, r.names.Deliveries, deliveredOf, func(rec *kgo.Record) {
		delivery, err := notify.ParseDelivery(rec.Value)
		if err != nil {
			return // not weir's
		}
		i := slices.IndexFunc(r.status.Destinations, func(d Destination) bool { return d.Name == delivery.Destination })
		if i < 0 {
			return // of a destination that the configuration does not have any longer
		}
		d := &r.status.Destinations[i]
		if delivery.At >= d.Last { // an attempt that failed before it was delivered does not count
			d.Failing, d.RetryAttempts, d.Last, d.Outcome = false, 0, delivery.At, string(delivery.Outcome)
		}
		if delivery.Outcome == notify.Delivered {
			d.Delivered++
			return
		}
		d.Failed++
		if !d.Failing {
			d.Reason = delivery.Reason
		}
	})
}

// topicOf returns the topic of a name of the form topic/partition.
func topicOf(holder string) string {
	topic, _, _ := strings.Cut(holder, "/")
	return topic
}
