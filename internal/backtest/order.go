package backtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventsort"
)

// Many sources export their newest events first. Read like that nearly all events are
// late, and those older than the retention are lost. So the files are read twice: at
// first to see by ingest's own rule how many events would be late. Where that is more
// than a backlog makes, the file is sorted on disk. What cannot be read twice, such as a
// pipe, is judged by its beginning.

const (
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
	o := eventsort.NewOrder()
	for err == nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, err = from.next(func(ev *event.Event, _ *event.Reject) { o.Observe(ev) })
	}
	if !errors.Is(err, io.EOF) || o.Fine() {
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
	head, o := &headOrigin{rest: from}, eventsort.NewOrder()
	for n := 0; n < headValues && head.size < headBytes && head.take(o); n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if o.Fine() {
		return head, nil
	}
	defer func() { _ = head.close() }()
	sorted, err := l.sort(ctx, name, head)
	if err != nil {
		return nil, err
	}
	return sorted.open()
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
