package supervise

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Pauses before a part that failed is started again.
const (
	firstRestart   = 500 * time.Millisecond
	longestRestart = 15 * time.Second
	calmAfter      = time.Minute // a part that ran this long is started again after firstRestart
)

// Env is what every part of a process is given.
type Env struct {
	Conn    *cluster.Connection
	Group   string // prefix of consumer groups and transactional ids
	Topics  topics.Names
	Log     *slog.Logger
	Metrics *metrics.Metrics
	Ready   *Readiness
}

// Keep runs a part again whenever it fails, from what Kafka holds, with pauses
// that grow while it keeps failing.
func (s *Env) Keep(ctx context.Context, name string, run func(context.Context) error) {
	pause := firstRestart
	for {
		began := time.Now()
		err := run(ctx)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				s.Log.Warn("stopping", "part", name, "error", err)
			}
			return
		}
		if time.Since(began) > calmAfter {
			pause = firstRestart
		}
		s.Metrics.Failures.WithLabelValues(name).Inc()
		s.Log.Warn("a part failed and is started again", "part", name, "pause", pause, "error", err)
		if cluster.Sleep(ctx, pause) != nil {
			return
		}
		pause = min(2*pause, longestRestart)
	}
}
