package sketches

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// oracle is what a window should say, kept as a map from record to the last
// minute of its touch.
type oracle map[uint64]uint32

func oracleOf(touches []touch) oracle {
	o := oracle{}
	for _, x := range touches {
		o[x.record] = max(o[x.record], x.minute)
	}
	return o
}

// count is the number of records last seen since the minute; a wrong clock is
// taken for the nearest minute that can be stored.
func (o oracle) count(since uint32) int {
	n := 0
	for _, minute := range o {
		if stored(minute) >= stored(since) {
			n++
		}
	}
	return n
}

// missing counts the records of u that o has not seen since the minute.
func (o oracle) missing(u oracle, since uint32) int {
	n := 0
	for record := range u {
		if minute, ok := o[record]; !ok || stored(minute) < stored(since) {
			n++
		}
	}
	return n
}

func drawMinute(t *rapid.T, label string) uint32 {
	return rapid.OneOf(
		rapid.Uint32Range(day0-10, day0+100_010),
		rapid.Uint32Range(day0, day0+6),
		rapid.SampledFrom([]uint32{0, math.MaxUint32}),
	).Draw(t, label)
}

// A list says what a map would.
func TestListAgreesWithMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		touches, more := drawTouches(t, "w"), drawTouches(t, "u")
		touches, more = touches[:min(len(touches), ExactLimit)], more[:min(len(more), ExactLimit)]
		w, u := windowOf(StatePrecision, touches), windowOf(14, more)
		in, of := oracleOf(touches), oracleOf(more)
		since := drawMinute(t, "since")
		if got, want := w.Count(since), exactly(in.count(since)); got != want {
			t.Fatalf("count: %v, want %v", got, want)
		}
		if got, want := w.FirstTouch(&u), exactly(in.missing(of, 0)); got != want {
			t.Fatalf("first touch: %v, want %v", got, want)
		}
		if got, want := w.CountMissing(&u, since), exactly(in.missing(of, since)); got != want {
			t.Fatalf("missing since: %v, want %v", got, want)
		}
		w.Expire(since)
		if got, want := w.Count(0), exactly(in.count(since)); got != want {
			t.Fatalf("after expiry: %v, want %v", got, want)
		}
	})
}

// A matrix is near what the list it came from would have said, and its
// interval, widened to five standard errors, holds the truth.
func TestMatrixAgreesWithMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		touches, more := drawTouches(t, "w"), drawTouches(t, "u")
		p := drawPrecision(t, "p")
		w, u := windowOf(p, touches), windowOf(drawPrecision(t, "pu"), more)
		in, of := oracleOf(touches), oracleOf(more)
		since := drawMinute(t, "since")
		check := func(what string, e Estimate, truth int) {
			far := 2.6 * math.Max(e.High-e.N, e.N-e.Low) // five standard errors
			if math.Abs(e.N-float64(truth)) > far+3 || e.Low > e.N || e.N > e.High {
				t.Fatalf("%s: %v, truth %d", what, e, truth)
			}
		}
		check("count", w.Count(since), in.count(since))
		check("first touch", w.FirstTouch(&u), in.missing(of, 0))
		check("missing since", w.CountMissing(&u, since), in.missing(of, since))
	})
}

// The longer a window, the more records in it.
func TestCountsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := windowOf(drawPrecision(t, "p"), drawTouches(t, "w"))
		since := make([]uint32, rapid.IntRange(1, 20).Draw(t, "windows"))
		for i := range since {
			since[i] = drawMinute(t, "since")
		}
		out := make([]Estimate, len(since))
		w.Counts(since, out)
		for i, a := range since {
			if one := w.Count(a); one != out[i] {
				t.Fatalf("since %d: alone %v, among others %v", a, one, out[i])
			}
			for j, b := range since {
				if a <= b && out[i].N < out[j].N*(1-1e-6) {
					t.Fatalf("since %d: %v, less than since %d: %v", a, out[i], b, out[j])
				}
			}
		}
	})
}

