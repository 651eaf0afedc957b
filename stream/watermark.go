package stream

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
)

// Source names one partition of one source topic (or one file).
type Source struct {
	Topic     string
	Partition int32
}

// Compare orders sources by topic, then partition.
func (s Source) Compare(o Source) int {
	return cmp.Or(cmp.Compare(s.Topic, o.Topic), cmp.Compare(s.Partition, o.Partition))
}

// Progress tells how far one source partition has been taken in.
type Progress struct {
	Source
	Offset  int64 // next offset to read
	Replay  int64 // offset at which a restart reads on: of the oldest event that waits to be judged, else Offset
	Taken   int64 // how many events of the record at Replay a restart leaves out: they were judged
	MaxTime int64 // largest event time seen, Unix ms; never when there was none
	Wants   int64 // event time for which the aliases must be complete to go on, Unix ms; 0: none. Not told to detect
	// Idle: the position has reached the end of the log and the partition has
	// been quiet, so it no longer holds the watermark back.
	Idle bool
}

// Topic is a source topic and how many partitions it has.
type Topic struct {
	Name       string
	Partitions int32
	// Listed is when that was found out, Unix ms: tasks look at different
	// times, and the latest look counts.
	Listed int64
}

// Watermark is the event time up to which input is taken as complete: the
// smallest progress over all source partitions, less the allowed lateness. One
// watermark over all partitions, because tasks that advance by their own input
// alone drop what a slower partition brings later.
type Watermark struct {
	lateness int64
	grid     eventtime.Grid
	topics   map[string]Topic
	progress map[Source]Progress
}

// NewWatermark returns a watermark that knows no source; lateness is in ms.
func NewWatermark(lateness int64, grid eventtime.Grid) *Watermark {
	return &Watermark{lateness, grid, map[string]Topic{}, map[Source]Progress{}}
}

// SetTopics replaces what is known of the source topics, unless it was listed
// before. A topic that has grown brings partitions that hold the watermark
// until they report; one that has shrunk or gone takes its partitions with it.
func (w *Watermark) SetTopics(topics []Topic) {
	for _, t := range topics {
		if t.Listed < w.topics[t.Name].Listed {
			return
		}
	}
	clear(w.topics)
	for _, t := range topics {
		w.topics[t.Name] = t
	}
	for s := range w.progress {
		if s.Partition >= w.topics[s.Topic].Partitions {
			delete(w.progress, s)
		}
	}
}

// Advance takes in the progress of one source partition. MaxTime never moves
// back.
func (w *Watermark) Advance(p Progress) {
	if old, ok := w.progress[p.Source]; ok && old.MaxTime > p.MaxTime {
		p.MaxTime = old.MaxTime
	}
	w.progress[p.Source] = p
}

// Now returns the watermark in Unix ms and the source that holds it there. It
// is never (and names a source that has not reported) until every partition of
// every topic has. When all are idle it stands at the end of the last event's
// tick, and no further: nothing closes because input ended.
func (w *Watermark) Now() (ms int64, holder Source) {
	lowest, highest := int64(0), int64(eventtime.Never)
	busy := false
	for name, t := range w.topics {
		for p := range t.Partitions {
			s := Source{name, p}
			pr, ok := w.progress[s]
			if !ok {
				pr = Progress{Source: s, MaxTime: eventtime.Never}
			}
			highest = max(highest, pr.MaxTime)
			if pr.Idle {
				continue
			}
			if !busy || pr.MaxTime < lowest || pr.MaxTime == lowest && s.Compare(holder) < 0 {
				lowest, holder, busy = pr.MaxTime, s, true
			}
		}
	}
	switch {
	case busy && lowest == eventtime.Never:
		return eventtime.Never, holder
	case busy:
		return lowest - w.lateness, holder
	case highest == eventtime.Never:
		return eventtime.Never, Source{}
	}
	return w.grid.TickEnd(w.grid.TickOf(highest)), Source{}
}

// Snapshot returns the topics and all progress, sorted.
func (w *Watermark) Snapshot() ([]Topic, []Progress) {
	topics := make([]Topic, 0, len(w.topics))
	for _, t := range w.topics {
		topics = append(topics, t)
	}
	slices.SortFunc(topics, func(a, b Topic) int { return cmp.Compare(a.Name, b.Name) })
	progress := make([]Progress, 0, len(w.progress))
	for _, p := range w.progress {
		progress = append(progress, p)
	}
	slices.SortFunc(progress, func(a, b Progress) int { return a.Source.Compare(b.Source) })
	return topics, progress
}
