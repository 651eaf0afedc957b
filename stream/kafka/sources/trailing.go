package sources

import (
	"context"
	"time"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

const (
	// trail is how far a partition's event time may be behind that of half of the others,
	// in ms, before it is not waited for any more.
	trail = 3 * eventtime.Hour
	// trailFor is for how long it is waited for all the same.
	trailFor = 10 * time.Minute
)

// passTrailing declares a partition idle that has trailed for a while and stands near the
// end of its log, though it flows: a few records an hour that are dated far back must not
// hold everybody's watermark. What they tell is late, and counts as what is late does. It
// is called before each commit, since the next record ends that a partition is idle.
func (r *run) passTrailing(ctx context.Context) error {
	now := time.Now()
	if err := r.findTrailing(ctx, now); err != nil {
		return err
	}
	var far []stream.Progress
	var topics []string
	for _, p := range r.ingest.Progress() {
		if at := r.partitions[p.Source]; !at.trails.IsZero() && now.Sub(at.trails) >= trailFor && !p.Idle && p.Wants == 0 {
			far, topics = append(far, p), append(topics, p.Topic)
		}
	}
	if len(far) == 0 {
		return nil
	}
	reached, err := r.ends(ctx, topics)
	if err != nil {
		return err
	}
	for _, p := range far {
		if reached(p, nearEnd) {
			r.ingest.SetIdle(p.Source, true)
		}
	}
	return nil
}

// findTrailing notes which partitions are far behind the others, now and then.
func (r *run) findTrailing(ctx context.Context, now time.Time) error {
	if now.Sub(r.compared) < refreshTopics {
		return nil
	}
	r.compared = now
	var far []stream.Progress
	for _, p := range r.ingest.Progress() {
		if p.MaxTime != eventtime.Never && now.UnixMilli()-p.MaxTime > trail {
			far = append(far, p)
		} else {
			r.partitions[p.Source].trails = time.Time{}
		}
	}
	if len(far) == 0 {
		return nil
	}
	all, err := r.groupProgress(ctx)
	if err != nil {
		return err
	}
	for _, p := range far {
		at := r.partitions[p.Source]
		most := reachedByMost(all, p.Source)
		switch {
		case most == eventtime.Never || most-p.MaxTime <= trail:
			at.trails = time.Time{}
		case at.trails.IsZero():
			at.trails = now
			r.Log.Warn("a partition is far behind the others; it is waited for no longer than a while", "topic", p.Topic, "partition", p.Partition,
				"event_time", time.UnixMilli(p.MaxTime).UTC(), "others", time.UnixMilli(most).UTC(), "while", trailFor)
		}
	}
	return nil
}