// What has expired was never there: expiry then insertion is insertion of what
// is young enough, as long as both are matrices or both lists.
func TestExpiryForgets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrecision(t, "p")
		touches := drawTouches(t, "w")
		before := drawMinute(t, "before")
		w := windowOf(p, touches)
		if rapid.Bool().Draw(t, "as a batch") {
			batch := make([]Entry, len(touches))
			for i, x := range touches {
				batch[i] = x.entry()
			}
			w = From(p, batch)
		}
		wasExact := w.Exact()
		w.Expire(before)
		var kept []touch
		for _, x := range touches {
			if stored(x.minute) >= stored(before) {
				kept = append(kept, x)
			}
		}
		want := New(p)
		if !wasExact && len(kept) > 0 {
			want.matrix = newMatrix(p)
		}
		for _, x := range kept {
			want.Insert(mix(x.record), x.minute)
		}
		mustEqual(t, "expired", &w, &want)
		late := touch{record: 7, minute: before}
		w.Insert(mix(late.record), late.minute)
		want.Insert(mix(late.record), late.minute)
		mustEqual(t, "expired, then touched", &w, &want)
	})
}

// Folding is what insertion at the coarser precision would have made.
func TestFoldIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		touches := drawTouches(t, "w")
		fine := windowOf(PartialPrecision, touches)
		state := New(StatePrecision)
		state.Merge(&fine)
		want := windowOf(StatePrecision, touches)
		mustEqual(t, "folded", &state, &want)
	})
}

// One record with a wrong clock costs memory, but no other record its minute.
func TestWrongClock(t *testing.T) {
	for _, wrong := range []uint32{0, math.MaxUint32, day0 + 600_000} {
		var w Window
		for i := range uint64(5000) {
			w.Insert(mix(i), day0+uint32(i%100))
		}
		before := w.Count(day0 + 50)
		w.Insert(mix(1<<40), wrong)
		after := w.Count(day0 + 50)
		if math.Abs(after.N-before.N) > 3 {
			t.Errorf("minute %d: %v became %v", wrong, before, after)
		}
		if wrong < day0 {
			w.Expire(day0)
			if got := w.Count(0); math.Abs(got.N-5000) > 300 || w.matrix.wide != nil {
				t.Errorf("minute %d, expired: %v, wide columns %v", wrong, got, w.matrix.wide != nil)
			}
		}
	}
}

// A matrix gives memory back as it empties, and is a list again when empty.
func TestExpiryFreesMemory(t *testing.T) {
	var w Window
	for i := range uint64(100_000) {
		w.Insert(mix(i), day0+uint32(i/1000))
	}
	full := bytesOf(&w)
	w.Expire(day0 + 99)
	small := bytesOf(&w)
	if small > full/2 {
		t.Errorf("%d bytes with 100,000 records, %d with the last 1,000", full, small)
	}
	if e := w.Count(0); e.Low > 1000 || e.High < 1000 {
		t.Errorf("%v of the last 1,000", e)
	}
	w.Expire(day0 + 100)
	if !w.Empty() || !w.Exact() || bytesOf(&w) > 40 {
		t.Errorf("all expired: empty %v, exact %v, %d bytes", w.Empty(), w.Exact(), bytesOf(&w))
	}
}

// Five records cost five words beside the header.
func TestSmallWindowIsSmall(t *testing.T) {
	w := upTo(StatePrecision, 5)
	if bytesOf(&w) > 40+6*8 {
		t.Errorf("five records take %d bytes", bytesOf(&w))
	}
	for n, limit := range map[uint64]int{300: 40 + 300*9 + 64, 1_000_000: 100_000} {
		if w := upTo(StatePrecision, n); bytesOf(&w) > limit {
			t.Errorf("%d records take %d bytes, more than %d", n, bytesOf(&w), limit)
		}
	}
}

func TestSortRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, 255, 256, 5000}).Draw(t, "n")
		seed, keep := rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]uint64{math.MaxUint64, 0xff << 56, 0xffff}).Draw(t, "bits")
		batch := make([]Entry, n)
		for i := range batch {
			batch[i] = Entry(mix(seed+uint64(i)) & keep)
		}
		want := slices.Clone(batch)
		slices.Sort(want)
		if sortRecords(batch); !slices.Equal(batch, want) {
			t.Fatal("not sorted, or not the same entries")
		}
	})
}
