package backtest

import (
	"context"
	"errors"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
)

// Log is a log that can be read from its beginning, more than once.
type Log interface {
	// Topics returns the topics that the log consists of.
	Topics() []stream.Topic
	// Read gives the whole log to r, unless r has had enough.
	Read(ctx context.Context, r Reader) error
}

// Reader takes in what a Log holds.
type Reader interface {
	// Event takes in an event and returns the event time that its source has
	// reached, Unix ms: one with a wrong date does not move it. It must not keep ev.
	Event(src stream.Source, ev *event.Event) (reached int64)
	// Reject takes in what could not be decoded.
	Reject(rej *event.Reject)
	// Progress says that everything of the source up to an offset, or a line,
	// was given.
	Progress(src stream.Source, offset int64)
	// End says that everything of the source was given.
	End(src stream.Source)
	// Warn says what is odd about the log.
	Warn(what string)
	// Flush comes after each BatchEvents events and, as the last, at the end of
	// the log. ErrEnough ends the reading.
	Flush(last bool) error
}

// BatchEvents is about how many events are read between two flushes.
const BatchEvents = 50_000

// ErrEnough ends the reading without an error, where a Reader returns it from Flush.
var ErrEnough = errors.New("enough was read")

// unlessEnough returns err, or nil if it only says that enough was read.
func unlessEnough(err error) error {
	if errors.Is(err, ErrEnough) {
		return nil
	}
	return err
}
