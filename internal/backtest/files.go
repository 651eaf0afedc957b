// Package backtest reads a log of access events through the same operators that
// run on Kafka. The log is a set of files or the source topics of a
// configuration, as they stand.
package backtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/internal/guess"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/stream"
)

// Files are the files of one log. They are read side by side, as the partitions
// of one topic, merged by event time. The name - is standard input. A file that is not
// in order of time is sorted first (see order.go).
type Files struct {
	Names  []string
	Format *fieldmap.Format
	AsIs   bool           // no file is sorted
	Line   *progress.Line // shows how far sorting is; nil: nobody sees it

	sorted map[string]*sortedFile // those that were not in order; nil: in order
}

// FilesTopic is the name of the topic that Files are the partitions of.
const FilesTopic = "files"

// Topics returns the one topic that the files are the partitions of.
func (l *Files) Topics() []stream.Topic {
	return []stream.Topic{{Name: FilesTopic, Partitions: int32(len(l.Names))}}
}

// input is one file that is being read.
type input struct {
	source  stream.Source
	from    origin
	reached int64 // largest event time so far
	done    bool

	events  int64            // events that were read
	bare    int64            // events that were read and say nothing but a time
	rejects map[string]int64 // what was rejected, by reason
}

// chunkLines is how many lines are read of one file before the others have
// their turn.
const chunkLines = 2000

// Read reads all files to their ends.
func (l *Files) Read(ctx context.Context, r Reader) error {
	inputs := make([]*input, len(l.Names))
	for i, name := range l.Names {
		from, err := l.open(ctx, name)
		if err != nil {
			return err
		}
		defer func() { _ = from.close() }() // it was only read
		if _, ok := from.(*sortedOrigin); ok {
			r.Warn(name + " is not in order of time, and was sorted")
		}
		inputs[i] = &input{source: stream.Source{Topic: FilesTopic, Partition: int32(i)}, from: from, rejects: map[string]int64{}}
	}
	pending := 0
	for in := slowest(inputs); in != nil; in = slowest(inputs) {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := in.chunk(r)
		if err != nil {
			return fmt.Errorf("reading %s: %w", l.Names[in.source.Partition], err)
		}
		if pending += n; pending >= BatchEvents {
			pending = 0
			if err := r.Flush(false); err != nil {
				return unlessEnough(err)
			}
		}
	}
	l.warn(inputs, r)
	if err := r.Flush(true); err != nil {
		return unlessEnough(err)
	}
	return l.usable(inputs)
}

// usable returns an error if nothing of any file could be read: that must not look
// like a log in which nothing happened.
func (l *Files) usable(inputs []*input) error {
	rejects := map[string]int64{}
	for _, in := range inputs {
		if in.events > in.bare {
			return nil
		}
		if in.bare > 0 {
			rejects[guess.OnlyTime] += in.bare
		}
		for reason, n := range in.rejects {
			rejects[reason] += n
		}
	}
	if len(rejects) == 0 {
		return fmt.Errorf("reading %s: nothing is in it", strings.Join(l.Names, ", "))
	}
	return guess.Unusable(l.Names[0], l.Format.Name(), rejects)
}

// warn says of each file in which nothing is or of which nothing can be read, or most events say nothing but
// a time, that the format may be wrong.
func (l *Files) warn(inputs []*input, r Reader) {
	for i, in := range inputs {
		if in.events == 0 && len(in.rejects) == 0 && len(inputs) > 1 {
			r.Warn("nothing is in " + l.Names[i])
		}
		if in.events == 0 && len(in.rejects) > 0 && len(inputs) > 1 {
			r.Warn(fmt.Sprintf("no event of %s could be read as %s (%s): see what it is by: weir map auto %s", l.Names[i], l.Format.Name(), guess.Reasons(in.rejects), l.Names[i]))
		}
		if 2*in.bare > in.events && in.bare < in.events {
			r.Warn(fmt.Sprintf("most events of %s (%d of %d) say nothing but a time under the format %s: see what it makes of them by: %s",
				l.Names[i], in.bare, in.events, l.Format.Name(), guess.Command(l.Format.Name(), l.Names[i])))
		}
	}
}

// slowest returns the input that is least far in event time, so that several
// files advance side by side; nil when all are read.
func slowest(inputs []*input) *input {
	var least *input
	for _, in := range inputs {
		if !in.done && (least == nil || in.reached < least.reached) {
			least = in
		}
	}
	return least
}

// chunk reads some lines and returns how many events were in them.
func (in *input) chunk(r Reader) (events int, err error) {
	yield := func(ev *event.Event, rej *event.Reject) {
		if rej != nil {
			r.Reject(rej)
			in.rejects[rej.Reason.String()]++
			return
		}
		events++
		in.events++
		if ev.OnlyTime() {
			in.bare++
		}
		in.reached = max(in.reached, r.Event(in.source, ev))
	}
	for range chunkLines {
		n, err := in.from.next(yield)
		if errors.Is(err, io.EOF) {
			in.done = true
			r.End(in.source)
			return events, nil
		}
		if err != nil {
			return events, err
		}
		r.Progress(in.source, n)
	}
	return events, nil
}
