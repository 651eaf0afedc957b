package sketches

import (
	"bytes"
	"errors"
	"testing"

	"github.com/axiomhq/hyperloglog"
	"pgregory.net/rapid"

	"github.com/weirhq/weir/internal/wire"
)

// upTo returns a window of the records 0..n-1, all of one minute.
func upTo(p uint8, n uint64) Window {
	batch := make([]Entry, 0, n)
	for i := range n {
		batch = append(batch, NewEntry(mix(i), day0))
	}
	return From(p, batch)
}

// The union of windows, lists and matrices alike, is register for register the
// axiomhq sketch that saw the hashes themselves.
func TestExposureEqualsAxiom(t *testing.T) {
	for _, n := range []uint64{0, 1, 300, 1024, 1025, 5000, 60_000, 400_000} {
		direct := hyperloglog.NewNoSparse()
		var x Exposure
		const parts = 5
		for part := range uint64(parts) {
			w := New(PartialPrecision)
			for i := part; i < n; i += parts {
				minute := uint32(day0 + i%3)
				w.Insert(mix(i), minute)
				if minute > day0 {
					direct.InsertHash(mix(i))
				}
			}
			x.AddWindow(&w, day0+1)
		}
		if x.coarse != nil {
			t.Errorf("%d records: some are known coarsely only", n)
		}
		x.toSketch()
		a, errA := x.sketch.MarshalBinary()
		b, errB := direct.MarshalBinary()
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%d records: equal %v, errors %v, %v", n, bytes.Equal(a, b), errA, errB)
		}
	}
}

// A window of a state, too, exports to the axiomhq sketch of its precision.
func TestStateEqualsAxiom(t *testing.T) {
	for _, n := range []uint64{2000, 50_000, 300_000} {
		w, direct := Window{}, mustSketch(t, StatePrecision)
		for i := range n {
			minute := uint32(day0 + i*2880/n)
			w.Insert(mix(i), minute)
			if minute >= day0+1440 {
				direct.InsertHash(mix(i))
			}
		}
		exported := mustSketch(t, StatePrecision)
		w.matrix.eachCell(func(reg, rank, minute uint32) {
			if minute >= stored(day0+1440) {
				exported.InsertHash(uint64(reg)<<(64-StatePrecision) | 1<<(64-StatePrecision-rank))
			}
		})
		a, _ := exported.MarshalBinary()
		b, _ := direct.MarshalBinary()
		if !bytes.Equal(a, b) {
			t.Errorf("%d records: the last day is not that of the direct sketch", n)
		}
	}
}

