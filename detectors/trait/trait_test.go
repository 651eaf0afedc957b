package trait

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// Merge adds the events of traits that both lists have, and keeps of each dimension the
// Max that come first, as if all were sorted and cut. Lists are merged into what came of
// the merges before, so that its memory is used again.
func TestMerge(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		var got []Count
		all := map[Trait]int64{}
		for range 1 + dice.IntN(12) {
			add := map[Trait]int64{}
			for range dice.IntN(8) {
				add[Trait{dice.IntN(3), fmt.Sprint("name-", dice.IntN(1+round))}] = 1 + dice.Int64N(9)
			}
			list := counts(add)
			before := slices.Clone(list)
			got = Merge(got, list)
			if !slices.Equal(list, before) {
				t.Fatal("the list that is merged into another has changed")
			}
			for trait, n := range add {
				all[trait] += n
			}
			// What was cut off once does not come back with its events: it is
			// of larger hash than those that were kept, which only become smaller.
			all = maps.Collect(func(yield func(Trait, int64) bool) {
				for _, c := range first(counts(all)) {
					if !yield(c.Trait(), c.Events()) {
						return
					}
				}
			})
		}
		if want := counts(all); !slices.Equal(got, want) {
			t.Fatalf("round %d: %v, want %v", round, got, want)
		}
	}
}

// counts returns a sorted list.
func counts(of map[Trait]int64) (list []Count) {
	for trait, n := range of {
		list = append(list, NewCount(trait, n))
	}
	Sort(list)
	return list
}

// first returns the first Max of each dimension.
func first(list []Count) (out []Count) {
	kept := map[int]int{}
	for _, c := range list {
		if kept[c.Dimension()]++; kept[c.Dimension()] <= Max {
			out = append(out, c)
		}
	}
	return out
}
