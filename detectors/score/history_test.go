package score

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// What is forgotten leaves what would have been written without it.
func TestForget(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var s, want State
		at, oldest := uint32(dice.IntN(3)), uint32(dice.IntN(300))
		var all []visit
		for range dice.IntN(30) {
			v := visit{bin: at, c: Counts{Distinct: float64(1 + dice.IntN(300)), Rows: float64(dice.IntN(2))}}
			all, at = append(all, v), at+1+uint32(dice.IntN(20))
		}
		s.keep(all)
		s.forget(oldest)
		for len(all) > 0 && all[0].bin < oldest {
			all = all[1:]
		}
		want.keep(all)
		if !bytes.Equal(s.recent, want.recent) || len(all) > 0 && s.before != want.before {
			t.Fatalf("from %d on: %x after %d, want %x after %d", oldest, s.recent, s.before, want.recent, want.before)
		}
	}
}
