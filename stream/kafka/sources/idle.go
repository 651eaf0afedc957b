package sources

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// refreshTopics is how often the partitions of the source topics are listed.
const refreshTopics = 10 * time.Second

// refresh brings the list of source topics and their partitions up to date and
// declares idle what has been quiet at the end of its log.
func (r *run) refresh(ctx context.Context) error {
	if now := time.Now(); now.Sub(r.listed) >= refreshTopics || r.topics == nil {
		names := r.Options.names()
		topics, err := r.admin.ListTopics(ctx, names...)
		if err != nil {
			return fmt.Errorf("listing the source topics: %w", cluster.Explain(err))
		}
		var list []stream.Topic
		for _, name := range names {
			if err := topics[name].Err; err != nil {
				return fmt.Errorf("source topic %s: %w", name, cluster.Explain(err))
			}
			list = append(list, stream.Topic{Name: name, Partitions: int32(len(topics[name].Partitions)), Listed: now.UnixMilli()})
		}
		same := slices.EqualFunc(list, r.topics, func(a, b stream.Topic) bool { return a.Name == b.Name && a.Partitions == b.Partitions })
		if r.topics != nil && !same {
			// The group learns of new partitions from its leader's metadata, which
			// is otherwise five minutes old.
			r.session.Client().ForceMetadataRefresh()
		}
		if !same {
			r.topics = list
		}
		r.listed = now
	}
	return r.findIdle(ctx)
}

// findIdle declares a partition idle when its position has reached the end of
// its log, nothing has come for a while, and the tick of its last event is over
// by the wall clock too: between two events of one tick nobody is idle.
func (r *run) findIdle(ctx context.Context) error {
	now := time.Now()
	var quiet []stream.Progress
	var topics []string
	for _, p := range r.ingest.Progress() {
		over := p.MaxTime == eventtime.Never || now.UnixMilli() >= r.Config.Grid.TickEnd(r.Config.Grid.TickOf(p.MaxTime))
		if !p.Idle && over && !r.partitions[p.Source].paused && now.Sub(r.partitions[p.Source].quiet) >= r.Options.Idle {
			quiet = append(quiet, p)
			if !slices.Contains(topics, p.Topic) {
				topics = append(topics, p.Topic)
			}
		}
		if p.MaxTime != eventtime.Never {
			r.Metrics.LagSeconds.WithLabelValues(p.Topic, metrics.Label(p.Partition)).Set(float64(now.UnixMilli()-p.MaxTime) / 1000)
		}
	}
	if len(quiet) == 0 {
		return nil
	}
	reached, err := r.ends(ctx, topics)
	if err != nil {
		return err
	}
	for _, p := range quiet {
		slack := int64(0)
		if p.MaxTime == eventtime.Never && p.Offset > r.partitions[p.Source].from {
			slack = nearEnd
		}
		if reached(p, slack) {
			r.ingest.SetIdle(p.Source, true)
			r.Metrics.LagOffsets.WithLabelValues(p.Topic, metrics.Label(p.Partition)).Set(0)
		}
	}
	return nil
}

// nearEnd is how far from its end a partition may be to count as idle although
// it flows, when nothing that was read of it was an event: all of its records
// are rejected or left out, and it must not hold everybody's watermark.
const nearEnd = pollRecords

// ends returns a function that tells whether a position has reached the end of
// its log as it is now, or comes so near.
func (r *run) ends(ctx context.Context, topics []string) (func(p stream.Progress, slack int64) bool, error) {
	starts, err := r.admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("listing the starts of the sources: %w", cluster.Explain(err))
	}
	ends, err := r.admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("listing the ends of the sources: %w", cluster.Explain(err))
	}
	return func(p stream.Progress, slack int64) bool {
		start, _ := starts.Lookup(p.Topic, p.Partition)
		end, ok := ends.Lookup(p.Topic, p.Partition)
		if !ok || start.Err != nil || end.Err != nil {
			return false
		}
		return end.Offset-max(p.Offset, start.Offset) <= slack // retention may have emptied it
	}, nil
}
