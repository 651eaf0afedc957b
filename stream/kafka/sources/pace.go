package sources

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
	"github.com/weirhq/weir/stream/kafka/position"
)

// MaxHeld is how many bytes of weir.partials and weir.sessions one worker writes,
// at most, before detect has judged them.
const MaxHeld = 64 << 20

// lookAgain is how often a worker that holds partitions back looks how far detect is.
const lookAgain = time.Second

// look asks how far detect has judged. Its tasks tell that in the metadata of their
// group's offsets; the slowest counts.
func (r *run) look(ctx context.Context) error {
	r.looked = time.Now()
	offsets, err := r.admin.FetchOffsets(ctx, r.Group+"-detect")
	if err != nil {
		return fmt.Errorf("reading how far detect is: %w", cluster.Explain(err))
	}
	judged := int64(math.MaxInt64)
	offsets.Each(func(o kadm.OffsetResponse) {
		var says position.Detect
		if o.Topic == r.Topics.Partials && position.Decode(o.Metadata, &says) && says.Judged != 0 {
			judged = min(judged, says.Judged)
		}
	})
	if judged != math.MaxInt64 {
		r.pace.Judged(judged)
	}
	return nil
}

// hold pauses the partitions that are past the limit or want aliases, and lets the others
// go on. It reports whether all that this worker has are paused.
func (r *run) hold() (all bool) {
	progress := r.ingest.Progress()
	slowest := int64(math.MaxInt64)
	for _, p := range progress {
		if !p.Idle && p.MaxTime != eventtime.Never {
			slowest = min(slowest, p.MaxTime)
		}
	}
	limit := r.pace.Limit(slowest)
	r.held = 0
	for _, p := range progress {
		at := r.partitions[p.Source]
		past := p.MaxTime > limit || p.Wants != 0
		if past {
			r.held++
		}
		if past == at.paused {
			continue
		}
		at.paused = past
		part := map[string][]int32{p.Topic: {p.Partition}}
		gauge := r.Metrics.Paused.WithLabelValues(p.Topic, metrics.Label(p.Partition))
		if past {
			r.session.Client().PauseFetchPartitions(part)
			gauge.Set(1)
		} else {
			r.session.Client().ResumeFetchPartitions(part)
			at.quiet = time.Now()
			gauge.Set(0)
		}
	}
	return r.held > 0 && r.held == len(progress)
}

// wrote notes what a commit has written, for the pace.
func (r *run) wrote(bytes int) {
	last := int64(eventtime.Never)
	for _, p := range r.ingest.Progress() {
		if at := r.partitions[p.Source]; at != nil && p.Offset != at.written {
			at.written = p.Offset
			last = max(last, p.MaxTime)
		}
	}
	r.pace.Wrote(last, int64(bytes))
	r.Metrics.Unjudged.WithLabelValues(r.ID).Set(float64(r.pace.Held()))
}
