package backtest

import (
	"io"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/eventsort"
)

// origin hands out what a file holds, value by value.
type origin interface {
	// next yields what is in the next value, and returns the number of the line on
	// which that begins. After the last the error is io.EOF.
	next(yield yield) (line int64, err error)
	close() error
}

// yield takes in an event, or the reason why something is none.
type yield = func(ev *event.Event, rej *event.Reject)

// fileOrigin is a file as it is.
type fileOrigin struct {
	lines   *files.Reader
	decoder *fieldmap.Decoder
	file    io.Closer
}

func (l *Files) openAsIs(name string) (origin, error) {
	file, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	return &fileOrigin{files.NewReader(file, l.Format), l.Format.NewDecoder(), file}, nil
}

func (o *fileOrigin) next(yield yield) (int64, error) {
	value, n, err := o.lines.Next()
	if err == nil {
		o.decoder.Decode(value, yield)
	}
	return n, err
}

func (o *fileOrigin) close() error { return o.file.Close() }

// headOrigin is a file of which the beginning was read already.
type headOrigin struct {
	head []headValue
	size int64 // of its events, in bytes
	rest origin
}

// headValue is what was in one value of the beginning.
type headValue struct {
	events  []*event.Event
	rejects []event.Reject
	line    int64
	err     error
}

// take reads one value of the beginning. It reports whether there may be more.
func (o *headOrigin) take(seen *eventsort.Order) bool {
	var v headValue
	v.line, v.err = o.rest.next(func(ev *event.Event, rej *event.Reject) {
		if rej != nil {
			v.rejects = append(v.rejects, *rej)
			return
		}
		v.events = append(v.events, ev.Clone())
		o.size += eventsort.SizeOf(ev)
		seen.Observe(ev)
	})
	o.head = append(o.head, v)
	return v.err == nil
}

func (o *headOrigin) next(yield yield) (int64, error) {
	if len(o.head) == 0 {
		return o.rest.next(yield)
	}
	v := o.head[0]
	if v.err != nil {
		return v.line, v.err // again each time
	}
	o.head[0] = headValue{}
	o.head = o.head[1:]
	for _, ev := range v.events {
		yield(ev, nil)
	}
	for i := range v.rejects {
		yield(nil, &v.rejects[i])
	}
	return v.line, nil
}

func (o *headOrigin) close() error { return o.rest.close() }

// sortedFile is what a file holds, in order.
type sortedFile struct {
	events  *eventsort.Sorter
	rejects map[event.Reason]int64
}

func (f *sortedFile) open() (origin, error) {
	events, err := f.events.Read()
	return &sortedOrigin{file: f, events: events}, err
}

// sortedOrigin reads a file that was sorted.
type sortedOrigin struct {
	file   *sortedFile
	events *eventsort.Merge
	n      int64
}

func (o *sortedOrigin) next(yield yield) (int64, error) {
	if o.n++; o.n == 1 {
		for reason, n := range o.file.rejects {
			for range n {
				yield(nil, &event.Reject{Reason: reason})
			}
		}
	}
	ev, err := o.events.Next()
	if err == nil {
		yield(ev, nil)
	}
	return o.n, err
}

func (o *sortedOrigin) close() error { return nil } // it may be read again
