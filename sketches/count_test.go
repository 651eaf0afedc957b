package sketches

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// Counting four words at once is counting them one by one.
func TestCountNarrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		edge := rapid.OneOf(rapid.Uint32Range(1, 1<<17), rapid.SampledFrom([]uint32{1, 2, 0x7fff, 0x8000, 0x8001, 0xffff, 0x10000})).Draw(t, "edge")
		around := rapid.SampledFrom([]uint64{1, 0x10000}).Draw(t, "spread")
		seed := rapid.Uint64().Draw(t, "seed")
		column := make([]uint16, 1<<StatePrecision)
		want := int32(0)
		for i := range column {
			x := mix(seed + uint64(i))
			if column[i] = uint16(x); around == 1 { // at the edge, or next to it
				column[i] = uint16(edge + uint32(x%3) - 1)
			}
			if uint32(column[i]) >= edge {
				want++
			}
		}
		if got := countNarrow(column, edge); got != want {
			t.Fatalf("edge %#x: %d, want %d", edge, got, want)
		}
	})
}

// The cells per rank are those that a look at each cell finds, also below two
// full ranks, at which counting stops.
func TestCountCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := windowOf(drawPrecision(t, "p"), drawTouches(t, "w"))
		if rapid.Bool().Draw(t, "large") {
			w = spread(rapid.SampledFrom([]int{30_000, 100_000}).Draw(t, "records"))
		}
		if w.Exact() {
			return
		}
		since := []uint32{drawMinute(t, "since"), 0}
		var got tally
		w.matrix.count([]uint32{stored(since[0]), stored(since[1])}, &got)
		for k, s := range since {
			var want perRank
			w.matrix.eachCell(func(_, rank, minute uint32) {
				if minute >= stored(s) {
					want[rank]++
				}
			})
			if got[k] != want {
				t.Fatalf("since %d: %v, want %v", s, got[k], want)
			}
		}
	})
}

// Numbers and Missing say what Counts and CountMissing say, without the intervals and
// the bound.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := windowOf(drawPrecision(t, "p"), drawTouches(t, "window"))
		u := windowOf(drawPrecision(t, "other p"), drawTouches(t, "other"))
		a := day0 + rapid.Uint32Range(0, 50_000).Draw(t, "since")
		b := rapid.SampledFrom([]uint32{0, day0, day0 + 1440, a}).Draw(t, "and since")
		if got, want := w.Numbers(a, b), [2]float64{w.Count(a).N, w.Count(b).N}; got != want {
			t.Fatalf("numbers %v, counts %v", got, want)
		}
		if got, want := min(w.Missing(&u, a), u.Count(0).N), w.CountMissing(&u, a).N; math.Abs(got-want) > 1e-9*want {
			t.Fatalf("missing %v, counted %v", got, want)
		}
		same := w.Clone() // nothing of it is missing
		if got, want := w.Missing(&same, 0), w.FirstTouch(&same).N; got != want {
			t.Fatalf("missing of itself %v, counted %v", got, want)
		}
	})
}

// What Numbers and Shown keep of a window stays true whatever is done to it: lists and matrices
// that are merged, with records of the same cell, early and late ones, records that
// expire.
func TestNumbersKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		some := func(n int, from, to uint32) Window {
			list := make([]Entry, n)
			for i := range list {
				list[i] = NewEntry(dice.Uint64()>>dice.IntN(30), from+dice.Uint32N(to-from))
			}
			return From(StatePrecision, list)
		}
		w := some(rapid.SampledFrom([]int{1100, 3000, 30_000}).Draw(t, "records"), day0, day0+4000)
		for range 6 {
			a := day0 + rapid.SampledFrom([]uint32{0, 2000, 3900, 4000}).Draw(t, "since")
			b := day0 + rapid.SampledFrom([]uint32{1000, 3900}).Draw(t, "and since")
			same := w.Clone()
			want := make([]Estimate, 2)
			same.Counts([]uint32{a, b}, want)
			if got := w.Numbers(a, b); got != [2]float64{want[0].N, want[1].N} || w.Count(a) != want[0] {
				t.Fatalf("numbers %v, count %v, want %v", got, w.Count(a), want)
			}
			if got, want := w.Shown(), same.Shown(); got != want {
				t.Fatalf("of first touches %v show, want %v", got, want)
			}
			switch rapid.IntRange(0, 7).Draw(t, "what") {
			case 0:
				w.Insert(dice.Uint64(), day0+3950)
			case 1:
				w.Expire(day0 + 500)
			case 2:
				o := some(2000, day0+3900, day0+4100)
				w.Merge(&o)
			default:
				o := some(dice.IntN(700), day0+1900, day0+4100)
				w.Merge(&o)
			}
		}
	})
}
