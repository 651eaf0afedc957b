package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
)

// What waits for a tick comes back in the order in which it was added, whatever the
// order of the ticks.
func TestWaitingForTicks(t *testing.T) {
	for seed := range uint64(200) {
		dice := rand.New(rand.NewPCG(seed, 1))
		var waits stream.ByTick[int]
		want := map[int64][]int{}
		for n := range 40 {
			if dice.IntN(4) > 0 {
				tick := int64(dice.IntN(15))
				waits.Add(tick, n)
				want[tick] = append(want[tick], n)
				continue
			}
			first := int64(math.MaxInt64)
			for tick := range want {
				first = min(first, tick)
			}
			if got := waits.First(); got != first || waits.Len() != len(want) {
				t.Fatalf("seed %d: %d ticks wait, the first is %d, want %d and %d", seed, waits.Len(), got, len(want), first)
			}
			if first == math.MaxInt64 {
				continue
			}
			tick := first
			if got := waits.Take(tick); !slices.Equal(got, want[tick]) || waits.Take(tick) != nil {
				t.Fatalf("seed %d: for tick %d waits %v, want %v, once", seed, tick, got, want[tick])
			}
			delete(want, tick)
		}
	}
}

// What waits is counted in bytes, until the last tick of its batch is taken.
func TestWaitingBytes(t *testing.T) {
	var w waitingPartials
	batches := []*stream.HeldBatch{{}, {}, {}}
	ticks := [][]int64{{3, 3, 5, 3}, {}, {9, 5}}
	for i, list := range ticks {
		for _, tick := range list {
			w.add(tick, stream.PartialRef{})
		}
		w.keep(batches[i])
	}
	var got []int
	for _, tick := range []int64{3, 5, 9} {
		if w.first() != tick || w.bytes <= 0 {
			t.Fatalf("the first tick is %d, want %d; %d bytes wait", w.first(), tick, w.bytes)
		}
		w.take(tick, func(b *waitingBatch, refs []stream.PartialRef) {
			got = append(got, slices.Index(batches, b.HeldBatch), len(refs))
		})
	}
	if want := []int{0, 3, 0, 1, 2, 1, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("batch and number of partials, tick by tick: %v, want %v", got, want)
	}
	if w.bytes != 0 || w.first() != math.MaxInt64 {
		t.Errorf("nothing waits, but %d bytes are counted", w.bytes)
	}
}

// A batch that waits remembers who is behind its names, and not for longer than they are
// awake: of two ticks of ann in one batch, between which she sleeps, both count.
func TestWaitingForSleepers(t *testing.T) {
	d := newDesk(t)
	for _, at := range []int64{0, 600} {
		d.act(at, event.Event{Actor: "ann", Records: []string{fmt.Sprint(at)}})
	}
	d.until(620)
	if n := d.detect.people.known([]byte("\x00ann")).window.Count(0).N; n != 2 {
		t.Errorf("%v records of ann, want 2", n)
	}
}
