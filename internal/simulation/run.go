// Package simulation plays a simulated company's events into a file or a Kafka
// topic: as fast as possible, at a pace, or live.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/simulate"
)

// Simulation is one run: which company, and how its events are written.
type Simulation struct {
	Company   simulate.Options
	Encode    func([]byte, *event.Event) []byte   // appends an event in the form of the output
	Open      func(context.Context) (Sink, error) // opens the output
	Truth     string                              // file for what really happened; empty: none
	Until     time.Time                           // end of the history; zero: the end of the company
	Live      bool                                // go on in real time after the history
	LeakAfter time.Duration                       // with Live: the leak starts this long after the history; below 0: within it
	Rate      float64                             // at most so many events a second; 0: no limit
	Speed     float64                             // multiple of real time; 0: as fast as possible
	Progress  *progress.Line

	line    []byte
	written int64
}

// Sink is where encoded events go.
type Sink interface {
	// Put takes one event; the line is the caller's again afterwards.
	Put(ctx context.Context, ev *event.Event, line []byte) error
	// Flush makes sure that everything put so far can be read by others.
	Flush(ctx context.Context) error
	// Close flushes and ends the output.
	Close(ctx context.Context) error
}

// Run makes the events and, at the end, the truth. An interrupt is the ordinary
// end of a live run and a fault of any other.
func (s *Simulation) Run(ctx context.Context) error {
	sink, err := s.Open(ctx)
	if err != nil {
		return err
	}
	company, err := s.play(ctx, sink)
	if s.Live && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	// What was put before an interrupt still has to arrive.
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if closeErr := sink.Close(closing); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return s.writeTruth(company.Truth())
}

// play puts the whole company, or the history and then life.
func (s *Simulation) play(ctx context.Context, sink Sink) (*simulate.Company, error) {
	if !s.Live {
		company, err := simulate.New(s.Company)
		if err != nil {
			return nil, err
		}
		end := int64(1<<63 - 1)
		if !s.Until.IsZero() {
			end = s.Until.UnixMilli()
		}
		return company, s.put(ctx, sink, company, 0, end, s.pace())
	}
	// How long the history takes to write is known only afterwards, and a leak that
	// comes after it is to start some time after that. A leak only adds to a company, so
	// the history comes from one without the leak, and life from its twin with it.
	before := s.Company
	before.LeakStart = before.Start.AddDate(0, 0, before.Days)
	if s.LeakAfter < 0 {
		before.LeakStart = s.Until.Add(s.LeakAfter)
	}
	history, err := simulate.New(before)
	if err != nil {
		return nil, err
	}
	cut := s.Until.UnixMilli()
	if err := s.put(ctx, sink, history, 0, cut, nil); err != nil {
		return history, err
	}
	if err := sink.Flush(ctx); err != nil {
		return history, err
	}
	s.Company.LeakStart = before.LeakStart
	if s.LeakAfter >= 0 {
		s.Company.LeakStart = time.Now().Add(s.LeakAfter)
	}
	company, err := simulate.New(s.Company)
	if err != nil {
		return nil, err
	}
	return company, s.put(ctx, sink, company, cut, int64(1<<63-1), func(at, _ int64) time.Time {
		return time.UnixMilli(at).Add(slack) // never before it has happened
	})
}

// pacer returns when the n-th event, of time at, is due.
type pacer func(at, n int64) time.Time

// pace returns the pacer of --rate or --speed, or nil to go as fast as possible.
func (s *Simulation) pace() pacer {
	began, first := time.Now(), int64(-1)
	switch {
	case s.Rate > 0:
		return func(_, n int64) time.Time {
			return began.Add(time.Duration(float64(n) / s.Rate * float64(time.Second)))
		}
	case s.Speed > 0:
		return func(at, _ int64) time.Time {
			if first < 0 {
				first = at
			}
			return began.Add(time.Duration(float64(at-first) / s.Speed * float64(time.Millisecond)))
		}
	}
	return nil
}

// put writes the company's events of [from, to) when they are due.
func (s *Simulation) put(ctx context.Context, sink Sink, company *simulate.Company, from, to int64, due pacer) error {
	defer s.Progress.Clear()
	var ev event.Event
	for n := int64(0); company.Next(&ev); {
		if ev.Time < from {
			continue
		}
		if ev.Time >= to {
			return nil
		}
		if due != nil {
			if err := waitUntil(ctx, due(ev.Time, n), sink); err != nil {
				return err
			}
		}
		if n&1023 == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("simulating: %w", err)
			}
			s.Progress.Show("simulating %s: %d events", time.UnixMilli(ev.Time).UTC().Format("2006-01-02 15:04"), s.written)
		}
		s.line = s.Encode(s.line[:0], &ev)
		if err := sink.Put(ctx, &ev, s.line); err != nil {
			return err
		}
		n++
		s.written++
	}
	return nil
}

// slack is how much too early an event may be written: sleeping for less costs more.
const slack = time.Millisecond

// waitUntil sleeps until an event is due, and lets readers have what came before.
func waitUntil(ctx context.Context, due time.Time, sink Sink) error {
	wait := time.Until(due)
	if wait < slack {
		return nil
	}
	if err := sink.Flush(ctx); err != nil {
		return err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("simulating: %w", ctx.Err())
	}
}

// writeTruth writes the truth file, if one is asked for.
func (s *Simulation) writeTruth(t simulate.Truth) error {
	if s.Truth == "" {
		return nil
	}
	b, err := t.JSON()
	if err == nil {
		err = os.WriteFile(s.Truth, b, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the truth: %w", err)
	}
	return nil
}
