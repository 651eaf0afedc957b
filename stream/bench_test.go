package stream_test

import (
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
)

// BenchmarkOperators gives the cost of each operator per event, without Kafka:
// a simulated company of 3,000 staff for a day and a half, read as fast as it
// can be, with a flush each 100,000 events. "decode" is what a reader without
// weir pays too; each further step includes the ones before it.
func BenchmarkOperators(b *testing.B) {
	l := newLab(b)
	values := nativeTraffic(b, simulate.Options{Scenario: "calm", Scale: 20, Days: 2}, 1_000_000)
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

func nativeDecoder(tb testing.TB) *event.Decoder {
	tb.Helper()
	format, err := event.LoadFormat("native")
	if err != nil {
		tb.Fatal(err)
	}
	return format.NewDecoder()
}

// perEvent reports the time of one event of a run over all values.
func perEvent(b *testing.B, values [][]byte) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(values)), "ns/event")
}

func benchDecode(b *testing.B, values [][]byte) {
	decoder := nativeDecoder(b)
	records := 0
	for b.Loop() {
		for _, v := range values {
			decoder.Decode(v, func(ev *event.Event, _ *event.Reject) { records += len(ev.Records) })
		}
	}
	perEvent(b, values)
}

const flushEvery = 100_000

func (l *lab) benchFold(b *testing.B, values [][]byte) {
	decoder := nativeDecoder(b)
	src := stream.Source{Topic: "access"}
	topics := []stream.Topic{{Name: "access", Partitions: 1}}
	size := 0
	for b.Loop() {
		in := stream.NewIngest(l.ingest(16))
		in.Assign(stream.NoProgress(src, 0))
		for i, v := range values {
			decoder.Decode(v, func(ev *event.Event, _ *event.Reject) { in.Fold(src, stamp, ev) })
			if i%flushEvery == flushEvery-1 {
				in.Flush(topics, func(_ int32, value []byte) { size += len(value) })
				in.Commit()
			}
		}
	}
	perEvent(b, values)
	b.ReportMetric(float64(size)/float64(b.N*len(values)), "B/event")
}

func (l *lab) benchAll(b *testing.B, values [][]byte) {
	decoder := nativeDecoder(b)
	src := stream.Source{Topic: "access"}
	var identities int64
	for b.Loop() {
		local := stream.NewLocal(l.ingest(1), l.detect(), l.correlate(1), []stream.Topic{{Name: "access", Partitions: 1}})
		for i, v := range values {
			decoder.Decode(v, func(ev *event.Event, _ *event.Reject) { local.Fold(src, stamp, ev) })
			if i%flushEvery == flushEvery-1 {
				if _, err := local.Flush(); err != nil {
					b.Fatal(err)
				}
			}
		}
		identities = local.Detect.Stats().Identities
	}
	perEvent(b, values)
	b.ReportMetric(float64(identities), "identities")
}
