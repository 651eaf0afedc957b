package detect

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirhq/weir/stream"
)

// What waits for a tick comes back in the order in which it was added, whatever
// the order of the ticks, and an identity's cells are one for each of its ticks,
// the earliest first.
func TestWaitingForTicks(t *testing.T) {
	for seed := range uint64(200) {
		dice := rand.New(rand.NewPCG(seed, 1))
		var waits stream.ByTick[int]
		id := newIdentity([]byte("\x00ana"))
		want := map[int64][]int{}
		for n := range 40 {
			if dice.IntN(4) > 0 {
				tick := int64(dice.IntN(15))
				waits.Add(tick, n)
				if c, made := id.cell(tick); c.apply != tick || made != (want[tick] == nil) {
					t.Fatalf("seed %d: the cell of tick %d is of %d, made: %t", seed, tick, c.apply, made)
				}
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
			if got := id.takeEarliest(); got.apply != tick {
				t.Fatalf("seed %d: the earliest cell is of tick %d, want %d", seed, got.apply, tick)
			}
			if got := waits.Take(tick); !slices.Equal(got, want[tick]) || waits.Take(tick) != nil {
				t.Fatalf("seed %d: for tick %d waits %v, want %v, once", seed, tick, got, want[tick])
			}
			delete(want, tick)
		}
	}
}
