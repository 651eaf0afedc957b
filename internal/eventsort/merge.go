package eventsort

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/gob"
	"errors"
	"fmt"
	"io"

	"github.com/weirhq/weir/event"
)

// Merge returns the events of several runs, in order.
type Merge struct{ heads heads }

// head is the next event of a run.
type head struct {
	event *event.Event
	order int // of the run
	next  func() (*event.Event, error)
}

// merge begins to merge the runs and what is held, which must be in order.
func (s *Sorter) merge() (*Merge, error) {
	m := &Merge{}
	for i, r := range s.runs {
		decoder := gob.NewDecoder(bufio.NewReaderSize(io.NewSectionReader(s.file, r.from, r.to-r.from), 32<<10))
		err := m.add(i, func() (*event.Event, error) {
			ev := new(event.Event)
			return ev, decoder.Decode(ev)
		})
		if err != nil {
			return nil, err
		}
	}
	i := 0
	err := m.add(len(s.runs), func() (*event.Event, error) {
		if i == len(s.held) {
			return nil, io.EOF
		}
		i++
		return s.held[i-1], nil
	})
	heap.Init(&m.heads)
	return m, err
}

// add adds a run, unless it is empty.
func (m *Merge) add(order int, next func() (*event.Event, error)) error {
	h := head{order: order, next: next}
	more, err := h.advance()
	if more {
		m.heads = append(m.heads, h)
	}
	return err
}

// advance goes to the next event of the run. It reports whether there is one.
func (h *head) advance() (more bool, err error) {
	h.event, err = h.next()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading events that were sorted: %w", err)
	}
	return true, nil
}

// Next returns the next event; io.EOF after the last.
func (m *Merge) Next() (*event.Event, error) {
	if len(m.heads) == 0 {
		return nil, io.EOF
	}
	ev := m.heads[0].event
	more, err := m.heads[0].advance()
	switch {
	case err != nil:
		return nil, err
	case more:
		heap.Fix(&m.heads, 0)
	default:
		heap.Pop(&m.heads)
	}
	return ev, nil
}

// heads is a heap of runs by their next events.
type heads []head

func (h heads) Len() int { return len(h) }
func (h heads) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].event.Time, h[j].event.Time), cmp.Compare(h[i].order, h[j].order)) < 0
}
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)   { *h = append(*h, x.(head)) }
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
