package detect

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// maxRecord is the largest record in bytes that a broker takes by default.
const maxRecord = 1_048_588 - 100

// TestHandoverOverCommits: what a task knows of names may be more than a commit takes.
// Then it goes out in several, in records that a broker takes; the person's task waits for
// the last, and nothing is lost on the way.
func TestHandoverOverCommits(t *testing.T) {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	const bin, names, records, windows = 500_000, 3000, 1000, 20
	first := grid.LastTick(bin-1) + 1
	task := func(partition int32) *Task {
		d := New(Config{
			Grid: grid, Dimensions: []string{"user"}, Engine: score.NewEngine(time.Hour, time.UTC, score.DefaultTuning()), Retention: 30 * eventtime.Day,
			Partition: partition, Heirs: &HeirsConfig{Table: alias.NewTable(alias.Forever), Partitions: 2},
		})
		d.done = first - 1
		return d
	}
	of, to := task(0), task(1)
	random := rand.New(rand.NewPCG(1, 2))
	var known [windows]sketches.Window
	for i := range known {
		for range records {
			known[i].Insert(random.Uint64(), grid.BinMinute(bin-1))
		}
	}
	people := map[string]string{}
	for i := range names {
		name := fmt.Sprintf("name%04d", i)
		people[name] = fmt.Sprintf("person%d", i%7)
		id := of.people.add([]byte("\x00" + name))
		id.first, id.last, id.bin = first-1, first-1, bin-1
		id.window.Merge(&known[i%windows])
	}
	of.heirs.joining[bin], to.heirs.joining[bin] = people, people
	to.heirs.handed = bin
	to.heirs.upTo[1] = bin

	commits, largest, all := 0, 0, 0
	for commits == 0 || of.heirs.handed < bin {
		of.ready(first)
		_, _ = of.Take()
		bytes := 0
		for _, r := range of.TakeHandovers() {
			bytes += len(r.Value)
			largest = max(largest, len(r.Value))
			if r.Partition != 1 {
				continue
			}
			batch, err := stream.DecodeBatch(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			to.done = first - 2
			if err := to.Apply(0, batch); err != nil {
				t.Fatal(err)
			}
		}
		if bytes > maxCommit+2*maxRecord {
			t.Fatalf("commit %d has %d bytes", commits, bytes)
		}
		all += bytes
		if commits++; of.heirs.handed < bin && to.ready(first) {
			t.Fatal("the person's task goes on before all has come")
		}
		of.snapshots.resume()
		if commits > 100 {
			t.Fatal("it never ends")
		}
	}
	if all <= maxCommit || commits < 2 {
		t.Errorf("%d bytes in %d commits: too few to show anything", all, commits)
	}
	if largest > maxRecord {
		t.Errorf("a record has %d bytes, and a broker takes %d", largest, maxRecord)
	}
	if !to.ready(first) {
		t.Fatal("the person's task still waits")
	}
	to.inherit(first, score.Defaults(1, 9))
	want := map[string]float64{}
	for _, person := range people {
		if stream.PartitionOf(append([]byte{0}, person...))%2 == 1 {
			want[person] = windows * records
		}
	}
	if len(want) == 0 || len(want) == 7 {
		t.Fatalf("%d of 7 people are of one partition", len(want))
	}
	for person, n := range want {
		id := to.people.known([]byte("\x00" + person))
		if id == nil {
			t.Errorf("nothing of %s has come", person)
			continue
		}
		if got := id.window.Count(0).N; got < 0.9*n || got > 1.1*n {
			t.Errorf("%s knows %.0f records, want about %.0f", person, got, n)
		}
	}
}
