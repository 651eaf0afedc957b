package score

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"

	"github.com/weirhq/weir/detectors/fleet"
)

// TestStateSize holds what an identity costs: one million small ones, with map
// entry, name and window of records, must stay under 300 bytes each.
func TestStateSize(t *testing.T) {
	if got := unsafe.Sizeof(State{}); got > 136 {
		t.Errorf("a State takes %d bytes, more than 136", got)
	}
	e := NewEngine(Config{Dimensions: []string{"user"}})
	p := e.DefaultParameters()
	const n = 20000
	states := make([]State, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range states {
		for bin := int64(monday); bin < monday+3; bin++ {
			e.Close(&states[i], 0, bin, fleet.Counts{2, 1}, p, nil)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	// In whole bytes: what else the process allocates is a fraction of one each.
	extra := math.Round(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / n)
	t.Logf("%d bytes and %.0f more for three active bins", unsafe.Sizeof(State{}), extra)
	if extra > 32 {
		t.Errorf("three active bins cost %.0f bytes, more than 32", extra)
	}
	runtime.KeepAlive(states)
}

// warm returns an identity of a given mean with three weeks behind it.
func warm(e *Engine, p *fleet.Parameters, mean float64) (State, int64) {
	var s State
	rng := rand.New(rand.NewPCG(1, 2))
	bin := int64(monday)
	for ; bin < monday+21*24; bin++ {
		c := negBinomial(rng, mean, 5)
		e.Close(&s, 0, bin, fleet.Counts{c, c / 4}, p, nil)
	}
	return s, bin
}

func BenchmarkEarly(b *testing.B) {
	e := NewEngine(Config{Dimensions: []string{"user"}})
	p := e.DefaultParameters()
	s, bin := warm(e, p, 20)
	e.Advance(&s, 0, bin, p)
	b.ReportAllocs()
	for b.Loop() {
		e.Early(&s, 0, bin, fleet.Counts{25, 7}, p)
	}
}

func BenchmarkClose(b *testing.B) {
	e := NewEngine(Config{Dimensions: []string{"user"}})
	p := e.DefaultParameters()
	s, bin := warm(e, p, 20)
	var sums fleet.Sums
	b.ReportAllocs()
	for b.Loop() {
		e.Close(&s, 0, bin, fleet.Counts{20, 5}, p, &sums)
		bin++
	}
}

func BenchmarkSilentBin(b *testing.B) {
	e := NewEngine(Config{Dimensions: []string{"user"}})
	p := e.DefaultParameters()
	s, bin := warm(e, p, 20)
	for b.Loop() {
		e.Close(&s, 0, bin, fleet.Counts{}, p, nil)
		bin++
	}
}

func BenchmarkCandidate(b *testing.B) {
	e := NewEngine(Config{Dimensions: []string{"user"}})
	p := e.DefaultParameters()
	s, bin := warm(e, p, 20)
	e.Advance(&s, 0, bin, p)
	for b.Loop() {
		e.Early(&s, 0, bin, fleet.Counts{500, 500}, p)
	}
}