func mustSketch(t *testing.T, p uint8) *hyperloglog.Sketch {
	t.Helper()
	s, err := hyperloglog.NewSketch(p, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestExposureExact(t *testing.T) {
	var x Exposure
	if x.Estimate() != (Estimate{}) {
		t.Fatalf("zero exposure: %v", x.Estimate())
	}
	a, b := upTo(StatePrecision, 1000), upTo(PartialPrecision, 1024)
	x.AddWindow(&a, 0)
	x.AddWindow(&b, 0)
	x.AddWindow(&a, day0+1) // nothing is that young
	if x.Estimate() != exactly(1024) {
		t.Fatalf("estimate %v, want exactly 1,024", x.Estimate())
	}
}

// What a state knows only coarsely widens the interval by no more than its
// part of the union.
func TestExposureCoarsePart(t *testing.T) {
	tests := []struct {
		state, ticks uint64 // records 0..state-1 from a state, state/2.. from ticks
		relative     float64
	}{
		{2000, 0, 0.05},
		{50_000, 0, 0.05},
		{50_000, 100, 0.05},
		{50_000, 50_000, 0.04},
		{2000, 500_000, 0.02},
		{100_000, 1_000_000, 0.02},
	}
	const sets = 20
	for _, c := range tests {
		truth := float64(max(c.state, c.state/2+c.ticks))
		missed := 0
		for set := range uint64(sets) {
			var x Exposure
			state, partial := New(StatePrecision), New(PartialPrecision)
			for i := range c.state {
				state.Insert(mix(set<<32+i), day0)
			}
			for i := range c.ticks {
				partial.Insert(mix(set<<32+c.state/2+i), day0)
			}
			x.AddWindow(&state, day0)
			x.AddWindow(&partial, day0)
			e := x.Estimate()
			if e.Low > truth || e.High < truth {
				missed++
			}
			if e.High-e.Low > 2*c.relative*truth {
				t.Errorf("%+v: %v, truth %.0f, half-width %.3f", c, e, truth, (e.High-e.Low)/2/truth)
			}
		}
		if missed > 4 { // one in 400 such cases, of 95 % intervals
			t.Errorf("%+v: %d of %d intervals miss the truth", c, missed, sets)
		}
	}
}

// drawExposure adds windows of a drawn set, cut and ordered by the draw.
func drawParts(t *rapid.T) []Window {
	parts := make([]Window, rapid.IntRange(1, 5).Draw(t, "parts"))
	for i := range parts {
		parts[i] = windowOf(drawPrecision(t, "p"), drawTouches(t, "touches"))
	}
	return parts
}

func TestExposureOrderFreeAndCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := drawParts(t)
		since := day0 + rapid.Uint32Range(0, 2000).Draw(t, "since")
		var forth, back Exposure
		for i := range parts {
			forth.AddWindow(&parts[i], since)
			back.AddWindow(&parts[len(parts)-1-i], since)
		}
		back.AddWindow(&parts[0], since)
		b := forth.AppendBinary(nil)
		if !bytes.Equal(b, back.AppendBinary(nil)) {
			t.Fatal("the order of additions shows")
		}
		got, rest, err := DecodeExposure(append(b, 7))
		if err != nil || len(rest) != 1 {
			t.Fatalf("decoding: %v, %d bytes left", err, len(rest))
		}
		if got.Estimate() != forth.Estimate() || !bytes.Equal(got.AppendBinary(nil), b) {
			t.Fatal("decoded is not what was encoded")
		}
	})
}

func TestDecodeExposureRefuses(t *testing.T) {
	var x Exposure
	w := upTo(PartialPrecision, 3000)
	x.AddWindow(&w, 0)
	good := x.AppendBinary(nil)
	for name, in := range map[string][]byte{
		"nothing":       nil,
		"flags":         {1, 4},
		"cut registers": good[:1000],
		"cut cells":     good[:len(good)-2],
		"list matrix":   append([]byte{1, 0}, w.AppendBinary(nil)...),
	} {
		if _, _, err := DecodeExposure(in); !errors.Is(err, wire.ErrCorrupt) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, _, err := DecodeExposure([]byte{9, 0}); !errors.Is(err, wire.ErrCorrupt) {
		t.Errorf("another version: error %v", err)
	}
}

func FuzzDecodeExposure(f *testing.F) {
	for _, n := range []uint64{0, 3, 2000} {
		var x Exposure
		fine, coarse := upTo(PartialPrecision, n), upTo(StatePrecision, n*2)
		x.AddWindow(&fine, 0)
		f.Add(x.AppendBinary(nil))
		x.AddWindow(&coarse, 0)
		f.Add(x.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, rest, err := DecodeExposure(b)
		if err != nil {
			return
		}
		if again := x.AppendBinary(nil); !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Fatalf("took a form that is not canonical: %x, would write %x", b, again)
		}
		x.Estimate()
		w := upTo(PartialPrecision, 5)
		x.AddWindow(&w, 0)
	})
}

// What is known coarsely only adds no more to the interval than was known coarsely at all,
// also where the records that are known have hit nearly every cell of it.
func TestExposureIsBounded(t *testing.T) {
	for _, n := range []uint64{2000, 12_846, 100_000} {
		for seed := range uint64(20) {
			past := New(StatePrecision)
			for i := range n {
				past.Insert(mix(i+seed<<32), day0)
			}
			now := New(PartialPrecision)
			for i := range n + 3 {
				now.Insert(mix(i+seed<<32), day0+1)
			}
			var x Exposure
			x.AddWindow(&past, 0)
			x.AddWindow(&now, 0)
			if e := x.Estimate(); e.High > 2.5*float64(n) || e.Low < 0.8*float64(n) {
				t.Fatalf("%d records, seed %d: %.0f (%.0f to %.0f)", n, seed, e.N, e.Low, e.High)
			}
		}
	}
}
