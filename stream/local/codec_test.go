package local_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
	"pgregory.net/rapid"
)

// batchOf returns real bytes of weir.partials to start fuzzing from.
func batchOf(t testing.TB) []byte {
	l := newLab(t)
	in := ingest.New(l.ingest(1))
	source := stream.Source{Topic: "a"}
	in.Assign(ingest.NoProgress(source, 0))
	in.Fold(source, stamp, &event.Event{Time: 29_000_000 * minute, Actor: "ann", Records: []string{"r1", "r2"}, ID: "id", Rows: 9})
	in.End(source)
	var out []byte
	in.Flush([]stream.Topic{{Name: "a", Partitions: 1}}, nil, func(_ int32, v []byte) { out = v })
	return out
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add(batchOf(f))
	f.Add(stream.AppendHandover(nil, 1, 500_000, true))
	f.Fuzz(func(t *testing.T, value []byte) {
		b, err := stream.DecodeBatch(value)
		if err != nil {
			return
		}
		_ = b.Partials(func(p *stream.Partial) { p.Records.Count(0); p.Rows.Total() }) // an error is an answer
	})
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte("\x00checkpoint"), []byte{1, 0, 0, 0, 0, 0, 0})
	f.Add([]byte("user\x00ann"), []byte{0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		r := detect.NewRestore(newLab(t).detect())
		if r.Load(key, value) != nil {
			return
		}
		_, _, _ = r.Begin(0) // an error is an answer
	})
}

// Uniting row counts does not depend on the order or the grouping, and a count
// told twice counts once, also beyond the cap.
func TestRowsLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 3000).Draw(t, "events")
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var events []stream.RowCount
		total := int64(0)
		for range n {
			c := stream.RowCount{ID: dice.Uint64() | 1, Rows: dice.Int64N(100)}
			events = append(events, c)
			total += c.Rows
		}
		events = append(events, events[:n/3]...) // repeats
		unite := func() int64 {
			dice.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			var all stream.Rows
			for part := range slices.Chunk(events, 1+dice.IntN(len(events)+1)) {
				var r stream.Rows
				for _, e := range part {
					r.Add(e.ID, e.Rows)
				}
				all.Merge(&r)
			}
			return all.Total()
		}
		a, b := unite(), unite()
		if a != b {
			t.Fatalf("two orders give %d and %d", a, b)
		}
		if n <= 1024 && a != total {
			t.Fatalf("got %d, want exactly %d", a, total)
		}
		if off := float64(a-total) / float64(max(total, 1)); n > 1024 && (off < -0.25 || off > 0.25) {
			t.Fatalf("got %d, want about %d", a, total)
		}
	})
}
