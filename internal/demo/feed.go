package demo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream/ingest"
)

// feed writes a company's events to the source topic: the history as fast
// as it can, then life at a pace.
type feed struct {
	company  *simulate.Company
	client   *kgo.Client
	truth    *truth
	parked   chan int64    // gets the time of the last event of the history, once that is written
	resume   chan struct{} // is closed when the history has been worked through
	days     chan struct{} // gets one for each day of event time that has been worked through
	grid     eventtime.Grid
	lateness int64 // of the pipeline, ms

	mu     sync.Mutex
	failed error // of the first record that could not be written
}

func newFeed(company *simulate.Company, p *pipeline, truth *truth) *feed {
	return &feed{company: company, client: p.client, truth: truth, grid: p.settings.Grid, lateness: p.lateness, parked: make(chan int64, 1), resume: make(chan struct{}), days: make(chan struct{}, simulate.MaxDays)}
}

// daysAhead is how many days the feed is before the pipeline at most. What the
// pipeline has read and not yet closed is held in memory, and two weeks of it
// makes both larger and slower.
const daysAhead = 2

// stepEvery is how often events are written when they come at a pace.
const stepEvery = 50 * time.Millisecond

// run writes the events before live, waits until these have been worked
// through, and writes the others at the speed, until the company ends.
func (f *feed) run(ctx context.Context, live int64, speed float64) error {
	var ev event.Event
	began := time.Time{}
	start, _ := f.company.Span()
	hold := start.UnixMilli() + daysAhead*eventtime.Day
	for n := int32(0); f.company.Next(&ev); n++ {
		for ; ev.Time >= hold; hold += eventtime.Day {
			if err := receive(ctx, f.days); err != nil {
				return err
			}
		}
		if ev.Time >= live {
			if began.IsZero() {
				if err := f.catchUp(ctx, live); err != nil {
					return err
				}
				began = time.Now()
			}
			due := began.Add(time.Duration(float64(ev.Time-live) / speed * float64(time.Millisecond)))
			if err := f.wait(ctx, due, live, speed, began); err != nil {
				return err
			}
		}
		if n&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		f.truth.observe(&ev, f.company.Leak())
		f.write(ctx, n%sourcePartitions, &ev)
	}
	return f.settle(ctx)
}

func (f *feed) write(ctx context.Context, partition int32, ev *event.Event) {
	f.client.Produce(ctx, &kgo.Record{
		Topic: sourceTopic, Partition: partition, Value: event.AppendNative(nil, ev), Timestamp: time.UnixMilli(ev.Time),
	}, f.done)
}

// settle moves the watermark to the end of the last event's tick, by events that nobody
// is behind: no source is ever taken for idle, since a machine that is busy would then
// decide what counts in which tick. One event more than a lateness after the one before
// it is believed by those that follow, so there are enough of them.
func (f *feed) settle(ctx context.Context) error {
	if end := f.truth.lastEvent(); end > 0 {
		until := f.grid.TickEnd(f.grid.TickOf(end)) + f.lateness
		for partition := range int32(sourcePartitions) {
			for range ingest.LookAhead + 1 {
				f.write(ctx, partition, &event.Event{Time: until})
				f.truth.mark()
			}
		}
	}
	return f.flush(ctx)
}

// catchUp waits until everything before live has been worked through.
func (f *feed) catchUp(ctx context.Context, live int64) error {
	if err := f.settle(ctx); err != nil {
		return err
	}
	f.parked <- f.truth.lastEvent()
	if err := receive(ctx, f.resume); err != nil {
		return err
	}
	f.truth.advance(live)
	return nil
}

// receive waits for a channel as long as ctx lasts.
func receive(ctx context.Context, from <-chan struct{}) error {
	select {
	case <-from:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wait sleeps until an event is due, while the event clock goes on.
func (f *feed) wait(ctx context.Context, due time.Time, live int64, speed float64, began time.Time) error {
	for {
		now := time.Now()
		if !now.Before(due) {
			return nil
		}
		f.truth.advance(live + int64(float64(now.Sub(began).Milliseconds())*speed))
		timer := time.NewTimer(min(due.Sub(now), stepEvery))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

func (f *feed) done(_ *kgo.Record, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == nil && err != nil {
		f.failed = err
	}
}

func (f *feed) flush(ctx context.Context) error {
	err := f.client.Flush(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		err = f.failed
	}
	if err != nil {
		return fmt.Errorf("writing the company's events: %w", err)
	}
	return nil
}
