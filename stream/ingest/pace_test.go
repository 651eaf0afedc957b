package ingest_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/ingest"
)

// backlog is a month of events of some partitions, and a detect that judges what
// every partition has brought.
type backlog struct {
	events [][]int64 // by partition: event times, ms, in their order
	next   []int     // by partition
	judged int64     // event time, ms
}

const (
	eventBytes = 100
	perPoll    = 50 // events of one partition
	ahead      = 6 * eventtime.Hour
	lateness   = 10 * minute
	mostBytes  = 30_000
)

// at returns the largest event time read of a partition, and whether it has more.
func (b *backlog) at(p int) (maxTime int64, more bool) {
	maxTime = eventtime.Never
	if n := b.next[p]; n > 0 {
		maxTime = b.events[p][n-1]
	}
	return maxTime, b.next[p] < len(b.events[p])
}

// judge moves detect as far as the watermark lets it.
func (b *backlog) judge(grid eventtime.Grid) {
	lowest, highest := int64(math.MaxInt64), int64(eventtime.Never)
	for p := range b.events {
		maxTime, more := b.at(p)
		if more {
			lowest = min(lowest, maxTime)
		}
		highest = max(highest, maxTime)
	}
	switch lowest {
	case eventtime.Never:
	case math.MaxInt64:
		b.judged = grid.TickEnd(grid.TickOf(highest))
	default:
		b.judged = max(b.judged, grid.TickStart(grid.TickOf(lowest-lateness)))
	}
}

// waits returns the bytes of what was read and is not judged.
func (b *backlog) waits() (bytes int64) {
	for p := range b.events {
		read := b.events[p][:b.next[p]]
		from, _ := slices.BinarySearch(read, b.judged)
		bytes += int64(len(read)-from) * eventBytes
	}
	return bytes
}

// A backlog is read to its end while what waits for detect stays within the bound,
// whatever detect waits for.
func TestPaceThroughBacklog(t *testing.T) {
	const month = 30 * eventtime.Day
	begin := start * minute
	flow := func(from, to, every int64) (out []int64) {
		for at := from; at < to; at += every {
			out = append(out, at)
		}
		return out
	}
	skewed := make([][]int64, 64)
	for p := range skewed {
		skewed[p] = flow(begin, begin+month, minute*int64(1+p*p))
	}
	silent := [][]int64{flow(begin, begin+month, 5*minute), flow(begin, begin+month, 5*minute)}
	silent[1] = slices.DeleteFunc(silent[1], func(at int64) bool { return at > begin+10*eventtime.Day && at < begin+13*eventtime.Day })
	for _, tc := range []struct {
		name    string
		events  [][]int64
		stalled func(round int) bool
	}{
		{"one partition", [][]int64{flow(begin, begin+month, minute)}, nil},
		{"64 skewed partitions", skewed, nil},
		{"a stalled correlate", [][]int64{flow(begin, begin+month, minute), flow(begin, begin+month, 3*minute)}, func(round int) bool { return round > 50 && round < 500 }},
		{"a partition silent for three days", silent, nil},
		{"a partition that begins late", [][]int64{flow(begin, begin+month, minute), flow(begin+20*eventtime.Day, begin+month, minute)}, nil},
		{"a partition that ends early", [][]int64{flow(begin, begin+month, minute), flow(begin, begin+eventtime.Day, minute)}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := &backlog{events: tc.events, next: make([]int, len(tc.events)), judged: eventtime.Never}
			most, rounds := b.readAll(t, tc.stalled)
			// Beside the bound, each partition brings what its last poll held, and what
			// lies within the least that detect needs to go on.
			slack, longest := int64(0), 0
			for _, list := range tc.events {
				longest = max(longest, len(list))
				perMinute := 1 + int64(len(list))*minute/(list[len(list)-1]-list[0])
				slack += (perPoll + 20*perMinute) * eventBytes
			}
			if most > mostBytes+slack {
				t.Errorf("%d bytes waited, want at most %d and %d", most, mostBytes, slack)
			}
			if least := longest / perPoll; most < mostBytes/2 && tc.stalled == nil && rounds > least*3/2+20 {
				t.Errorf("far below the bound it took %d commits, where %d would do", rounds, least)
			}
		})
	}
}

// readAll reads all events, and returns how many bytes waited at most, and in how many
// commits it was done.
func (b *backlog) readAll(t *testing.T, stalled func(round int) bool) (most int64, rounds int) {
	t.Helper()
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pace := ingest.NewPace(ingest.NewPaceConfig(grid, lateness, ahead, mostBytes))
	dice := rand.New(rand.NewPCG(1, 2))
	for idle := 0; idle <= 10; rounds++ {
		var moved []int
		for _, p := range dice.Perm(len(b.events)) {
			maxTime, more := b.at(p)
			if !more || maxTime > pace.Limit(b.slowest()) {
				continue
			}
			b.next[p] = min(b.next[p]+perPoll, len(b.events[p]))
			moved = append(moved, p)
		}
		last, read := int64(eventtime.Never), 0
		for _, p := range moved {
			maxTime, _ := b.at(p)
			last, read = max(last, maxTime), read+perPoll
		}
		if read > 0 {
			pace.Wrote(last, int64(read)*eventBytes)
		}
		most = max(most, b.waits())
		if b.judged != eventtime.Never && rounds%2 == 1 { // it is told a little later
			pace.Judged(b.judged)
		}
		if stalled == nil || !stalled(rounds) {
			b.judge(grid)
		}
		if idle++; read > 0 || stalled != nil && stalled(rounds) {
			idle = 0
		}
	}
	for p := range b.events {
		if _, more := b.at(p); more {
			t.Errorf("partition %d is read up to event %d of %d, and nothing goes on", p, b.next[p], len(b.events[p]))
		}
	}
	return most, rounds
}

// slowest returns the event time of the slowest partition that has more.
func (b *backlog) slowest() int64 {
	slowest := int64(math.MaxInt64)
	for p := range b.events {
		if maxTime, more := b.at(p); more && maxTime != eventtime.Never {
			slowest = min(slowest, maxTime)
		}
	}
	return slowest
}
