package bench

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/local"
)

// size is a load of a day, and how it is cut.
type size struct {
	events, actors, dimensions, partitions int
}

// eightDimensions are the default ones and three of two fields. The first n of them are a
// configuration of n dimensions.
var eightDimensions = append(event.DefaultDimensions(),
	event.Dimension{Name: "user_endpoint", Fields: []string{"actor", "endpoint"}},
	event.Dimension{Name: "user_network", Fields: []string{"actor", "network"}},
	event.Dimension{Name: "key_network", Fields: []string{"key_id", "network"}})

// BenchmarkSize takes a day of the sparse load through the operators, without Kafka, and
// changes one thing at a time: ten times the events, ten times the actors, the number of
// dimensions, the number of partitions. It prints the CPU time of an event beside that of
// the first size.
func BenchmarkSize(b *testing.B) {
	base := size{setting(b, "WEIR_BENCH_EVENTS", 100_000), 2000, 5, 8}
	sizes := []struct {
		name   string
		change func(*size)
	}{
		{"base", func(*size) {}},
		{"events=x10", func(s *size) { s.events *= 10 }},
		{"actors=x10", func(s *size) { s.actors *= 10 }},
		{"dimensions=1", func(s *size) { s.dimensions = 1 }},
		{"dimensions=3", func(s *size) { s.dimensions = 3 }},
		{"dimensions=8", func(s *size) { s.dimensions = 8 }},
		{"partitions=1", func(s *size) { s.partitions = 1 }},
		{"partitions=64", func(s *size) { s.partitions = 64 }},
	}
	first := 0.0
	for _, c := range sizes {
		b.Run(c.name, func(b *testing.B) {
			s := base
			c.change(&s)
			began := cpuTime(b)
			identities := s.run(b)
			each := float64(cpuTime(b)-began) / float64(s.events)
			if first == 0 {
				first = each
			}
			b.ReportMetric(each/1000, "CPU-s/M")
			b.ReportMetric(each/first, "of-base")
			b.ReportMetric(float64(identities), "identities")
			b.ReportMetric(0, "ns/op") // meaningless here
		})
	}
}

// cpuTime returns the user and system time of this process.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// run takes the load through the operators, with a commit each minute of event time, and
// returns how many identities there are at its end.
func (s size) run(b *testing.B) int64 {
	b.Helper()
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	dims := eightDimensions[:s.dimensions]
	var names []string
	for _, d := range dims {
		names = append(names, d.Name)
	}
	engine := score.NewEngine(time.Hour, time.UTC, score.DefaultTuning())
	const lateness, retention = 2 * tick, 30 * 24 * 12 * tick
	runner := local.New(
		ingest.Config{Grid: grid, Dimensions: dims, Hasher: event.FixedHasher(), Lateness: lateness, Future: lateness, Retention: retention},
		detect.Config{
			Grid: grid, Dimensions: names, Persons: detect.Persons(dims), Peers: detect.DefaultPeers(dims), Engine: engine,
			Lateness: lateness, Retention: retention,
		},
		correlate.Config{Grid: grid, Dimensions: names, Engine: engine, Budget: fleet.NewConfig(2, names, 24), Location: time.UTC},
		[]stream.Topic{{Name: flowSource.Topic, Partitions: 1}}, s.partitions)
	load := newSparse(1)
	load.every, load.actors = 24*time.Hour/time.Duration(s.events), rand.NewZipf(load.dice, sparseSkew, 1, uint64(s.actors-1))
	var ev event.Event
	var flushed int64
	for i := range s.events {
		if load.Next(&ev); i == 0 {
			flushed = ev.Time
		}
		runner.Fold(flowSource, ev.Time, &ev)
		if ev.Time-flushed >= eventtime.Minute {
			flushed = ev.Time
			if _, err := runner.Flush(); err != nil {
				b.Fatal(fmt.Errorf("event %d: %w", i, err))
			}
		}
	}
	if _, err := runner.End(); err != nil {
		b.Fatal(err)
	}
	return runner.Stats().Identities
}
