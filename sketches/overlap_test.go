package sketches

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// While both are lists, the overlap is that of sets.
func TestOverlapAgreesWithSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) (*Exposure, map[uint64]bool) {
			var x Exposure
			set := map[uint64]bool{}
			w := Window{}
			for _, r := range rapid.SliceOfN(rapid.Uint64Range(0, 60), 0, 100).Draw(t, label) {
				w.Insert(mix(r), day0)
				set[r] = true
			}
			x.AddWindow(&w, 0)
			return &x, set
		}
		a, first := draw("a")
		b, second := draw("b")
		both := 0
		for r := range first {
			if second[r] {
				both++
			}
		}
		got := OverlapOf(a, b)
		if got.Both != exactly(both) {
			t.Fatalf("both: %v, want %d", got.Both, both)
		}
		if union := len(first) + len(second) - both; union > 0 && got.Jaccard.N != float64(both)/float64(union) {
			t.Fatalf("Jaccard: %v, want %d/%d", got.Jaccard, both, union)
		}
		if other := OverlapOf(b, a); other.OfFirst != got.OfSecond || other.OfSecond != got.OfFirst || other.Both != got.Both {
			t.Fatalf("not symmetric: %v and %v", got, other)
		}
	})
}

func TestOverlapOfTheSame(t *testing.T) {
	for _, p := range []uint8{StatePrecision, PartialPrecision} {
		w := upTo(p, 50_000)
		var x, other Exposure
		x.AddWindow(&w, 0)
		if o := OverlapOf(&x, &x); o.Jaccard.N < 0.999 || o.Jaccard.High < 1-1e-6 || math.Abs(o.Both.N-50_000) > 3000 {
			t.Errorf("p=%d, with itself: %+v", p, o)
		}
		if o := OverlapOf(&x, &other); o != (Overlap{}) {
			t.Errorf("p=%d, with nothing: %+v", p, o)
		}
	}
}

// Whatever two exposures were made of, the interval of their overlap, widened
// to five standard errors, holds the truth.
func TestOverlapOfMixtures(t *testing.T) {
	// Each makes an exposure of the records first to last.
	makers := map[string]func(first, last uint64) *Exposure{
		"ticks": func(first, last uint64) *Exposure { return exposed(PartialPrecision, first, last) },
		"state": func(first, last uint64) *Exposure { return exposed(StatePrecision, first, last) },
		"both": func(first, last uint64) *Exposure {
			x := exposed(PartialPrecision, first, (first+last)/2)
			x.Merge(exposed(StatePrecision, (first+last)/3, last))
			return x
		},
	}
	for one, a := range makers {
		for two, b := range makers {
			for _, c := range []struct{ first, from, to uint64 }{{900, 500, 1300}, {900, 400, 20_000}, {30_000, 20_000, 90_000}, {20_000, 50_000, 60_000}} {
				truth := 0.0
				if c.first > c.from {
					truth = float64(min(c.first, c.to) - c.from)
				}
				o := OverlapOf(a(0, c.first), b(c.from, c.to))
				far := 2.6*math.Max(o.Both.High-o.Both.N, o.Both.N-o.Both.Low) + 3
				if math.Abs(o.Both.N-truth) > far || o.Both.Low > o.Both.N || o.Both.N > o.Both.High {
					t.Errorf("%s of %d and %s of %d to %d: %v, truth %.0f", one, c.first, two, c.from, c.to, o.Both, truth)
				}
				if share := truth / float64(c.first); math.Abs(o.OfFirst.N-share) > 2.6*(o.OfFirst.High-o.OfFirst.Low)+1e-9 {
					t.Errorf("%s of %d and %s of %d to %d: share %v, truth %.3f", one, c.first, two, c.from, c.to, o.OfFirst, share)
				}
			}
		}
	}
}

// exposed returns an exposure of the records first to last-1, kept at a precision.
func exposed(p uint8, first, last uint64) *Exposure {
	w, x := New(p), &Exposure{}
	for i := first; i < last; i++ {
		w.Insert(mix(i), day0)
	}
	x.AddWindow(&w, 0)
	return x
}

// overlapCases are numbers of records in the first set alone, in the second
// alone, and in both.
var overlapCases = []struct{ a, b, both int }{
	{5000, 5000, 0}, {5000, 5000, 500}, {5000, 5000, 5000}, {2000, 2000, 20_000}, {900, 100_000, 100}, {50_000, 50_000, 5000},
	{100_000, 1_000_000, 100_000}, {0, 200_000, 50_000}, {300_000, 300_000, 0}, {300_000, 300_000, 1500},
}

// The joint estimate's intervals hold the truth, and it is no worse than
// inclusion and exclusion. With -v the test prints both.
func TestOverlapIntervals(t *testing.T) {
	for _, p := range []uint8{PartialPrecision, StatePrecision} {
		for _, c := range overlapCases {
			rng := dice(c.a + c.b + c.both + int(p))
			var both, jaccard, share tallyOf
			var square, naive float64
			for range *trials / 4 { // joint likelihoods take milliseconds
				one, two, shared := newThrown(p), newThrown(p), newThrown(p)
				one.add(rng, c.a)
				two.add(rng, c.b)
				shared.add(rng, c.both)
				j := joint{p: p}
				sides := [2]*thrown{one.with(shared), two.with(shared)}
				var sizes [3]float64
				for i, s := range []*thrown{sides[0], sides[1], sides[0].with(sides[1])} {
					cells := s.perRank()
					sizes[i] = distinct(&cells, p).N
					if p == PartialPrecision {
						sizes[i] = estimateRegisters(s.registers()).N
					}
				}
				one1, two1 := sides[0].face(p == PartialPrecision), sides[1].face(p == PartialPrecision)
				for reg := range one1 {
					j.add(one1[reg], two1[reg])
				}
				o := j.overlap()
				both.add(o.Both, float64(c.both))
				jaccard.add(o.Jaccard, float64(c.both)/float64(c.a+c.b+c.both))
				share.add(o.OfFirst, float64(c.both)/float64(c.a+c.both))
				square += (o.Both.N - float64(c.both)) * (o.Both.N - float64(c.both))
				off := max(sizes[0]+sizes[1]-sizes[2], 0) - float64(c.both)
				naive += off * off
			}
			what := fmt.Sprintf("p=%d, %d and %d, %d in both", p, c.a+c.both, c.b+c.both, c.both)
			n := float64(both.trials)
			square, naive = math.Sqrt(square/n), math.Sqrt(naive/n)
			t.Logf("%s: rms error %.0f records, by inclusion and exclusion %.0f", what, square, naive)
			if square > naive*(1+3/math.Sqrt(n)) {
				t.Errorf("%s: the joint estimate is worse: %.0f against %.0f", what, square, naive)
			}
			both.check(t, what, false)
			jaccard.check(t, "  Jaccard", false)
			share.check(t, "  of the first", false)
		}
	}
}

// face shows thrown cells as an exposure does, as registers or whole.
func (t *thrown) face(registers bool) []face {
	all := uint32(1)<<ranks(t.p) - 1
	out := make([]face, len(t.cells))
	values := t.registers()
	for reg, word := range t.cells {
		out[reg] = face{word, all}
		if v := values[reg]; registers && v > 0 {
			top := uint32(1) << (v - 1)
			out[reg] = face{top, all &^ (top - 1)}
		}
	}
	return out
}
