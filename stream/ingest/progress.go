package ingest

import (
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// NoProgress is the progress of a source partition that was never read.
func NoProgress(s stream.Source, offset int64) stream.Progress {
	return stream.Progress{Source: s, Offset: offset, MaxTime: eventtime.Never}
}

// sources is the progress of the source partitions that are assigned.
type sources map[stream.Source]*sourceProgress

// sourceProgress is the progress of one source partition: as folded so far, and as
// of the last commit.
type sourceProgress struct {
	now, committed stream.Progress
}

// list returns the progress of all sources, sorted.
func (s sources) list() []stream.Progress {
	out := make([]stream.Progress, 0, len(s))
	for _, p := range s {
		out = append(out, p.now)
	}
	slices.SortFunc(out, func(a, b stream.Progress) int { return a.Source.Compare(b.Source) })
	return out
}

// commit makes the progress so far the one to return to.
func (s sources) commit() {
	for _, p := range s {
		p.committed = p.now
	}
}

// abort returns to the progress of the last commit.
func (s sources) abort() {
	for _, p := range s {
		p.now = p.committed
	}
}

// place says where an event counts that a source brings: the tick at whose close,
// and whether the event is late. It moves the progress of the source. Of an event
// older than the retention (ms) it says that it counts nowhere.
func (p *sourceProgress) place(at int64, grid eventtime.Grid, lateness, retention int64) (apply int64, o Outcome) {
	complete := int64(eventtime.Never) // up to which the source was taken as complete
	if p.now.MaxTime != eventtime.Never {
		complete = p.now.MaxTime - lateness
		if at < p.now.MaxTime-retention {
			return 0, Expired
		}
	}
	if at > p.now.MaxTime {
		p.now.MaxTime, p.now.Idle = at, false
	}
	tick := grid.TickOf(at)
	if at >= complete {
		return tick, Counted
	}
	// Not before the tick that holds its source's completeness: no detect
	// task has closed that one yet, whatever other sources do.
	return max(tick, grid.TickOf(complete)), Late
}
