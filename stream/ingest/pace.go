package ingest

import (
	"math"

	"github.com/weirhq/weir/internal/eventtime"
)

// PaceConfig bounds what a worker reads before detect has judged it.
type PaceConfig struct {
	Ahead int64 // event time past what is judged up to which a partition is read, ms; 0: any
	Least int64 // the same once Bytes are written that detect still holds, ms
	Bytes int64
}

// NewPaceConfig returns the bounds for a grid and a lateness (ms). A partition that
// the watermark waits for is at most a lateness and a tick past what is judged, so
// that it is never paused while detect waits for it.
func NewPaceConfig(grid eventtime.Grid, lateness, ahead, bytes int64) PaceConfig {
	least := lateness + 2*grid.Tick
	if ahead > 0 {
		least = min(least, ahead)
	}
	return PaceConfig{Ahead: ahead, Least: least, Bytes: bytes}
}

// Pace tells up to which event time a worker may read its partitions, so that what
// detect holds until its tick closes stays bounded. It goes by how far detect has
// judged: that stands still when a partition is slow, when the join or correlate
// stands still, and when detect itself is behind.
type Pace struct {
	PaceConfig
	judged  int64         // event time, Unix ms; eventtime.Never until it is known
	began   int64         // the earliest that slowest was before that, Unix ms
	written []writtenUpTo // that detect still holds, as they were written
	bytes   int64         // of written
}

// writtenUpTo is what one commit wrote, and the largest event time in it.
type writtenUpTo struct{ maxTime, bytes int64 }

// NewPace returns the pace of a worker that has written nothing.
func NewPace(c PaceConfig) Pace {
	return Pace{PaceConfig: c, judged: eventtime.Never, began: math.MaxInt64}
}

// Wrote notes the bytes that a commit has written, and the largest event time of the
// partitions that it brought anything of.
func (p *Pace) Wrote(maxTime, bytes int64) {
	p.written = append(p.written, writtenUpTo{maxTime, bytes})
	p.bytes += bytes
}

// Judged takes in how far all tasks of detect have judged.
func (p *Pace) Judged(ms int64) {
	p.judged = ms
	left := p.written[:0]
	p.bytes = 0
	for _, w := range p.written {
		if w.maxTime >= ms {
			left = append(left, w)
			p.bytes += w.bytes
		}
	}
	p.written = left
}

// Held returns the bytes that were written and that detect still holds.
func (p *Pace) Held() int64 { return p.bytes }

// Limit returns the event time past which a partition is paused. slowest is that of
// the worker's slowest partition that has more to read, the largest number there is
// if there is none.
func (p *Pace) Limit(slowest int64) int64 {
	from := min(p.judged, slowest)
	if p.judged == eventtime.Never {
		p.began = min(p.began, slowest)
		from = p.began
	}
	switch {
	case from == math.MaxInt64:
		return math.MaxInt64
	case p.bytes > p.Bytes:
		return from + p.Least
	case p.Ahead == 0:
		return math.MaxInt64
	}
	return from + p.Ahead
}
