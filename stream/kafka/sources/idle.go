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
	if err := r.findIdle(ctx); err != nil {
		return err
	}
	return r.passTrailing(ctx)
}

// findIdle declares a partition idle when its position has reached the end of
// its log, nothing has come for a while, and the tick of its last event is over
// by the wall clock too: between two events of one tick nobody is idle. What waits to
// be judged is judged then, but for what is dated past the wall clock; other partitions
// confirm it earlier.
func (r *run) findIdle(ctx context.Context) error {
	now := time.Now()
	var quiet, waits []stream.Progress
	var topics []string
	for _, p := range r.ingest.Progress() {
		over := p.MaxTime == eventtime.Never || now.UnixMilli() >= r.Config.Grid.TickEnd(r.Config.Grid.TickOf(p.MaxTime))
		over = over && now.Sub(r.partitions[p.Source].quiet) >= r.Options.Idle
		waiting := r.ingest.Waiting(p.Source) > 0
		if (over && !p.Idle || waiting) && !r.partitions[p.Source].paused {
			if over {
				quiet = append(quiet, p)
			} else {
				waits = append(waits, p)
			}
			if !slices.Contains(topics, p.Topic) {
				topics = append(topics, p.Topic)
			}
		}
		if p.MaxTime != eventtime.Never {
			r.Metrics.LagSeconds.WithLabelValues(p.Topic, metrics.Label(p.Partition)).Set(float64(now.UnixMilli()-p.MaxTime) / 1000)
		}
	}
	if len(quiet)+len(waits) == 0 {
		return nil
	}
	reached, err := r.ends(ctx, topics)
	if err != nil {
		return err
	}
	for _, p := range quiet {
		slack := int64(0)
		if r.ingest.Waiting(p.Source) == 0 && p.MaxTime == eventtime.Never && p.Offset > r.partitions[p.Source].from {
			slack = nearEnd
		}
		if reached(p, slack) {
			r.ingest.Rest(p.Source, now.UnixMilli())
			r.partitions[p.Source].lag = 0
			r.Metrics.LagOffsets.WithLabelValues(p.Topic, metrics.Label(p.Partition)).Set(0)
		}
	}
	waits = slices.DeleteFunc(waits, func(p stream.Progress) bool { return !reached(p, 0) })
	return r.confirm(ctx, waits)
}

// confirm judges what waits in partitions that stand at the ends of their logs by how
// far the other partitions have come. Where a log is read again nothing stands at its
// end, and the log alone decides.
func (r *run) confirm(ctx context.Context, waits []stream.Progress) error {
	if len(waits) == 0 {
		return nil
	}
	all, err := r.groupProgress(ctx)
	if err != nil {
		return err
	}
	for _, p := range r.ingest.Progress() {
		all[p.Source] = p
	}
	for _, p := range waits {
		r.ingest.Confirm(p.Source, reachedByMost(all, p.Source))
	}
	return nil
}

// reachedByMost returns the event time that half of the partitions but one have
// reached, or more than half, Unix ms. It is never where no other has any progress.
func reachedByMost(all map[stream.Source]stream.Progress, but stream.Source) int64 {
	var times []int64
	for s, p := range all {
		if s != but && p.MaxTime != eventtime.Never {
			times = append(times, p.MaxTime)
		}
	}
	if len(times) == 0 {
		return eventtime.Never
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// nearEnd is how far from its end a partition may be to count as idle although
// it flows, when nothing that was read of it was an event: all of its records
// are rejected or left out, and it must not hold everybody's watermark.
const nearEnd = 5_000

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
