package lab

import (
	"context"
	"testing"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream"
)

// memory is a log that is held in memory, as one partition.
type memory struct {
	events []*event.Event
	passes int // over the log
}

func (m *memory) Topics() []stream.Topic { return []stream.Topic{{Name: "memory", Partitions: 1}} }

func (m *memory) Read(_ context.Context, r backtest.Reader) error {
	m.passes++
	src := stream.Source{Topic: "memory"}
	for i, ev := range m.events {
		r.Event(src, ev.Clone())
		if (i+1)%1000 == 0 {
			if err := r.Flush(false); err != nil {
				if err == backtest.ErrEnough {
					return nil
				}
				return err
			}
		}
	}
	r.End(src)
	return r.Flush(true)
}

// A leak of ten times the usual is caught for each identity that it is tried with,
// in a pass each beside the one over the log as it is. The next configuration is
// tried with the same leaks.
func TestTrial(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine alone")
	}
	s, err := settings.New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseLeak("RATE=10x,COUNT=2")
	if err != nil {
		t.Fatal(err)
	}
	log := &memory{events: office(usual)}
	x := NewExperiment(log, []Leak{l}, &progress.Line{})
	for n := 1; n <= 2; n++ {
		trial, err := x.Trial(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if trial.Events != int64(len(log.events)) || trial.Days < 20 || trial.Days > 21 || len(trial.Leaks) != 1 {
			t.Fatalf("trial %+v", trial)
		}
		r := trial.Leaks[0]
		if r.Tried != 2 || r.Caught != 2 || r.Comparable != 6 || r.Median <= 0 || r.Median > 24 {
			t.Errorf("ten times the usual: %+v", r)
		}
		if log.passes != 3*n {
			t.Errorf("after %d trials the log was read %d times", n, log.passes)
		}
	}
}

// A leak of a dimension that the settings lack is refused before the log is read.
func TestTrialOfAnotherDimension(t *testing.T) {
	s, err := settings.New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseLeak("IDENTITY=city:rome")
	if err != nil {
		t.Fatal(err)
	}
	log := &memory{}
	if _, err := NewExperiment(log, []Leak{l}, &progress.Line{}).Trial(t.Context(), s); err == nil || log.passes > 0 {
		t.Errorf("%v after %d passes", err, log.passes)
	}
}
