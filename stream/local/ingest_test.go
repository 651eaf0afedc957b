package local_test

import (
	"fmt"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
)

// flushed is one partial as detect sees it.
type flushed struct {
	dimension, identity string
	tick, apply, events int64
	records             float64
	rows                int64
}

func flush(t *testing.T, in *ingest.Worker) (out []flushed, progress []stream.Progress) {
	t.Helper()
	in.Flush([]stream.Topic{{Name: "a", Partitions: 1}}, nil, func(_ int32, value []byte) {
		if len(value) > 1_000_000 {
			t.Errorf("a batch of %d bytes, more than brokers take", len(value))
		}
		b, err := stream.DecodeBatch(value)
		if err != nil {
			t.Fatal(err)
		}
		err = b.Partials(func(p *stream.Partial) {
			out = append(out, flushed{b.Dimensions[p.Dimension], string(p.Identity), p.Tick, p.Apply, p.Events,
				p.Records.Count(0).N, p.Rows.Total()})
		})
		if err != nil {
			t.Fatal(err)
		}
		progress = append(progress, b.Progress...)
	})
	return out, progress
}

var source = stream.Source{Topic: "a"}

// userIngest is an ingest task with the one dimension user.
func userIngest(t *testing.T) *ingest.Worker {
	t.Helper()
	l := newLab(t)
	l.dims = l.dims[:1]
	in := ingest.New(l.ingest(1))
	in.Assign(ingest.NoProgress(source, 0))
	return in
}

func access(minutes int64, records ...string) *event.Event {
	return &event.Event{Time: minutes * minute, Actor: "ann", Records: records}
}

const start = int64(29_000_000) // some Unix minute, at the start of a tick

// What counts as late follows from the source's own progress: exactly at the
// lateness is on time, and a late event is applied at the tick which that
// progress has reached.
func TestLateness(t *testing.T) {
	for _, tc := range []struct {
		name         string
		behind       int64 // minutes behind the latest event
		want         ingest.Outcome
		tick, apply_ int64 // in ticks of 5 minutes after start
	}{
		{"in order", 0, ingest.Counted, 12, 12},
		{"a little behind", 9, ingest.Counted, 10, 10},
		{"exactly at the limit", 10, ingest.Counted, 10, 10},
		{"just beyond", 11, ingest.Late, 9, 10},
		{"an hour", 60, ingest.Late, 0, 10},
		{"beyond the retention", 31 * 24 * 60, ingest.Expired, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := userIngest(t)
			in.Fold(source, stamp, access(start+60, "first"))
			flush(t, in)
			if got := in.Fold(source, stamp, access(start+60-tc.behind, "second")); got != tc.want {
				t.Fatalf("outcome %v, want %v", got, tc.want)
			}
			out, _ := flush(t, in)
			if tc.want == ingest.Expired {
				if len(out) > 0 {
					t.Fatalf("got %v", out)
				}
				return
			}
			first := start / 5
			if len(out) != 1 || out[0].tick != first+tc.tick || out[0].apply != first+tc.apply_ {
				t.Errorf("got %+v, want tick %d applied at %d", out, first+tc.tick, first+tc.apply_)
			}
		})
	}
}

func TestFutureNeverMovesProgress(t *testing.T) {
	in := userIngest(t)
	now := start * minute
	if got := in.Fold(source, now, access(start+10, "r")); got != ingest.Counted {
		t.Errorf("ten minutes past the record's timestamp: %v", got)
	}
	if got := in.Fold(source, now, access(start+11, "r")); got != ingest.Future {
		t.Errorf("eleven minutes past the record's timestamp: %v", got)
	}
	_, progress := flush(t, in)
	if progress[0].MaxTime != (start+10)*minute {
		t.Errorf("progress is %d, want %d", progress[0].MaxTime, (start+10)*minute)
	}
}

func TestFactsMoveProgressOnly(t *testing.T) {
	in := userIngest(t)
	login := access(start)
	login.Action = event.Login
	if got := in.Fold(source, stamp, login); got != ingest.Fact {
		t.Errorf("outcome %v", got)
	}
	out, progress := flush(t, in)
	if len(out) != 0 || progress[0].MaxTime != start*minute {
		t.Errorf("got %v, progress %v", out, progress)
	}
}

// Repeated events change no distinct count, and no rows where they carry an id.
func TestRepeatsCountOnce(t *testing.T) {
	in := userIngest(t)
	report := func(id string, rows int64) *event.Event {
		ev := access(start, "r1", "r2")
		ev.ID, ev.Rows = id, rows
		return ev
	}
	for range 3 {
		in.Fold(source, stamp, report("x", 100))
		in.Fold(source, stamp, report("y", 50))
	}
	out, _ := flush(t, in)
	if len(out) != 1 || out[0].records != 2 || out[0].rows != 98+48 || out[0].events != 6 {
		t.Errorf("got %+v, want 2 records, 146 rows beside them, 6 events", out)
	}
}

// After an abort the same events are folded again as if nothing had been.
func TestAbort(t *testing.T) {
	in := userIngest(t)
	in.Fold(source, stamp, access(start, "r1"))
	in.Read(source, 1)
	flush(t, in)
	in.Commit()
	in.Fold(source, stamp, access(start+100, "r2"))
	in.Read(source, 2)
	in.Abort()
	if got := in.Progress()[0]; got.Offset != 1 || got.MaxTime != start*minute {
		t.Fatalf("after the abort progress is %+v", got)
	}
	if got := in.Fold(source, stamp, access(start, "r3")); got != ingest.Counted {
		t.Errorf("what the aborted events had made late is %v", got)
	}
	if out, _ := flush(t, in); len(out) != 1 || out[0].records != 1 {
		t.Errorf("got %+v, want the one record", out)
	}
}

// However much one commit holds, no record on weir.partials is larger than
// brokers take.
func TestBatchesAreBounded(t *testing.T) {
	in := userIngest(t)
	for i := range 60_000 {
		ev := access(start+int64(i/100), fmt.Sprint(i), fmt.Sprint(i+1))
		ev.Actor = fmt.Sprint("agent", i%5000)
		in.Fold(source, stamp, ev)
		hot := access(start+int64(i/100), fmt.Sprint(3*i), fmt.Sprint(3*i+1), fmt.Sprint(3*i+2))
		hot.Actor = "hot"
		in.Fold(source, stamp, hot)
	}
	out, _ := flush(t, in)
	events := int64(0)
	for _, p := range out {
		events += p.events
	}
	if events != 120_000 {
		t.Errorf("%d events came through, want 120000", events)
	}
}
