package detect

import (
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// What is handed over twice, as by a task that was killed before it had told all, counts
// once. What comes once the bin has begun, and what has been silent for long, counts not
// at all.
func TestHandedOverTwice(t *testing.T) {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	engine := score.NewEngine(time.Hour, time.UTC, score.DefaultTuning())
	params, ev := score.Defaults(1, 9), score.Evidence{}
	const bin = 500_000
	first := grid.LastTick(bin-1) + 1
	legacy := func(name string, last int64, records ...uint64) stream.Legacy {
		l := stream.Legacy{Name: name, Person: "kim", First: last, Last: last}
		for _, r := range records {
			l.Window.Insert(r<<40, grid.BinMinute(bin-1))
		}
		engine.Close(&l.State, 0, bin-1, &score.Counts{score.Distinct: float64(len(records))}, params, &ev, nil)
		return l
	}
	d := New(Config{
		Grid: grid, Dimensions: []string{"user"}, Engine: engine, Retention: 30 * eventtime.Day,
		Heirs: &HeirsConfig{Table: alias.NewTable(alias.Forever), Partitions: 2},
	})
	d.done = first - 2
	send := func(complete bool, names ...stream.Legacy) {
		value := stream.AppendHandover(nil, 1, bin, complete)
		for i := range names {
			value = names[i].Append(value)
		}
		batch, err := stream.DecodeBatch(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Apply(0, batch); err != nil {
			t.Fatal(err)
		}
	}
	send(false, legacy("a", first-1, 1, 2, 3), legacy("old", first-1-forgetAfter/grid.Tick, 7))
	send(false, legacy("a", first-1, 1, 2, 3), legacy("B", first-1, 3, 4))
	send(true)
	d.inherit(first, params)
	d.done = first
	send(true, legacy("late", first-1, 8))
	d.inherit(first+1, params)

	id := d.people.known([]byte("\x00kim"))
	if id == nil {
		t.Fatal("nothing was inherited")
	}
	if n := id.window.Count(0).N; n != 4 {
		t.Errorf("the person knows %v records, want 4", n)
	}
	if n := id.state.Counted(bin - 1)[score.Distinct]; n != 5 {
		t.Errorf("%v records are counted in the bin before, want 5", n)
	}
	if d.heirs.upTo[1] != bin {
		t.Errorf("the other partition has told all up to bin %d, want %d", d.heirs.upTo[1], bin)
	}
}
