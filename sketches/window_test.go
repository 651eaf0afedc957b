package sketches

import (
	"math"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// mix is SplitMix64's finalizer: a stand-in for the keyed hash, so that test
// record i has a hash that looks random and never changes.
func mix(i uint64) uint64 {
	i += 0x9e3779b97f4a7c15
	i = (i ^ i>>30) * 0xbf58476d1ce4e5b9
	i = (i ^ i>>27) * 0x94d049bb133111eb
	return i ^ i>>31
}

// day0 is a Unix minute in 2026.
const day0 = 29_500_000

// touch is one touch of a record.
type touch struct {
	record uint64
	minute uint32
}

func (x touch) entry() Entry { return NewEntry(mix(x.record), x.minute) }

func windowOf(p uint8, touches []touch) Window {
	w := New(p)
	for _, x := range touches {
		w.Insert(mix(x.record), x.minute)
	}
	return w
}

// bytesOf returns the memory that a window takes, its header included.
func bytesOf(w *Window) int {
	n := int(unsafe.Sizeof(*w)) + 8*cap(w.list)
	if m := w.matrix; m != nil {
		n += int(unsafe.Sizeof(*m)) + 2*cap(m.narrow) + 4*cap(m.wide) + 2*cap(m.sparse)
	}
	return n
}

// contents says what a window holds, apart from form.
func contents(w *Window) []Entry {
	if w.matrix == nil {
		return append([]Entry{Entry(w.Precision())}, w.list...)
	}
	m := w.matrix
	out := []Entry{Entry(m.p), 1}
	m.eachCell(func(reg, rank, minute uint32) {
		out = append(out, pack(uint64(rank)<<m.p|uint64(reg), minute))
	})
	slices.Sort(out[2:])
	return out
}

func mustEqual(t interface{ Fatalf(string, ...any) }, what string, a, b *Window) {
	if !slices.Equal(contents(a), contents(b)) {
		t.Fatalf("%s: windows differ: exact %v and %v, %d and %d cells", what, a.Exact(), b.Exact(), len(contents(a)), len(contents(b)))
	}
}

// drawTouches draws a set of touches, often around the exact limit, mostly
// within some days, now and then with a wrong clock.
func drawTouches(t *rapid.T, label string) []touch {
	seed := rapid.Uint64().Draw(t, label+" seed")
	records := rapid.SampledFrom([]int{0, 1, 5, 300, 1000, 1024, 1025, 1100, 3000, 20000}).Draw(t, label+" records")
	span := rapid.SampledFrom([]uint64{1, 5, 1440, 43200, 100_000}).Draw(t, label+" span")
	pool := rapid.SampledFrom([]uint64{500, 5000, 1 << 40}).Draw(t, label+" pool")
	out := make([]touch, records)
	for i := range out {
		r := mix(seed + uint64(i))
		out[i] = touch{record: r % pool, minute: day0 + uint32(mix(r)%span)}
	}
	if records > 0 && rapid.IntRange(0, 4).Draw(t, label+" clock") == 0 {
		out[0].minute = rapid.SampledFrom([]uint32{0, 1, math.MaxUint32, day0 + 2_000_000}).Draw(t, label+" minute")
	}
	return out
}

func drawPrecision(t *rapid.T, label string) uint8 {
	return rapid.SampledFrom([]uint8{StatePrecision, 13, PartialPrecision}).Draw(t, label)
}

func TestZeroWindowIsEmpty(t *testing.T) {
	var w Window
	if !w.Empty() || !w.Exact() || w.Count(0) != (Estimate{}) || w.Precision() != StatePrecision {
		t.Fatalf("zero window: empty %v, exact %v, count %v, precision %d", w.Empty(), w.Exact(), w.Count(0), w.Precision())
	}
	if bytesOf(&w) > 40 {
		t.Errorf("an empty window takes %d bytes, want at most 40", bytesOf(&w))
	}
	w.Expire(day0)
	w.Merge(&Window{})
	if !w.Empty() {
		t.Error("not empty after merging nothing")
	}
}

// A window is a list up to 1,024 distinct records, and a matrix from one more.
func TestExactLimit(t *testing.T) {
	var w Window
	for i := range uint64(ExactLimit) {
		w.Insert(mix(i), day0)
		w.Insert(mix(i), day0+1)
	}
	if !w.Exact() || w.Count(0) != exactly(ExactLimit) {
		t.Fatalf("at the limit: exact %v, count %v", w.Exact(), w.Count(0))
	}
	w.Insert(mix(ExactLimit), day0)
	if w.Exact() {
		t.Fatal("one record past the limit is still exact")
	}
	if e := w.Count(0); math.Abs(e.N-1025) > 60 || e.Low > 1025 || e.High < 1025 {
		t.Errorf("one record past the limit: %v", e)
	}
}

func TestMergeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := windowOf(drawPrecision(t, "pa"), drawTouches(t, "a"))
		b := windowOf(drawPrecision(t, "pb"), drawTouches(t, "b"))
		c := windowOf(drawPrecision(t, "pc"), drawTouches(t, "c"))
		a0, b0 := a.Clone(), b.Clone()

		ab := a.Clone()
		ab.Merge(&b)
		ba := b.Clone()
		ba.Merge(&a)
		mustEqual(t, "a+b and b+a", &ab, &ba)

		abc := ab.Clone()
		abc.Merge(&c)
		bc := b.Clone()
		bc.Merge(&c)
		aBC := a.Clone()
		aBC.Merge(&bc)
		mustEqual(t, "(a+b)+c and a+(b+c)", &abc, &aBC)

		again := ab.Clone()
		again.Merge(&b)
		again.Merge(&ab)
		mustEqual(t, "a+b+b+(a+b) and a+b", &again, &ab)

		mustEqual(t, "a after merges", &a, &a0)
		mustEqual(t, "b after merges", &b, &b0)
	})
}

