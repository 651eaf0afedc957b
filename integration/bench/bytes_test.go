package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
)

// recordOverhead is what Kafka adds to a record, in bytes: lengths, deltas and
// its share of the batch's header.
const recordOverhead = 12

// BenchmarkBytes counts the bytes that weir writes to Kafka for each byte that
// it reads, neither compressed, with a commit every five seconds of event time,
// in five dimensions: over the second and third hour of a Monday morning, after
// a first one in which the state is built up. Each branch is a company of 22,500
// people and services with five million customers; branches share services,
// networks, applications and endpoints.
func BenchmarkBytes(b *testing.B) {
	for _, branches := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("branches=%d", branches), func(b *testing.B) {
			f := newFlow(b)
			f.run(b, branches, time.Hour)
			f.in, f.events, f.partials, f.state, f.reports = 0, 0, 0, 0, 0
			f.run(b, branches, 2*time.Hour)
			perByte := func(n int) float64 { return float64(n) / float64(f.in) }
			b.ReportMetric(float64(f.events)/(2*3600), "events/s")
			b.ReportMetric(perByte(f.partials), "partials")
			b.ReportMetric(perByte(f.state), "state")
			b.ReportMetric(perByte(f.reports), "evidence")
			b.ReportMetric(perByte(f.partials+f.state+f.reports), "written/read")
			b.ReportMetric(0, "ns/op") // meaningless here
		})
	}
}

// flow is the operators of one process with a scale at each edge.
type flow struct {
	companies []*simulate.Company
	pending   []event.Event // the next event of each
	now       int64
	ingest    *ingest.Worker
	detects   []*detect.Task
	correlate *correlate.Task
	offsets   []int64 // of the partials
	sent      int64   // reports
	value     []byte
	decoder   *fieldmap.Decoder

	in, events, partials, state, reports int
}

const flowPartitions = 8

var flowSource = stream.Source{Topic: "access"}

func newFlow(b *testing.B) *flow {
	b.Helper()
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	dims := event.DefaultDimensions()
	var names []string
	for _, d := range dims {
		names = append(names, d.Name)
	}
	engine := score.NewEngine(time.Hour, time.UTC, score.DefaultTuning())
	const lateness, retention = 2 * tick, 30 * 24 * 12 * tick
	f := &flow{offsets: make([]int64, flowPartitions), decoder: nativeFormat().NewDecoder()}
	f.ingest = ingest.New(ingest.Config{
		Grid: grid, Dimensions: dims, Hasher: event.FixedHasher(), Partitions: flowPartitions,
		Lateness: lateness, Future: lateness, Retention: retention,
	})
	f.ingest.Assign(ingest.NoProgress(flowSource, 0))
	for p := range flowPartitions {
		f.detects = append(f.detects, detect.New(detect.Config{
			Grid: grid, Dimensions: names, Persons: detect.Persons(dims), Peers: detect.DefaultPeers(dims), Engine: engine, Partition: int32(p),
			Lateness: lateness, Retention: retention, SnapshotTicks: 12,
		}))
	}
	f.correlate = correlate.New(correlate.Config{
		Grid: grid, Dimensions: names, Engine: engine, Partitions: flowPartitions,
		Budget: fleet.NewConfig(2, names, 24), Location: time.UTC,
	})
	return f
}

// run moves event time on.
func (f *flow) run(b *testing.B, branches int, span time.Duration) {
	b.Helper()
	if f.companies == nil {
		f.pending = make([]event.Event, branches)
		for i := range branches {
			c := company(b, uint64(i+1))
			c.Next(&f.pending[i])
			f.companies = append(f.companies, c)
		}
		f.now = f.pending[0].Time
	}
	for end := f.now + span.Milliseconds(); f.now < end; {
		f.now += 5000
		for i, c := range f.companies {
			for ev := &f.pending[i]; ev.Time < f.now; c.Next(ev) {
				f.value = event.AppendNative(f.value[:0], ev)
				f.in += len(f.value)
				f.events++
				f.decoder.Decode(f.value, func(ev *event.Event, _ *event.Reject) {
					if ev.Actor != "" && ev.Actor[0] == 'u' {
						ev.Actor = fmt.Sprint(ev.Actor, "-", i) // customers of different branches
					}
					f.ingest.Fold(flowSource, f.now, ev)
				})
			}
		}
		if err := f.commit(); err != nil {
			b.Fatal(err)
		}
	}
}

// commit does what five seconds' transactions of all tasks do.
func (f *flow) commit() error {
	var failed error
	f.ingest.Flush([]stream.Topic{{Name: flowSource.Topic, Partitions: 1}}, nil, func(p int32, value []byte) {
		f.partials += len(value) + recordOverhead
		batch, err := stream.DecodeBatch(value)
		if err == nil {
			err = f.detects[p].Apply(f.offsets[p], batch)
		}
		if err != nil {
			failed = err
		}
		f.offsets[p]++
	})
	f.ingest.Commit()
	for _, d := range f.detects {
		d.Advance()
		report, changes := d.Take()
		if report == nil || failed != nil {
			continue
		}
		for _, c := range append(changes, d.Checkpoint()) {
			f.state += len(c.Key) + len(c.Value) + recordOverhead
		}
		value, err := report.Encode()
		if err == nil {
			f.reports += len(value) + recordOverhead
			err = f.correlate.Apply(f.sent, report)
		}
		f.sent++
		failed = err
	}
	if found := f.correlate.Advance(); found.Parameters != nil {
		params := found.Parameters
		for i := range found.Alerts {
			f.reports += len(found.Alerts[i].AppendJSON(nil)) + recordOverhead
		}
		for _, c := range f.correlate.Snapshot() {
			f.reports += len(c.Key) + len(c.Value) + recordOverhead
		}
		f.reports += len(params.AppendBinary(nil)) + recordOverhead
		for _, d := range f.detects {
			d.SetParameters(params)
		}
	}
	return failed
}
