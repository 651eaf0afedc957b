// Package eventsort puts the events of a file in order of time, in bounded memory:
// what does not fit is written to a temporary file in runs, each in order, which are
// merged when they are read. Events of one time keep the order in which they came.
package eventsort

import (
	"bufio"
	"cmp"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/weirhq/weir/event"
)

// Sorter takes in events in any order. Its zero value is not ready for use.
type Sorter struct {
	limits Limits
	held   []*event.Event
	size   int64 // of those held, in bytes
	file   *os.File
	end    int64 // of what was written to the file
	runs   []run // in the order in which they came
}

// Limits bound what a Sorter holds.
type Limits struct {
	Bytes int64 // of events in memory
	Runs  int   // that are merged at a time; each takes a buffer of 32 KiB
}

// DefaultLimits take some 100 MB of memory.
var DefaultLimits = Limits{Bytes: 64 << 20, Runs: 256}

// run is a part of the temporary file in which events are in order.
type run struct{ from, to int64 }

// New returns a Sorter that holds nothing.
func New(limits Limits) *Sorter { return &Sorter{limits: limits} }

// Add takes in an event, which it copies.
func (s *Sorter) Add(ev *event.Event) error {
	s.held = append(s.held, ev.Clone())
	if s.size += SizeOf(ev); s.size < s.limits.Bytes {
		return nil
	}
	return s.spill()
}

// SizeOf returns about how many bytes an event takes.
func SizeOf(ev *event.Event) int64 {
	const fixed, header = 256, 16
	n := fixed + len(ev.ID) + len(ev.Actor) + len(ev.Role) + len(ev.Subject) + len(ev.KeyID) + len(ev.Session) + len(ev.IP) + len(ev.Client) + len(ev.Endpoint)
	for _, r := range ev.Records {
		n += header + len(r)
	}
	return int64(n)
}

func byTime(a, b *event.Event) int { return cmp.Compare(a.Time, b.Time) }

// spill writes what is held to the file, as a run.
func (s *Sorter) spill() error {
	slices.SortStableFunc(s.held, byTime)
	i := 0
	err := s.write(func() (*event.Event, error) {
		if i == len(s.held) {
			return nil, io.EOF
		}
		i++
		return s.held[i-1], nil
	})
	clear(s.held)
	s.held, s.size = s.held[:0], 0
	if err != nil || len(s.runs) < s.limits.Runs {
		return err
	}
	all, err := s.merge()
	if err != nil {
		return err
	}
	s.runs = nil
	return s.write(all.Next)
}

// write appends a run to the file, of the events that next returns until io.EOF.
func (s *Sorter) write(next func() (*event.Event, error)) (err error) {
	if s.file == nil {
		if s.file, err = temporary(); err != nil {
			return err
		}
	}
	out := &counted{w: s.file}
	buffer := bufio.NewWriterSize(out, 256<<10)
	encoder := gob.NewEncoder(buffer)
	for {
		ev, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = encoder.Encode(ev)
		}
		if err != nil {
			return fmt.Errorf("sorting the events in %s: %w", s.file.Name(), err)
		}
	}
	if err := buffer.Flush(); err != nil {
		return fmt.Errorf("sorting the events in %s: %w", s.file.Name(), err)
	}
	s.runs = append(s.runs, run{s.end, s.end + out.n})
	s.end += out.n
	return nil
}

// temporary makes a file that is gone when the process is.
func temporary() (*os.File, error) {
	file, err := os.CreateTemp("", "weir-sort-*")
	if err != nil {
		return nil, fmt.Errorf("making a temporary file to sort the events in: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, fmt.Errorf("unlinking the temporary file that events are sorted in: %w", err)
	}
	return file, nil
}

// counted counts what is written to it.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Read returns the events that were added, in order. It may be called again when
// the reading before is over.
func (s *Sorter) Read() (*Merge, error) {
	slices.SortStableFunc(s.held, byTime)
	return s.merge()
}

// Close gives the temporary file back.
func (s *Sorter) Close() error {
	s.held = nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
