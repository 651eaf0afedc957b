package sketches

import (
	"testing"

	"pgregory.net/rapid"
)

// A table does what a map of windows does, whatever is done to them.
func TestTableAgreesWithMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, want := &Table{}, map[uint64]*Window{}
		keys := rapid.Uint64Range(0, rapid.SampledFrom([]uint64{3, 200}).Draw(t, "keys"))
		now := uint32(day0)
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) {
				key, n := keys.Draw(t, "key"), rapid.SampledFrom([]int{1, 1, 7, 300, 1500}).Draw(t, "records")
				if want[key] == nil {
					want[key] = &Window{}
				}
				seed := rapid.Uint64Range(0, 4000).Draw(t, "seed")
				for i := range uint64(n) {
					table.Insert(key, mix(seed+i), now)
					want[key].Insert(mix(seed+i), now)
				}
			},
			"merge": func(t *rapid.T) {
				key, tick := keys.Draw(t, "key"), windowOf(PartialPrecision, drawTouches(t, "tick"))
				if want[key] == nil {
					want[key] = &Window{}
				}
				table.Update(key, func(w *Window) { w.Merge(&tick) })
				want[key].Merge(&tick)
			},
			"forget": func(t *rapid.T) {
				key := keys.Draw(t, "key")
				table.Update(key, func(w *Window) { *w = Window{} })
				delete(want, key)
			},
			"expire": func(t *rapid.T) {
				before := now - rapid.Uint32Range(0, 500).Draw(t, "minutes")
				table.Expire(before)
				for _, w := range want {
					w.Expire(before)
				}
			},
			"": func(t *rapid.T) {
				now += 100
				full := 0
				for key, w := range want {
					got, ok := table.Get(key)
					if ok == w.Empty() {
						t.Fatalf("key %d: found %v, empty %v", key, ok, w.Empty())
					}
					if ok {
						full++
						mustEqual(t, "table and map", &got, w)
					}
				}
				seen := 0
				for range table.All {
					seen++
				}
				if table.Len() != full || seen != full {
					t.Fatalf("%d windows, %d seen, want %d", table.Len(), seen, full)
				}
			},
		})
	})
}

// Blocks that are given back are used again.
func TestTableUsesMemoryAgain(t *testing.T) {
	var table Table
	fill := func(from uint64) int {
		for key := from; key < from+20_000; key++ {
			for r := range 1 + key%9 {
				table.Insert(mix(key), mix(r), day0)
			}
		}
		return table.Bytes()
	}
	first := fill(0)
	for round := range uint64(5) {
		table.Expire(day0 + 1)
		if table.Len() != 0 {
			t.Fatalf("%d windows after all have expired", table.Len())
		}
		if again := fill((round + 1) * 20_000); again > first+first/20 {
			t.Fatalf("%d bytes at first, %d in round %d", first, again, round)
		}
	}
	if per := first / 20_000; per > 110 {
		t.Errorf("%d bytes an identity of five records", per)
	}
}
