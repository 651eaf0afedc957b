package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/stream"
)

// logFiles are the files of one log, read side by side as the partitions of one topic.
type logFiles struct {
	names  []string
	format *fieldmap.Format
}

// eventLog is a log that can be read from its beginning, more than once.
type eventLog interface {
	topics() []stream.Topic
	each(ctx context.Context, r logReader) error
}

// logReader takes in what an eventLog holds.
type logReader interface {
	// event reports whether the event moves its source on: a future-dated one
	// does not. It must not keep ev.
	event(src stream.Source, ev *event.Event) bool
	reject(rej *event.Reject)
	read(src stream.Source, line int64) // all up to this line of the source was given
	ended(src stream.Source)
	flush(last bool) error // after each batchEvents events, and at the end
}

// errEnough, of a logReader, ends the reading without an error.
var errEnough = errors.New("enough was read")

// backtestTopic is what the files are called as a source.
const backtestTopic = "files"

func (l *logFiles) topics() []stream.Topic {
	return []stream.Topic{{Name: backtestTopic, Partitions: int32(len(l.names))}}
}

// repeatable refuses standard input to a command that must read more than once.
func (l *logFiles) repeatable(why string) error {
	for _, name := range l.names {
		if name == "-" {
			return usagef("%s reads the log several times, which standard input does not allow; name a file", why)
		}
	}
	return nil
}

// input is one file that is being read.
type input struct {
	source  stream.Source
	lines   *files.Reader
	decoder *fieldmap.Decoder
	reached int64 // largest event time so far
	done    bool
}

const (
	// batchEvents is how many events are read between two flushes.
	batchEvents = 50_000
	// chunkLines is how many lines are read of one file before looking at others.
	chunkLines = 2000
)

// each reads all files to their ends.
func (l *logFiles) each(ctx context.Context, r logReader) error {
	inputs := make([]*input, len(l.names))
	for i, name := range l.names {
		file, err := files.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		inputs[i] = &input{
			source: stream.Source{Topic: backtestTopic, Partition: int32(i)},
			lines:  files.NewReader(file, l.format), decoder: l.format.NewDecoder(),
		}
	}
	pending := 0
	for in := slowest(inputs); in != nil; in = slowest(inputs) {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := in.chunk(r)
		if err != nil {
			return fmt.Errorf("reading %s: %w", l.names[in.source.Partition], err)
		}
		if pending += n; pending >= batchEvents {
			pending = 0
			if err := r.flush(false); err != nil {
				return enough(err)
			}
		}
	}
	return enough(r.flush(true))
}

func enough(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
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
func (in *input) chunk(r logReader) (events int, err error) {
	yield := func(ev *event.Event, rej *event.Reject) {
		if rej != nil {
			r.reject(rej)
			return
		}
		events++
		if r.event(in.source, ev) {
			in.reached = max(in.reached, ev.Time)
		}
	}
	for range chunkLines {
		line, n, err := in.lines.Next()
		if errors.Is(err, io.EOF) {
			in.done = true
			r.ended(in.source)
			return events, nil
		}
		if err != nil {
			return events, err
		}
		in.decoder.Decode(line, yield)
		r.read(in.source, n)
	}
	return events, nil
}
