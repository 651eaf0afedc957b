package detect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
	"pgregory.net/rapid"
)

// drawEvents returns accesses of two ticks by some people, through what they
// share and what they do not.
func drawEvents(t *rapid.T) []event.Event {
	dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 7))
	people := rapid.SampledFrom([]int{1, 3, trait.Max, 60, 1500}).Draw(t, "people")
	out := make([]event.Event, rapid.IntRange(1, 2*people+20).Draw(t, "events"))
	for i := range out {
		ev := &out[i]
		ev.Time = (29_000_000 + dice.Int64N(10)) * 60_000
		ev.Action = event.Action(dice.IntN(int(event.Delete) + 1))
		if who := dice.IntN(people + 1); who > 0 {
			ev.Actor = fmt.Sprint("user-", who)
		}
		ev.KeyID = fmt.Sprint("key-", dice.IntN(2))
		ev.IP = fmt.Sprintf("10.0.%d.9", dice.IntN(30))
		ev.Client = fmt.Sprintf("app-%c/%d.1", 'a'+dice.IntN(20), dice.IntN(3))
		for range dice.IntN(3) {
			ev.Records = append(ev.Records, fmt.Sprint(dice.IntN(50)))
		}
		if dice.IntN(10) == 0 {
			ev.ID, ev.Rows = fmt.Sprint(i), int64(100*i)
		}
	}
	return out
}

// summary is all that a part tells.
type summary struct {
	events, rows         int64
	records, destructive float64
	traits               string
}

func summarize(p *part) summary {
	s := summary{events: p.events, rows: p.rows.Total(), records: distinct(&p.records), destructive: distinct(&p.destructive)}
	for i := range p.traits {
		t := &p.traits[i]
		s.traits += fmt.Sprintf("%d %s %d\n", t.Dimension(), t.Name(), t.Events())
	}
	return s
}

// expected counts events without any of the operators.
func expected(events []event.Event, grid eventtime.Grid, dims []event.Dimension) map[string]summary {
	type set map[string]bool
	type all struct {
		rows                 map[string]int64
		records, destructive set
		traits               map[trait.Trait]int64
		events               int64
	}
	sums := map[string]*all{}
	for i := range events {
		ev := &events[i]
		ids := make([]string, len(dims))
		for d := range dims {
			b, _ := dims[d].AppendIdentity(nil, ev, event.FixedHasher())
			ids[d] = string(b)
		}
		for d, id := range ids {
			if id == "" {
				continue
			}
			key := fmt.Sprint(d, " ", id, " ", grid.TickOf(ev.Time))
			a := sums[key]
			if a == nil {
				a = &all{map[string]int64{}, set{}, set{}, map[trait.Trait]int64{}, 0}
				sums[key] = a
			}
			a.events++
			if n := ev.Rows - int64(len(ev.Records)); n > 0 {
				a.rows[ev.ID] = n
			}
			for _, r := range ev.Records {
				a.records[r] = true
				if ev.Action.Destroys() {
					a.destructive[r] = true
				}
			}
			for o, other := range ids {
				if o != d && other != "" {
					a.traits[trait.Trait{Dimension: o, Identity: other}]++
				}
			}
		}
	}
	out := map[string]summary{}
	for key, a := range sums {
		s := summary{events: a.events, records: float64(len(a.records)), destructive: float64(len(a.destructive))}
		for _, n := range a.rows {
			s.rows += n
		}
		var traits []trait.Count
		for t, n := range a.traits {
			traits = append(traits, trait.NewCount(t, n))
		}
		slices.SortFunc(traits, func(a, b trait.Count) int {
			return a.Compare(&b)
		})
		seen := map[int]int{}
		for i := range traits {
			if t := &traits[i]; seen[t.Dimension()] < trait.Max {
				seen[t.Dimension()]++
				s.traits += fmt.Sprintf("%d %s %d\n", t.Dimension(), t.Name(), t.Events())
			}
		}
		out[key] = s
	}
	return out
}

// What detect unites is what was done, however the events were dealt to tasks,
// batches and partitions; what is kept of too many traits are those of smallest
// hash.
func TestPartialsTellAll(t *testing.T) {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dims := event.DefaultDimensions()
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		want := expected(events, grid, dims)
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "deal"), 8))
		dice.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		src := stream.Source{Topic: "access", Partition: 0}
		cells := map[string]*cell{}
		for batch := range slices.Chunk(events, 1+dice.IntN(len(events))) {
			in := ingest.New(ingest.Config{Grid: grid, Dimensions: dims, Hasher: event.FixedHasher(), Partitions: 1 + dice.Int32N(3), Lateness: 1e9, Future: 1e9, Retention: 1e12})
			in.Assign(ingest.NoProgress(src, 0))
			for i := range batch {
				in.Fold(src, batch[i].Time, &batch[i])
			}
			in.End(src)
			in.Flush(nil, nil, func(_ int32, value []byte) {
				b, err := stream.DecodeBatch(value)
				if err == nil {
					err = b.Partials(func(p *stream.Partial) {
						key := fmt.Sprint(p.Dimension, " ", p.Identity, " ", p.Tick)
						if cells[key] == nil {
							cells[key] = &cell{}
						}
						cells[key].add(p)
					})
				}
				if err != nil {
					t.Fatal(err)
				}
			})
		}
		if len(cells) != len(want) {
			t.Fatalf("%d identities and ticks, want %d", len(cells), len(want))
		}
		for key, w := range want {
			c := cells[key]
			if c == nil || len(c.parts) != 1 {
				t.Fatalf("%s: got %+v", key, c)
			}
			if got := summarize(&c.parts[0]); got != w {
				t.Fatalf("%s:\n got %+v\nwant %+v", key, got, w)
			}
		}
	})
}
