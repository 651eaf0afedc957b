package extract

import (
	"bytes"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
)

// counted hands on events with the time at which ingest counts them. That is their own,
// but for those that a wrong clock has dated far ahead: they count at the time that their
// source had reached, and so does the alert.
type counted struct {
	ingest *ingest.Worker
	yield  func(ev *event.Event, at int64, where []byte)
	held   map[place][]byte // of records of which events wait to be judged: where they stand
	at     place            // the record in hand
	where  []byte           // it stands
	folded int
	// sorted says that the source is sorted before it is judged, so that no date in it is
	// far ahead of the others but what is past believed (Unix ms): that counts at reached.
	sorted            bool
	believed, reached int64
}

// place is a record of a source.
type place struct {
	source stream.Source
	offset int64
}

// newCounted returns a reader without sources. cfg is that of ingest.
func newCounted(cfg ingest.Config, yield func(ev *event.Event, at int64, where []byte)) *counted {
	cfg.Dimensions, cfg.Aliases, cfg.SessionsTopic, cfg.Partitions = nil, nil, "", 1 // what is counted is of no use
	c := &counted{ingest: ingest.New(cfg), yield: yield, held: map[place][]byte{}}
	c.ingest.Decided = func(d ingest.Decision) {
		ev, at := *d.Event, d.Event.Time
		ev.Time = d.Dated
		record := place{d.Source, d.Offset}
		where := c.held[record]
		if record == c.at {
			where = c.where
		}
		if d.Outcome != ingest.Expired {
			c.yield(&ev, at, where)
		}
	}
	return c
}

// event takes in an event of the record at an offset. where says of the record where it
// stands.
func (c *counted) event(at place, stamp int64, where []byte, ev *event.Event) {
	if c.sorted {
		when := ev.Time
		if when > c.believed && c.reached <= c.believed {
			when = c.reached
		}
		c.yield(ev, when, where)
		return
	}
	c.at, c.where = at, where
	switch c.ingest.Fold(at.source, stamp, ev) {
	case ingest.Waiting:
		if c.held[at] == nil {
			c.held[at] = bytes.Clone(where)
		}
	case ingest.Expired:
	default:
		c.yield(ev, ev.Time, where)
	}
}

// read says that all events of a record were taken in.
func (c *counted) read(at place) {
	c.ingest.Read(at.source, at.offset+1)
	if c.folded++; c.folded%1000 != 0 {
		return
	}
	c.ingest.Discard()
	for p := range c.held {
		if p.offset < c.ingest.At(p.source).Replay {
			delete(c.held, p)
		}
	}
}

// begin says which record the next events are of, and when the broker wrote it.
func (c *counted) begin(at place, appended int64) { c.ingest.Begin(at.source, at.offset, appended) }

// add adds a source, at the progress of an earlier run if that is told.
func (c *counted) add(source stream.Source, offset int64, earlier []stream.Progress) {
	for _, p := range earlier {
		if p.Source == source {
			c.ingest.Assign(p)
			return
		}
	}
	c.ingest.Assign(ingest.NoProgress(source, offset))
}

// end judges what still waits.
func (c *counted) end() {
	for _, p := range c.ingest.Progress() {
		c.ingest.End(p.Source)
	}
}