// However a set of touches is ordered, repeated, batched and cut into
// partials, the window is that of the set.
func TestOrderFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrecision(t, "p")
		touches := drawTouches(t, "touches")
		want := windowOf(p, touches)

		order := rapid.Uint64().Draw(t, "order")
		perm := slices.Clone(touches)
		slices.SortFunc(perm, func(a, b touch) int {
			x, y := mix(a.record^order), mix(b.record^order)
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return int(b.minute%7) - int(a.minute%7)
		})
		partials := make([]Window, rapid.IntRange(1, 6).Draw(t, "partials"))
		for i := range partials {
			partials[i] = New(PartialPrecision)
		}
		for len(perm) > 0 {
			n := min(rapid.SampledFrom([]int{1, 7, 400, 3000}).Draw(t, "batch"), len(perm))
			into := &partials[rapid.IntRange(0, len(partials)-1).Draw(t, "into")]
			batch := make([]Entry, 0, n+1)
			for _, x := range perm[:n] {
				batch = append(batch, x.entry())
			}
			part := From(PartialPrecision, append(batch, perm[0].entry()))
			into.Merge(&part)
			perm = perm[n:]
		}
		got := New(p)
		for i := range partials {
			got.Merge(&partials[i])
		}
		mustEqual(t, "cut into partials", &got, &want)
	})
}

// A state of 180 days keeps its minutes: its columns are of 32 bits, so that it
// takes less than twice the memory of one of 30 days.
func TestHalfAYear(t *testing.T) {
	const n, days = 100_000, 180
	var w Window
	for i := range uint64(n) {
		w.Insert(mix(i), day0+uint32(i*days*1440/n))
	}
	for _, last := range []uint32{1, 7, 30, 90, 180} {
		truth := float64(n * last / days)
		e := w.Count(day0 + (days-last)*1440)
		if math.Abs(e.N-truth) > 2*(e.High-e.Low) {
			t.Errorf("%d days: %v, truth %.0f", last, e, truth)
		}
	}
	month := spread(n)
	t.Logf("%d records: %d bytes over 180 days, %d over 30", n, bytesOf(&w), bytesOf(&month))
	if bytesOf(&w) > 2*bytesOf(&month) {
		t.Errorf("%d bytes for 180 days, %d for 30", bytesOf(&w), bytesOf(&month))
	}
	if w.Expire(day0 + (days-30)*1440); w.matrix.wide != nil {
		t.Error("wide columns for 30 days")
	}
}
