package backtest

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/collector"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
)

// BenchmarkBacktest gives the CPU time of a pass over three weeks of a simulated
// company, as weir backtest makes it, beside that of reading and decoding the same file
// once: in turn three times, medians. WEIR_BENCH_SCALE is the size of the company; 1, the
// default, is one of 150 people, with some 40,000 events a day.
func BenchmarkBacktest(b *testing.B) {
	path, events := company(b)
	log := func() *Files {
		format, err := files.LoadFormat("native")
		if err != nil {
			b.Fatal(err)
		}
		return &Files{Names: []string{path}, Format: format}
	}
	set, err := settings.New(config.Default())
	if err != nil {
		b.Fatal(err)
	}
	collector.Seldom()
	var read, pass, wall []float64
	for b.Loop() {
		for range 3 {
			plain := log()
			plain.AsIs = true
			read = append(read, spent(b, func() error { return plain.Read(context.Background(), nobody{}) }))
			began := time.Now()
			pass = append(pass, spent(b, func() error {
				l := log()
				run := NewRun(set, l, progress.New(io.Discard))
				run.Ahead = true
				return l.Read(context.Background(), run)
			}))
			wall = append(wall, time.Since(began).Seconds())
		}
	}
	slices.Sort(read)
	slices.Sort(pass)
	slices.Sort(wall)
	middle := len(read) / 2
	perMillion := 1e6 / float64(events)
	b.ReportMetric(float64(events), "events")
	b.ReportMetric(read[middle]*perMillion, "read-cpu-s/M")
	b.ReportMetric(pass[middle]*perMillion, "pass-cpu-s/M")
	b.ReportMetric(wall[middle]*perMillion, "pass-wall-s/M")
	b.ReportMetric(pass[middle]/read[middle], "pass/read")
	b.ReportMetric(0, "ns/op") // meaningless here
}

// company writes the log of a simulated company, and returns its name and how many
// events are in it.
func company(b *testing.B) (path string, events int) {
	b.Helper()
	scale := 1.0
	if text := os.Getenv("WEIR_BENCH_SCALE"); text != "" {
		var err error
		if scale, err = strconv.ParseFloat(text, 64); err != nil {
			b.Fatal(err)
		}
	}
	c, err := simulate.New(simulate.Options{Scenario: "calm", Seed: 1, Scale: scale, Days: 21})
	if err != nil {
		b.Fatal(err)
	}
	path = filepath.Join(b.TempDir(), "company.ndjson.gz")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	packed := gzip.NewWriter(file)
	out := bufio.NewWriter(packed)
	var ev event.Event
	var line []byte
	for ; c.Next(&ev); events++ {
		line = append(event.AppendNative(line[:0], &ev), '\n')
		_, _ = out.Write(line) // its error comes with Flush
	}
	for _, end := range []func() error{out.Flush, packed.Close, file.Close} {
		if err := end(); err != nil {
			b.Fatal(err)
		}
	}
	return path, events
}

// spent returns the CPU-seconds that something took, of the whole process.
func spent(b *testing.B, do func() error) float64 {
	b.Helper()
	now := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
	}
	from := now()
	if err := do(); err != nil {
		b.Fatal(fmt.Errorf("reading the company's log: %w", err))
	}
	return now() - from
}

// nobody is a Reader that takes in everything and does nothing with it.
type nobody struct{}

func (nobody) Event(_ stream.Source, ev *event.Event) int64 { return ev.Time }
func (nobody) Reject(*event.Reject)                         {}
func (nobody) Warn(string)                                  {}
func (nobody) Progress(stream.Source, int64)                {}
func (nobody) End(stream.Source)                            {}
func (nobody) Flush(bool) error                             { return nil }
