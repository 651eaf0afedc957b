package sources

import (
	"math"
	"time"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// How a speed is measured: over a span of wall clock, by looks that lie so far apart.
const (
	speedSpan = 5 * time.Minute
	speedLook = 5 * time.Second
)

// speed measures how fast a source partition is worked through.
type speed struct{ looks []look }

// look is where a partition stood at a time.
type look struct {
	when    time.Time // wall clock
	lag     int64     // records that wait to be read
	maxTime int64     // event time, Unix ms; eventtime.Never: none yet
}

// add takes in where the partition stands.
func (s *speed) add(l look) {
	if n := len(s.looks); n > 0 && l.when.Sub(s.looks[n-1].when) < speedLook {
		return
	}
	for len(s.looks) > 0 && l.when.Sub(s.looks[0].when) > speedSpan {
		s.looks = s.looks[1:]
	}
	s.looks = append(s.looks, l)
}

// now returns how many seconds of event time pass in one of wall clock, and in how
// many seconds the end is reached at the pace at which the lag has shrunk: 0 at the
// end, and infinite where the lag does not shrink. It is false while that is not known.
func (s *speed) now() (events, left float64, ok bool) {
	n := len(s.looks)
	if n < 2 || s.looks[0].maxTime == eventtime.Never {
		return 0, 0, false
	}
	first, last := s.looks[0], s.looks[n-1]
	wall := last.when.Sub(first.when).Seconds()
	events = float64(last.maxTime-first.maxTime) / 1000 / wall
	switch shrunk := float64(first.lag-last.lag) / wall; {
	case last.lag == 0:
		return events, 0, true
	case shrunk > 0:
		return events, float64(last.lag) / shrunk, true
	}
	return events, math.Inf(1), true
}

// showSpeed shows how fast the partitions are worked through. While one is far from
// its end the log tells it too.
func (r *run) showSpeed() {
	var lag int64
	longest, slowest, from := 0.0, math.Inf(1), int64(math.MaxInt64)
	for s, at := range r.partitions {
		at.speed.add(look{time.Now(), at.lag, r.ingest.At(s).MaxTime})
		events, left, ok := at.speed.now()
		if !ok {
			continue
		}
		r.Metrics.EventSpeed.WithLabelValues(s.Topic, metrics.Label(s.Partition)).Set(events)
		r.Metrics.TimeLeft.WithLabelValues(s.Topic, metrics.Label(s.Partition)).Set(left)
		if at.lag > nearEnd {
			lag += at.lag
			longest, slowest, from = max(longest, left), min(slowest, events), min(from, r.ingest.At(s).MaxTime)
		}
	}
	if lag == 0 || time.Since(r.reported) < time.Minute {
		return
	}
	r.reported = time.Now()
	args := []any{"records", lag, "event_time", eventtime.Text(from), "event_hours_an_hour", math.Round(slowest*10) / 10}
	if !math.IsInf(longest, 1) {
		args = append(args, "left", time.Duration(longest*float64(time.Second)).Round(time.Second))
	}
	r.Log.Info("catching up", args...)
}
