package sketches

import (
	"testing"
)

// How far one window is from what is possible: bits times relative variance,
// the memory-variance product, of which Pettie and Wang ("Information theoretic
// limits of cardinality estimation: Fisher meets Shannon", 2021) have shown that
// no mergeable sketch has less than 1.98 for large counts. A HyperLogLog of
// 6-bit registers has 6.5.
func TestLimit(t *testing.T) {
	for _, p := range []uint8{StatePrecision, 13, PartialPrecision} {
		for _, n := range []int{100_000, 1_000_000, 10_000_000} {
			var risk perRank
			for r := 1; r <= ranks(p); r++ {
				risk[r] = 1 << p
			}
			relative := variance(&risk, p, float64(n)) / float64(n) / float64(n)
			rng, bytes, memory := dice(n), 0, 0
			const draws = 10
			for range draws {
				th := newThrown(p)
				th.add(rng, n)
				w := th.window() // all in one minute: one window, no other
				bytes += len(w.AppendBinary(nil))
				memory += bytesOf(&w)
			}
			encoded := 8 * float64(bytes) / draws * relative
			t.Logf("p=%d, %8d records: serialised %.2f, in memory %.1f (which is all windows of 45 days)", p, n, encoded, 8*float64(memory)/draws*relative)
			// Where records are few to a register, their fixed number says more
			// than the limit for large counts knows of.
			if n>>p > 500 && (encoded < 1.98 || encoded > 3) {
				t.Errorf("p=%d, %d records: %.2f", p, n, encoded)
			}
		}
	}
}
