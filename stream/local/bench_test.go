package local_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/local"
)

// BenchmarkOperators gives the cost of each operator per event, without Kafka:
// a simulated company of 22,500 staff and services on a Monday morning, read as
// fast as it can be, with a flush each 100,000 events. "decode" is what a reader without
// weir pays too; each further step includes the ones before it.
func BenchmarkOperators(b *testing.B) {
	l := newLab(b)
	values := nativeTraffic(b, simulate.Options{
		Scenario: "calm", Scale: simulate.MaxScale, Days: 1, Start: simulate.DefaultStart.Add(8 * time.Hour),
	}, 500_000)
	b.Run("decode", func(b *testing.B) { benchDecode(b, values) })
	b.Run("fold", func(b *testing.B) { l.benchFold(b, values) })
	b.Run("all", func(b *testing.B) { l.benchAll(b, values) })
}

func nativeTraffic(tb testing.TB, o simulate.Options, most int) (out [][]byte) {
	tb.Helper()
	c, err := simulate.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	var ev event.Event
	for len(out) < most && c.Next(&ev) {
		out = append(out, event.AppendNative(nil, &ev))
	}
	return out
}

func nativeDecoder(tb testing.TB) *fieldmap.Decoder {
	tb.Helper()
	format, err := files.LoadFormat("native")
	if err != nil {
		tb.Fatal(err)
	}
	return format.NewDecoder()
}

// meter measures the CPU time of the process, garbage collection included; the
// time on the wall says little on a machine that others use too.
type meter struct {
	from  time.Duration
	bench *testing.B
}

func startMeter(b *testing.B) meter { return meter{cpuTime(b), b} }

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// report gives the CPU time of one event of a run over all values.
func (m meter) report(values [][]byte) {
	m.bench.ReportMetric(float64(cpuTime(m.bench)-m.from)/float64(m.bench.N*len(values)), "cpu-ns/event")
}

func benchDecode(b *testing.B, values [][]byte) {
	decoder := nativeDecoder(b)
	records := 0
	m := startMeter(b)
	for b.Loop() {
		for _, v := range values {
			decoder.Decode(v, func(ev *event.Event, _ *event.Reject) { records += len(ev.Records) })
		}
	}
	m.report(values)
}

const flushEvery = 100_000

func (l *lab) benchFold(b *testing.B, values [][]byte) {
	decoder := nativeDecoder(b)
	src := stream.Source{Topic: "access"}
	topics := []stream.Topic{{Name: "access", Partitions: 1}}
	size := 0
	m := startMeter(b)
	for b.Loop() {
		in := ingest.New(l.ingest(16))
		in.Assign(ingest.NoProgress(src, 0))
		for i, v := range values {
			decoder.Decode(v, func(ev *event.Event, _ *event.Reject) { in.Fold(src, stamp, ev) })
			if i%flushEvery == flushEvery-1 {
				in.Flush(topics, nil, func(_ int32, value []byte) { size += len(value) })
				in.Commit()
			}
		}
	}
	m.report(values)
	b.ReportMetric(float64(size)/float64(b.N*len(values)), "B/event")
}

func (l *lab) benchAll(b *testing.B, values [][]byte) {
	decoder := nativeDecoder(b)
	src := stream.Source{Topic: "access"}
	var identities int64
	m := startMeter(b)
	for b.Loop() {
		runner := local.New(l.ingest(1), l.detect(), l.correlate(1), []stream.Topic{{Name: "access", Partitions: 1}}, 1)
		for i, v := range values {
			decoder.Decode(v, func(ev *event.Event, _ *event.Reject) { runner.Fold(src, stamp, ev) })
			if i%flushEvery == flushEvery-1 {
				if _, err := runner.Flush(); err != nil {
					b.Fatal(err)
				}
			}
		}
		identities = runner.Stats().Identities
	}
	m.report(values)
	b.ReportMetric(float64(identities), "identities")
}
