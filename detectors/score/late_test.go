package score

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/detectors/fleet"
)

// play closes bins of an identity; counts of one bin may be withheld and come
// late.
func play(e *Engine, p *fleet.Parameters, seed uint64, bins int, boost map[int]float64, late int, withhold float64) (State, int64, fleet.Counts) {
	rng := rand.New(rand.NewPCG(seed, 2))
	var s State
	var held fleet.Counts
	bin := int64(monday)
	for i := range bins {
		f := boost[i]
		if f == 0 {
			f = 1
		}
		c := negBinomial(rng, 20*f, 5)
		counts := fleet.Counts{c, math.Floor(c / 2)}
		if i == late {
			held = fleet.Counts{math.Floor(counts[0] * withhold), math.Floor(counts[1] * withhold)}
			counts[0] -= held[0]
			counts[1] -= held[1]
		}
		e.Close(&s, 0, bin, counts, p, nil)
		bin++
	}
	return s, bin - 1, held
}

// TestLateNearlyInTime: counts that come late lead to nearly the evidence that
// they would have led to in time. Nearly, because the bins after were learned
// without them.
func TestLateNearlyInTime(t *testing.T) {
	e, p := oneDimension()
	boost := map[int]float64{497: 3, 498: 3, 499: 3}
	for _, back := range []int{1, 2, 5, 20, 47} {
		at := 500 - back
		intime, last, _ := play(e, p, 1, 500, boost, -1, 0)
		s, _, held := play(e, p, 1, 500, boost, at, 0.8)
		was := s.Log()
		ev, ok := e.Late(&s, 0, last-int64(back)+1, held, p)
		if !ok {
			t.Fatalf("%d bins back: refused", back)
		}
		if math.Abs(ev.Log-intime.Log()) > 0.7 {
			t.Errorf("%d bins back: log %.2f, was %.2f, in time %.2f", back, ev.Log, was, intime.Log())
		}
		if ev.Measures[fleet.Distinct].Observed < held[fleet.Distinct] {
			t.Errorf("%d bins back: observed %g, with %g added", back, ev.Measures[fleet.Distinct].Observed, held[fleet.Distinct])
		}
	}
}

// TestLateNothing: adding nothing changes nothing.
func TestLateNothing(t *testing.T) {
	e, p := oneDimension()
	s, last, _ := play(e, p, 2, 300, map[int]float64{295: 4}, -1, 0)
	before := string(s.AppendBinary(nil))
	if _, ok := e.Late(&s, 0, last-3, fleet.Counts{}, p); !ok {
		t.Fatal("refused")
	}
	if string(s.AppendBinary(nil)) != before {
		t.Fatal("adding nothing late changed the state")
	}
}

// TestLateLeak: a leak that comes late as a whole is found in its own bins, and
// a backlog of ordinary work is no leak.
func TestLateLeak(t *testing.T) {
	e, p := oneDimension()
	s, last, _ := play(e, p, 3, 500, nil, -1, 0)
	var ev fleet.Evidence
	for back := int64(8); back > 2; back-- {
		ev, _ = e.Late(&s, 0, last-back, fleet.Counts{80, 80}, p)
	}
	intime := stolen(e, p)
	if ev.Log < p.Threshold(0) || ev.Log < intime-1.5 {
		t.Errorf("six bins at five times came late: log %.1f, in time %.1f", ev.Log, intime)
	}
	if ev.Onset < last-12 || ev.Onset > last-6 {
		t.Errorf("onset %d bins back, want about 8", last-ev.Onset)
	}

	s, last, _ = play(e, p, 4, 500, nil, -1, 0)
	for range 6 {
		last++
		e.Close(&s, 0, last, fleet.Counts{}, p, nil)
	}
	for back := int64(5); back >= 0; back-- {
		if ev, _ = e.Late(&s, 0, last-back, fleet.Counts{20, 10}, p); ev.Log > fleet.CandidateCut {
			t.Errorf("a backlog of ordinary work: log %.1f", ev.Log)
		}
	}
}

// stolen returns the evidence of TestLateLeak's leak when it comes in time.
func stolen(e *Engine, p *fleet.Parameters) float64 {
	rng := rand.New(rand.NewPCG(3, 2))
	var s State
	for i := range 500 {
		c := negBinomial(rng, 20, 5)
		counts := fleet.Counts{c, math.Floor(c / 2)}
		if back := 499 - i; back > 2 && back <= 8 {
			counts[fleet.Distinct] += 80
			counts[fleet.FirstTouch] += 80
		}
		e.Close(&s, 0, int64(monday+i), counts, p, nil)
	}
	return s.Log()
}

func TestLateBounds(t *testing.T) {
	e, p := oneDimension()
	s, last, _ := play(e, p, 5, 100, nil, -1, 0)
	if _, ok := e.Late(&s, 0, last-49, fleet.Counts{1, 1}, p); ok {
		t.Error("a bin older than two days was taken")
	}
	if _, ok := e.Late(&s, 0, last-40, fleet.Counts{1, 1}, p); !ok {
		t.Error("a bin of the day before yesterday was refused")
	}
	var fresh State
	if ev, ok := e.Late(&fresh, 0, last-1000, fleet.Counts{3, 3}, p); !ok || !ev.Scored || fresh.LastBin() != last-1000 {
		t.Errorf("an identity never seen: %v, %v, last bin %d", ev, ok, fresh.LastBin())
	}
	// Late before the first bin makes the identity older.
	var s2 State
	e.Close(&s2, 0, last, fleet.Counts{5, 5}, p, nil)
	if _, ok := e.Late(&s2, 0, last-10, fleet.Counts{5, 5}, p); !ok || s2.FirstBin() != last-10 {
		t.Errorf("first bin %d, want %d", s2.FirstBin(), last-10)
	}
	if _, _, err := DecodeState(s2.AppendBinary(nil)); err != nil {
		t.Error(err)
	}
}

// TestOnset: the estimated begin of a leak lies near the true one.
func TestOnset(t *testing.T) {
	e, p := oneDimension()
	for _, lasts := range []int{3, 10, 30, 80} {
		var off float64
		for seed := uint64(20); seed < 40; seed++ {
			boost := map[int]float64{}
			for i := range lasts {
				boost[500+i] = 3
			}
			s, last, _ := play(e, p, seed, 500+lasts-1, boost, -1, 0)
			e.Advance(&s, 0, last+1, p)
			ev := e.Early(&s, 0, last+1, fleet.Counts{60, 30}, p)
			off += math.Abs(float64(ev.Onset-monday-500)) / 20
		}
		t.Logf("a leak of %d bins: onset off by %.1f bins on average", lasts, off)
		if off > 8 {
			t.Errorf("a leak of %d bins: onset off by %.1f bins on average", lasts, off)
		}
	}
}
