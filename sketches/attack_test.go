package sketches_test

import (
	"hash/fnv"
	"math/bits"
	"strconv"
	"testing"

	"github.com/axiomhq/hyperloglog"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/sketches"
)

// Whoever knows the hash can choose records that a sketch takes for few, or for
// very many (Reviriego and Ting, "Security of HyperLogLog (HLL) cardinality
// estimation: vulnerabilities and protection", 2020). He needs no more than to
// hash ids on his own machine and to keep those that suit him. Under a key that
// he does not have, the same ids are like any others.
func TestChosenRecords(t *testing.T) {
	// unkeyed is FNV-1a, its bits well mixed: a good hash without a key.
	unkeyed := func(id string) uint64 {
		f := fnv.New64a()
		_, _ = f.Write([]byte(id))
		h := f.Sum64()
		h = (h ^ h>>33) * 0xff51afd7ed558ccd
		h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
		return h ^ h>>33
	}
	const tries, registers = 2_000_000, 1 << sketches.StatePrecision
	var hidden []string           // ids that all hit one register
	var loud [registers][2]string // the ids of the two highest ranks of each register
	var ranks [registers][2]int
	for i := range tries {
		id := "customer-" + strconv.Itoa(i)
		h := unkeyed(id)
		reg, rank := h>>(64-sketches.StatePrecision), bits.LeadingZeros64(h<<sketches.StatePrecision|1)
		if reg == 0 {
			hidden = append(hidden, id)
		}
		if rank >= ranks[reg][0] {
			ranks[reg], loud[reg] = [2]int{rank, ranks[reg][0]}, [2]string{id, loud[reg][0]}
		}
	}
	var many []string
	for _, pair := range loud {
		many = append(many, pair[0], pair[1])
	}
	var key [event.KeySize]byte
	copy(key[:], "nobody knows it!")
	keyed := event.NewHasher(key).Hash
	for _, c := range []struct {
		name   string
		ids    []string
		fooled func(estimate, truth float64) bool
	}{
		{"taken for few", hidden, func(estimate, truth float64) bool { return estimate < truth/20 }},
		{"taken for many", many, func(estimate, truth float64) bool { return estimate > truth*100 }},
	} {
		truth := float64(len(c.ids))
		for _, hash := range []struct {
			name string
			of   func(string) uint64
			key  bool
		}{{"no key", unkeyed, false}, {"a secret key", keyed, true}} {
			rival, err := hyperloglog.NewSketch(sketches.StatePrecision, false)
			if err != nil {
				t.Fatal(err)
			}
			var w sketches.Window
			for _, id := range c.ids {
				rival.InsertHash(hash.of(id))
				w.Insert(hash.of(id), 29_500_000)
			}
			got := w.Count(0)
			t.Logf("%.0f records chosen to be %s, %s: HyperLogLog %d, Window %.0f", truth, c.name, hash.name, rival.Estimate(), got.N)
			if hash.key {
				if c.fooled(float64(rival.Estimate()), truth) || got.N < 0.9*truth || got.N > 1.1*truth {
					t.Errorf("under a key: HyperLogLog %d, Window %v, truth %.0f", rival.Estimate(), got, truth)
				}
				continue
			}
			if !c.fooled(float64(rival.Estimate()), truth) {
				t.Errorf("without a key HyperLogLog says %d of %.0f: the attack does not work, so the test shows nothing", rival.Estimate(), truth)
			}
		}
	}
}
