package ingest_test

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
)

const minute = eventtime.Minute

// start is some Unix minute, at the start of a tick.
const start = int64(29_000_000)

var source = stream.Source{Topic: "a"}

// worker is an ingest task with the one dimension user.
func worker(t *testing.T) *ingest.Worker {
	t.Helper()
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	in := ingest.New(ingest.Config{
		Grid: grid, Dimensions: event.DefaultDimensions()[:1], Hasher: event.FixedHasher(), Partitions: 1,
		Lateness: 10 * minute, Future: 24 * 60 * minute, Retention: 30 * 24 * 60 * minute,
	})
	in.Assign(ingest.NoProgress(source, 0))
	return in
}

// The stories in testdata tell of events that one source brings, and of the partials
// and facts that go on.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		in := worker(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "fold":
				stamp := int64(1 << 40)
				d.MaybeScanArgs(t, "stamp", &stamp)
				wall := int64(0)
				if d.MaybeScanArgs(t, "wall", &wall); d.HasArg("wall") {
					in.Now((start + wall) * minute)
				}
				out := fold(t, d, in, (start+stamp)*minute)
				if !d.HasArg("open") {
					in.End(source)
				}
				return out()
			case "end":
				out := outcomes(in)
				in.End(source)
				return out()
			case "rest":
				out, wall := outcomes(in), int64(0)
				d.ScanArgs(t, "wall", &wall)
				in.Rest(source, (start+wall)*minute)
				return out()
			case "confirm":
				out, reached := outcomes(in), int64(0)
				d.ScanArgs(t, "reached", &reached)
				in.Confirm(source, (start+reached)*minute)
				return out()
			case "new":
				in = worker(t)
			case "flush":
				return flush(t, in)
			case "commit":
				in.Commit()
			case "abort":
				in.Abort()
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			return ""
		})
	})
}

// fold folds the event of each line: a minute, and fields. The function returned says
// what became of those that were judged until it is called.
func fold(t *testing.T, d *datadriven.TestData, in *ingest.Worker, stamp int64) (said func() string) {
	t.Helper()
	said = outcomes(in)
	votes, appended := 0, int64(0)
	d.MaybeScanArgs(t, "votes", &votes)
	at := int64(eventtime.Never)
	if d.MaybeScanArgs(t, "appended", &appended); d.HasArg("appended") {
		at = (start + appended) * minute
	}
	in.Begin(source, in.At(source).Offset, at)
	for line := range strings.Lines(d.Input) {
		words := strings.Fields(line)
		at, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			d.Fatalf(t, "%s: %v", words[0], err)
		}
		ev := event.Event{Time: (start + at) * minute, Actor: "ann"}
		for _, w := range words[1:] {
			name, value, _ := strings.Cut(w, "=")
			switch name {
			case "action":
				ev.Action, _ = event.ParseAction(value)
			case "actor":
				ev.Actor = value
			case "subject":
				ev.Subject = value
			case "key":
				ev.KeyID = value
			case "token":
				ev.Session = value
			case "id":
				ev.ID = value
			case "rows":
				ev.Rows, err = strconv.ParseInt(value, 10, 64)
			case "records":
				ev.Records = strings.Split(value, ",")
			default:
				d.Fatalf(t, "unknown field %s", name)
			}
			if err != nil {
				d.Fatalf(t, "%s: %v", w, err)
			}
		}
		if votes > 0 {
			ev.Records = []string{"vote"}
		}
		for range max(votes, 1) {
			if o := in.Fold(source, stamp, &ev); o != ingest.Waiting {
				in.Decided(ingest.Decision{Event: &ev, Dated: ev.Time, Outcome: o})
			}
		}
	}
	return said
}

// outcomes returns a function that says what became of the events that were judged
// until it is called, one a line, or how many one after the other if many.
func outcomes(in *ingest.Worker) func() string {
	var list []ingest.Outcome
	in.Decided = func(d ingest.Decision) { list = append(list, d.Outcome) }
	const few = 10
	return func() string {
		var out strings.Builder
		for len(list) > 0 {
			n := 1
			for n < len(list) && list[n] == list[0] {
				n++
			}
			if n > few {
				fmt.Fprintf(&out, "%s x%d\n", list[0], n)
			} else {
				out.WriteString(strings.Repeat(list[0].String()+"\n", n))
			}
			list = list[n:]
		}
		return out.String()
	}
}

// flush prints what goes on.
func flush(t *testing.T, in *ingest.Worker) string {
	t.Helper()
	var out strings.Builder
	first := start / 5 // tick
	each(t, in, func(b *stream.Batch, p *stream.Partial) {
		fmt.Fprintf(&out, "%s %s: tick %d applied %d, events %d, records %.0f, rows %d\n",
			b.Dimensions[p.Dimension], p.Identity, p.Tick-first, p.Apply-first, p.Events, p.Records.Count(0).N, p.Rows.Total())
	}, func(b *stream.Batch) {
		for _, f := range b.Facts {
			fmt.Fprintf(&out, "%s %s by %s, applied %d", f.Action, cmp.Or(f.Subject, f.KeyID), f.Actor, f.Apply-first)
			if at := f.Time/minute - start; at/5 > f.Apply-first {
				fmt.Fprintf(&out, ", dated %d", at)
			}
			out.WriteByte('\n')
		}
		for _, s := range b.SignIns {
			fmt.Fprintf(&out, "signed in: %s in tick %d, applied %d\n", s.Account, s.Tick-first, s.Apply-first)
		}
		names := strings.NewReplacer(fact.TokensIssued, "<tokens>", fact.RecordsTouched, "<records>")
		for _, a := range b.ActiveSources {
			if len(b.Facts)+len(b.SignIns) > 0 {
				fmt.Fprintf(&out, "active in tick %d: %s\n", a.Tick-first, names.Replace(a.Name))
			}
		}
		for _, p := range b.Progress {
			fmt.Fprintf(&out, "progress %d\n", p.MaxTime/minute-start)
		}
	})
	return out.String()
}

// each flushes, and hands out the partials and the headers of all records.
func each(t *testing.T, in *ingest.Worker, partial func(*stream.Batch, *stream.Partial), header func(*stream.Batch)) {
	t.Helper()
	in.Flush([]stream.Topic{{Name: source.Topic, Partitions: 1}}, nil, func(_ int32, value []byte) {
		if len(value) > 1_000_000 {
			t.Errorf("a batch of %d bytes, more than brokers take", len(value))
		}
		b, err := stream.DecodeBatch(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Partials(func(p *stream.Partial) { partial(b, p) }); err != nil {
			t.Fatal(err)
		}
		header(b)
	})
}

// However much one commit holds, no record on weir.partials is larger than
// brokers take.
func TestBatchesAreBounded(t *testing.T) {
	in := worker(t)
	stamp := int64(1 << 60)
	for i := range 60_000 {
		at := (start + int64(i/100)) * minute
		in.Fold(source, stamp, &event.Event{Time: at, Actor: fmt.Sprint("agent", i%5000), Records: []string{fmt.Sprint(i), fmt.Sprint(i + 1)}})
		in.Fold(source, stamp, &event.Event{Time: at, Actor: "hot", Records: []string{fmt.Sprint(3 * i), fmt.Sprint(3*i + 1), fmt.Sprint(3*i + 2)}})
	}
	events := int64(0)
	each(t, in, func(_ *stream.Batch, p *stream.Partial) { events += p.Events }, func(*stream.Batch) {})
	if events != 120_000 {
		t.Errorf("%d events came through, want 120000", events)
	}
}
