package backtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventsort"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
)

// Many sources export their newest events first. Read like that nearly all events are
// late, and those older than the retention are lost. So the files are read twice: at
// first to see by ingest's own rule how many events would be late. Where that is more
// than a backlog makes, the file is sorted on disk. What cannot be read twice, such as a
// pipe, is judged by its beginning.

const (
	// mostLate is the share of late events above which a file is sorted. Two days of
	// a month that come as a backlog are less.
	mostLate = 0.1
	// mostExpired is the share of events that are too old to be counted above which a
	// file is sorted. A few of the beginning of time are no reason.
	mostExpired = 0.01
	// headValues is how many values of a pipe are judged, at most, and headBytes about
	// how many bytes of events.
	headValues = 20_000
	headBytes  = 64 << 20
)

// open opens a file, sorted if need be.
func (l *Files) open(ctx context.Context, name string) (origin, error) {
	if l.AsIs {
		return l.openAsIs(name)
	}
	sorted, known := l.sorted[name]
	if !known {
		pipe, err := isPipe(name)
		if err != nil {
			return nil, err
		}
		if pipe {
			return l.openPipe(ctx, name)
		}
		if sorted, err = l.sortIfNeeded(ctx, name); err != nil {
			return nil, err
		}
		if l.sorted == nil {
			l.sorted = map[string]*sortedFile{}
		}
		l.sorted[name] = sorted
	}
	if sorted == nil {
		return l.openAsIs(name)
	}
	return sorted.open()
}

// isPipe reports whether a file can be read only once.
func isPipe(name string) (bool, error) {
	if name == "-" {
		return true, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return false, fmt.Errorf("opening the events: %w", err)
	}
	return !info.Mode().IsRegular(), nil
}

// sortIfNeeded returns a file sorted; nil if it is in order.
func (l *Files) sortIfNeeded(ctx context.Context, name string) (*sortedFile, error) {
	from, err := l.openAsIs(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = from.close() }() // it was only read, as the others
	o := newOrder()
	for err == nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, err = from.next(func(ev *event.Event, _ *event.Reject) { o.observe(ev) })
	}
	if !errors.Is(err, io.EOF) || o.fine() {
		return nil, nil // what cannot be read is told of by the reading itself, after what is before it
	}
	again, err := l.openAsIs(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = again.close() }()
	return l.sort(ctx, name, again)
}

// openPipe opens what can be read only once.
func (l *Files) openPipe(ctx context.Context, name string) (origin, error) {
	from, err := l.openAsIs(name)
	if err != nil {
		return nil, err
	}
	head, o := &headOrigin{rest: from}, newOrder()
	for n := 0; n < headValues && head.size < headBytes && head.take(o); n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if o.fine() {
		return head, nil
	}
	defer func() { _ = head.close() }()
	sorted, err := l.sort(ctx, name, head)
	if err != nil {
		return nil, err
	}
	return sorted.open()
}

// order counts how many events of a file would be late.
type order struct {
	ingest             *ingest.Worker
	source             stream.Source
	all, late, expired int64
}

func newOrder() *order {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		panic(err) // constants
	}
	o := &order{ingest: ingest.New(ingest.Config{
		Grid: grid, Hasher: event.FixedHasher(), Partitions: 1, Lateness: 10 * eventtime.Minute, Retention: 30 * eventtime.Day,
	})}
	o.ingest.Decided = func(d ingest.Decision) { o.count(d.Outcome) }
	o.ingest.Assign(ingest.NoProgress(o.source, 0))
	return o
}

func (o *order) count(outcome ingest.Outcome) {
	switch outcome {
	case ingest.Late:
		o.late++
	case ingest.Expired:
		o.expired++
	}
}

// observe counts one event; nil is none.
func (o *order) observe(ev *event.Event) {
	if ev == nil {
		return
	}
	o.all++
	o.count(o.ingest.Fold(o.source, event.MaxTime, &event.Event{Time: ev.Time}))
	if o.all%1000 == 0 { // what was counted is of no use
		o.ingest.Commit()
		o.ingest.Abort()
	}
}

// fine reports whether the file can be read as it is.
func (o *order) fine() bool {
	o.ingest.End(o.source)
	return float64(o.late) <= mostLate*float64(o.all) && float64(o.expired) <= mostExpired*float64(o.all)
}

// sort sorts a file.
func (l *Files) sort(ctx context.Context, name string, from origin) (*sortedFile, error) {
	f, n := &sortedFile{events: eventsort.New(eventsort.DefaultLimits), rejects: map[event.Reason]int64{}}, int64(0)
	for {
		var fault error
		_, err := from.next(func(ev *event.Event, rej *event.Reject) {
			if rej != nil {
				f.rejects[rej.Reason]++
			} else if n++; fault == nil {
				fault = f.events.Add(ev)
			}
		})
		switch {
		case errors.Is(err, io.EOF):
			return f, nil
		case err == nil:
			err = errors.Join(fault, ctx.Err())
		}
		if err != nil {
			return nil, fmt.Errorf("sorting %s: %w", name, err)
		}
		if l.Line != nil {
			l.Line.Show("sorting %s, which is not in order of time: %s events", name, alerting.Group(n))
		}
	}
}
