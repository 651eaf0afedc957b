package eventsort

import (
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
)

const (
	// mostLate is the share of late events above which a file is sorted. Two days of
	// a month that come as a backlog are less.
	mostLate = 0.1
	// mostExpired is the share of events that are too old to be counted above which a
	// file is sorted. A few of the beginning of time are no reason.
	mostExpired = 0.01
)

// Order counts how many events of a file would be late, by the rule of ingest.
type Order struct {
	ingest             *ingest.Worker
	source             stream.Source
	all, late, expired int64
}

// NewOrder returns the order of a file without events.
func NewOrder() *Order {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		panic(err) // constants
	}
	o := &Order{ingest: ingest.New(ingest.Config{
		Grid: grid, Hasher: event.FixedHasher(), Partitions: 1, Lateness: 10 * eventtime.Minute, Retention: 30 * eventtime.Day,
	})}
	o.ingest.Decided = func(d ingest.Decision) { o.count(d.Outcome) }
	o.ingest.Assign(ingest.NoProgress(o.source, 0))
	return o
}

func (o *Order) count(outcome ingest.Outcome) {
	switch outcome {
	case ingest.Late:
		o.late++
	case ingest.Expired:
		o.expired++
	}
}

// Observe counts one event; nil is none.
func (o *Order) Observe(ev *event.Event) {
	if ev == nil {
		return
	}
	o.all++
	o.count(o.ingest.Fold(o.source, event.MaxTime, &event.Event{Time: ev.Time}))
	if o.all%1000 == 0 {
		o.ingest.Discard()
	}
}

// Fine reports whether the file can be read as it is.
func (o *Order) Fine() bool {
	o.ingest.End(o.source)
	return float64(o.late) <= mostLate*float64(o.all) && float64(o.expired) <= mostExpired*float64(o.all)
}
