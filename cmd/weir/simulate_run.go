package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
)

// simulation is one run of weir simulate.
type simulation struct {
	options   simulate.Options
	encode    func([]byte, *event.Event) []byte
	open      func(context.Context, *simulation) (eventSink, error)
	truth     string
	until     time.Time // end of the history; zero: the end of the company
	live      bool
	leakAfter time.Duration
	rate      float64
	speed     float64

	stdout, stderr io.Writer

	line    []byte
	written int64
}

// eventSink is where encoded events go.
type eventSink interface {
	// put takes one event; the line is the caller's again afterwards.
	put(ctx context.Context, ev *event.Event, line []byte) error
	// flush makes sure that everything put so far can be read by others.
	flush(ctx context.Context) error
	// close flushes and ends the output.
	close(ctx context.Context) error
}

// run makes the events and, at the end, the truth. An interrupt is the ordinary
// end of a live run and a fault of any other.
func (s *simulation) run(ctx context.Context) error {
	sink, err := s.open(ctx, s)
	if err != nil {
		return err
	}
	company, err := s.play(ctx, sink)
	if s.live && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	// What was put before an interrupt still has to arrive.
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if closeErr := sink.close(closing); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return s.writeTruth(company.Truth())
}

// play puts the whole company, or the history and then life.
func (s *simulation) play(ctx context.Context, sink eventSink) (*simulate.Company, error) {
	if !s.live {
		company, err := simulate.New(s.options)
		if err != nil {
			return nil, err
		}
		end := int64(1<<63 - 1)
		if !s.until.IsZero() {
			end = s.until.UnixMilli()
		}
		return company, s.put(ctx, sink, company, 0, end, s.pace())
	}
	// How long the history takes to write is known only afterwards, and the leak
	// is to start some time after that. A leak only adds to a company, so the
	// history comes from one without the leak, and life from its twin with it.
	before := s.options
	before.LeakStart = before.Start.AddDate(0, 0, before.Days)
	history, err := simulate.New(before)
	if err != nil {
		return nil, err
	}
	cut := s.until.UnixMilli()
	if err := s.put(ctx, sink, history, 0, cut, nil); err != nil {
		return history, err
	}
	if err := sink.flush(ctx); err != nil {
		return history, err
	}
	s.options.LeakStart = time.Now().Add(s.leakAfter)
	company, err := simulate.New(s.options)
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
func (s *simulation) pace() pacer {
	began, first := time.Now(), int64(-1)
	switch {
	case s.rate > 0:
		return func(_, n int64) time.Time {
			return began.Add(time.Duration(float64(n) / s.rate * float64(time.Second)))
		}
	case s.speed > 0:
		return func(at, _ int64) time.Time {
			if first < 0 {
				first = at
			}
			return began.Add(time.Duration(float64(at-first) / s.speed * float64(time.Millisecond)))
		}
	}
	return nil
}

// put writes the company's events of [from, to) when they are due.
func (s *simulation) put(ctx context.Context, sink eventSink, company *simulate.Company, from, to int64, due pacer) error {
	progress := newProgress(s.stderr)
	defer progress.clear()
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
			progress.show("simulating %s: %d events", time.UnixMilli(ev.Time).UTC().Format("2006-01-02 15:04"), s.written)
		}
		s.line = s.encode(s.line[:0], &ev)
		if err := sink.put(ctx, &ev, s.line); err != nil {
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
func waitUntil(ctx context.Context, due time.Time, sink eventSink) error {
	wait := time.Until(due)
	if wait < slack {
		return nil
	}
	if err := sink.flush(ctx); err != nil {
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
func (s *simulation) writeTruth(t simulate.Truth) error {
	if s.truth == "" {
		return nil
	}
	b, err := t.JSON()
	if err == nil {
		err = os.WriteFile(s.truth, b, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the truth: %w", err)
	}
	return nil
}
