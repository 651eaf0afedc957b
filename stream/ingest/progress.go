package ingest

import (
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// NoProgress is the progress of a source partition that was never read.
func NoProgress(s stream.Source, offset int64) stream.Progress {
	return stream.Progress{Source: s, Offset: offset, Replay: offset, MaxTime: eventtime.Never}
}

// sources is the progress of the source partitions that are assigned.
type sources map[stream.Source]*sourceProgress

// sourceProgress is what is known of one source partition: as read so far, and as
// of the last commit.
type sourceProgress struct {
	sourceState
	committed sourceState
}

// sourceState is how far one source partition has been read and judged.
type sourceState struct {
	source   stream.Source
	maxTime  int64 // largest event time of the events that were judged, Unix ms
	idle     bool
	reading  position  // the record in hand, or the next, and how many of its events were read
	taken    position  // the record at which reading began, and how many of its events were judged before
	appended int64     // of the record in hand, by the broker's clock; eventtime.Never: unknown
	waiting  []waiting // in the order of the log; the first is far ahead, or the aliases are not complete for it
	wants    int64     // event time for which the aliases must be complete to go on, at least 1; 0: none
}

// position is a place between two events of a log.
type position struct {
	offset int64 // of a record
	events int64 // of the record that lie before the place
}

// newSource returns the state in which a source is at the progress of a commit.
func newSource(p stream.Progress) *sourceProgress {
	s := sourceState{
		source: p.Source, maxTime: p.MaxTime, idle: p.Idle, appended: eventtime.Never,
		reading: position{offset: p.Replay}, taken: position{p.Replay, p.Taken},
	}
	return &sourceProgress{s, s}
}

// clone returns a state that shares nothing with s that changes.
func (s *sourceState) clone() sourceState {
	c := *s
	c.waiting = slices.Clone(s.waiting)
	return c
}

// progress returns what is told and committed of a source.
func (s *sourceState) progress() stream.Progress {
	back := s.reading
	switch {
	case len(s.waiting) > 0:
		back = s.waiting[0].at
	case back.offset == s.taken.offset:
		back.events = max(back.events, s.taken.events)
	}
	return stream.Progress{
		Source: s.source, Offset: s.reading.offset, Replay: back.offset, Taken: back.events, MaxTime: s.maxTime, Wants: s.wants, Idle: s.idle,
	}
}

// begin says which record the next events are of.
func (s *sourceState) begin(offset, appended int64) {
	if s.reading.offset != offset {
		s.reading = position{offset: offset}
	}
	s.appended = appended
}

// next returns the place of the next event, and whether the event was judged before
// its source was taken over.
func (s *sourceState) next() (at position, judged bool) {
	at = s.reading
	s.reading.events++
	return at, at.offset == s.taken.offset && at.events < s.taken.events
}

// list returns the progress of all sources, sorted.
func (s sources) list() []stream.Progress {
	out := make([]stream.Progress, 0, len(s))
	for _, p := range s {
		out = append(out, p.progress())
	}
	slices.SortFunc(out, func(a, b stream.Progress) int { return a.Source.Compare(b.Source) })
	return out
}

// commit makes the progress so far the one to return to.
func (s sources) commit() {
	for _, p := range s {
		p.committed = p.clone()
	}
}

// abort returns to the progress of the last commit.
func (s sources) abort() {
	for _, p := range s {
		p.sourceState = p.committed.clone()
	}
}

// place says where an event counts that a source brings: the tick at whose close,
// and whether the event is late. It moves the progress of the source. Of an event
// older than the retention (ms) it says that it counts nowhere.
func (s *sourceState) place(at int64, grid eventtime.Grid, lateness, retention int64) (apply int64, o Outcome) {
	complete := int64(eventtime.Never) // up to which the source was taken as complete
	if s.maxTime != eventtime.Never {
		complete = s.maxTime - lateness
		if at < s.maxTime-retention {
			return 0, Expired
		}
	}
	if at > s.maxTime {
		s.maxTime, s.idle = at, false
	}
	tick := grid.TickOf(at)
	if at >= complete {
		return tick, Counted
	}
	// Not before the tick that holds its source's completeness: no detect
	// task has closed that one yet, whatever other sources do.
	return max(tick, grid.TickOf(complete)), Late
}
