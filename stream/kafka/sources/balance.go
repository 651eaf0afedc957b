package sources

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// refresh brings the list of source topics and their partitions up to date and
// declares idle what has been quiet at the end of its log.
func (w *Worker) refresh(ctx context.Context) error {
	if now := time.Now(); now.Sub(w.listed) >= refreshTopics || w.sources == nil {
		var names []string
		for _, s := range w.Options.Sources {
			names = append(names, s.Topic)
		}
		topics, err := w.adm.ListTopics(ctx, names...)
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
		same := slices.EqualFunc(list, w.sources, func(a, b stream.Topic) bool { return a.Name == b.Name && a.Partitions == b.Partitions })
		if w.sources != nil && !same {
			// The group learns of new partitions from its leader's metadata, which
			// is otherwise five minutes old.
			w.session.Client().ForceMetadataRefresh()
		}
		if !same {
			w.sources = list
		}
		w.listed = now
	}
	return w.findIdle(ctx)
}

// findIdle declares a partition idle when its position has reached the end of
// its log, nothing has come for a while, and the tick of its last event is over
// by the wall clock too: between two events of one tick nobody is idle.
func (w *Worker) findIdle(ctx context.Context) error {
	now := time.Now()
	var quiet []stream.Progress
	var topics []string
	for _, p := range w.in.Progress() {
		over := p.MaxTime == eventtime.Never || now.UnixMilli() >= w.Config.Grid.TickEnd(w.Config.Grid.TickOf(p.MaxTime))
		if !p.Idle && over && !w.held[p.Source] && now.Sub(w.quiet[p.Source]) >= w.Options.Idle {
			quiet = append(quiet, p)
			if !slices.Contains(topics, p.Topic) {
				topics = append(topics, p.Topic)
			}
		}
		if p.MaxTime != eventtime.Never {
			w.Metrics.LagSeconds.WithLabelValues(p.Topic, metrics.Label(p.Partition)).Set(float64(now.UnixMilli()-p.MaxTime) / 1000)
		}
	}
	if len(quiet) == 0 {
		return nil
	}
	reached, err := w.ends(ctx, topics)
	if err != nil {
		return err
	}
	for _, p := range quiet {
		slack := int64(0)
		if p.MaxTime == eventtime.Never && p.Offset > w.from[p.Source] {
			slack = nearEnd
		}
		if reached(p, slack) {
			w.in.SetIdle(p.Source, true)
			w.Metrics.LagOffsets.WithLabelValues(p.Topic, metrics.Label(p.Partition)).Set(0)
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
func (w *Worker) ends(ctx context.Context, topics []string) (func(p stream.Progress, slack int64) bool, error) {
	starts, err := w.adm.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("listing the starts of the sources: %w", cluster.Explain(err))
	}
	ends, err := w.adm.ListEndOffsets(ctx, topics...)
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

// balance pauses partitions that are far ahead of the slowest in event time,
// wherever that is read, so that what detect holds stays bounded.
func (w *Worker) balance(ctx context.Context, own []stream.Progress) error {
	total := int32(0)
	for _, t := range w.sources {
		total += t.Partitions
	}
	if total < 2 && w.Config.SessionsTopic == "" || w.Options.MaxAhead <= 0 {
		return nil
	}
	all, err := w.committed(ctx)
	if err != nil {
		return err
	}
	mine := map[stream.Source]bool{}
	slowest := int64(math.MaxInt64)
	for _, p := range own {
		mine[p.Source] = true
		if !p.Idle && p.MaxTime != eventtime.Never {
			slowest = min(slowest, p.MaxTime)
		}
	}
	lagging, err := w.lagging(ctx, all, mine)
	if err != nil {
		return err
	}
	joined, err := w.joined(ctx)
	if err != nil {
		return err
	}
	for _, ms := range append(lagging, joined...) {
		slowest = min(slowest, ms)
	}
	for _, p := range own {
		ahead := slowest != math.MaxInt64 && p.MaxTime != eventtime.Never && p.MaxTime-slowest > w.Options.MaxAhead.Milliseconds()
		if ahead == w.held[p.Source] {
			continue
		}
		part := map[string][]int32{p.Topic: {p.Partition}}
		gauge := w.Metrics.Paused.WithLabelValues(p.Topic, metrics.Label(p.Partition))
		if ahead {
			w.session.Client().PauseFetchPartitions(part)
			w.held[p.Source] = true
			gauge.Set(1)
		} else {
			w.session.Client().ResumeFetchPartitions(part)
			delete(w.held, p.Source)
			w.quiet[p.Source] = time.Now()
			gauge.Set(0)
		}
	}
	return nil
}

// lagging returns the progress of other members' partitions that have more to
// read; one that stands at its end holds nobody back.
func (w *Worker) lagging(ctx context.Context, all map[stream.Source]stream.Progress, mine map[stream.Source]bool) ([]int64, error) {
	var names []string
	for _, t := range w.sources {
		names = append(names, t.Name)
	}
	reached, err := w.ends(ctx, names)
	if err != nil {
		return nil, err
	}
	var out []int64
	for s, p := range all {
		if mine[s] || p.MaxTime == eventtime.Never || !slices.Contains(names, s.Topic) {
			continue
		}
		if !reached(p, 1) { // a commit may stand before the control record at the end
			out = append(out, p.MaxTime)
		}
	}
	return out, nil
}

// joined returns how far the join of tokens is: detect waits for it, and what
// waits there is in memory. A join that has never been anywhere holds nobody.
func (w *Worker) joined(ctx context.Context) (out []int64, err error) {
	if w.Config.SessionsTopic == "" {
		return nil, nil
	}
	offsets, err := w.adm.FetchOffsets(ctx, w.Group+"-join")
	if err != nil {
		return nil, fmt.Errorf("reading how far the join is: %w", cluster.Explain(err))
	}
	offsets.Each(func(o kadm.OffsetResponse) {
		if ms, err := strconv.ParseInt(o.Metadata, 10, 64); err == nil && ms > 0 && o.Topic == w.Topics.Sessions {
			out = append(out, ms)
		}
	})
	return out, nil
}
