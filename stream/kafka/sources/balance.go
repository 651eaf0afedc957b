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
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// balance pauses partitions that are far ahead of the slowest in event time,
// wherever that is read, so that what detect holds stays bounded.
func (r *run) balance(ctx context.Context, own []stream.Progress) error {
	total := int32(0)
	for _, t := range r.topics {
		total += t.Partitions
	}
	if total < 2 && r.Config.SessionsTopic == "" || r.Options.MaxAhead <= 0 {
		return nil
	}
	all, err := r.groupProgress(ctx)
	if err != nil {
		return err
	}
	slowest := int64(math.MaxInt64)
	for _, p := range own {
		if !p.Idle && p.MaxTime != eventtime.Never {
			slowest = min(slowest, p.MaxTime)
		}
	}
	lagging, err := r.lagging(ctx, all)
	if err != nil {
		return err
	}
	joined, err := r.joined(ctx)
	if err != nil {
		return err
	}
	for _, ms := range append(lagging, joined...) {
		slowest = min(slowest, ms)
	}
	for _, p := range own {
		ahead := slowest != math.MaxInt64 && p.MaxTime != eventtime.Never && p.MaxTime-slowest > r.Options.MaxAhead.Milliseconds()
		at := r.partitions[p.Source]
		if ahead == at.paused {
			continue
		}
		at.paused = ahead
		part := map[string][]int32{p.Topic: {p.Partition}}
		gauge := r.Metrics.Paused.WithLabelValues(p.Topic, metrics.Label(p.Partition))
		if ahead {
			r.session.Client().PauseFetchPartitions(part)
			gauge.Set(1)
		} else {
			r.session.Client().ResumeFetchPartitions(part)
			at.quiet = time.Now()
			gauge.Set(0)
		}
	}
	return nil
}

// lagging returns the progress of other members' partitions that have more to
// read; one that stands at its end holds nobody back.
func (r *run) lagging(ctx context.Context, all map[stream.Source]stream.Progress) ([]int64, error) {
	names := r.Options.names()
	reached, err := r.ends(ctx, names)
	if err != nil {
		return nil, err
	}
	var out []int64
	for s, p := range all {
		if r.partitions[s] != nil || p.MaxTime == eventtime.Never || !slices.Contains(names, s.Topic) {
			continue
		}
		// A commit may stand before events that wait, and the control record at the end.
		if !reached(p, 1+ingest.LookAhead) {
			out = append(out, p.MaxTime)
		}
	}
	return out, nil
}

// joined returns how far the join of tokens is: detect waits for it, and what
// waits there is in memory. A join that has never been anywhere holds nobody.
func (r *run) joined(ctx context.Context) (out []int64, err error) {
	if r.Config.SessionsTopic == "" {
		return nil, nil
	}
	offsets, err := r.admin.FetchOffsets(ctx, r.Group+"-join")
	if err != nil {
		return nil, fmt.Errorf("reading how far the join is: %w", cluster.Explain(err))
	}
	offsets.Each(func(o kadm.OffsetResponse) {
		if ms, err := strconv.ParseInt(o.Metadata, 10, 64); err == nil && ms > 0 && o.Topic == r.Topics.Sessions {
			out = append(out, ms)
		}
	})
	return out, nil
}
