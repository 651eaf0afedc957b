package sketches

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// A delta turns its base into what it was made for, whatever happened between.
func TestDeltaRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrecision(t, "p")
		base := windowOf(p, drawTouches(t, "base"))
		w := base.Clone()
		for range rapid.IntRange(0, 3).Draw(t, "ticks") {
			if rapid.Bool().Draw(t, "expire") {
				w.Expire(drawMinute(t, "before"))
			}
			tick := windowOf(PartialPrecision, drawTouches(t, "tick"))
			w.Merge(&tick)
		}
		delta := w.AppendDelta([]byte("head"), &base)[4:]
		if whole := w.AppendBinary(nil); len(delta) > len(whole)+deltaHeader {
			t.Fatalf("delta of %d bytes, the whole has %d", len(delta), len(whole))
		}
		other := base.Clone() // equal to base, of another history
		got := New(p)
		got.Merge(&other)
		rest, err := got.ApplyDelta(append(bytes.Clone(delta), "tail"...))
		if err != nil || string(rest) != "tail" {
			t.Fatalf("applying: %v, rest %q", err, rest)
		}
		mustEqual(t, "base and delta", &got, &w)
		if again := got.AppendDelta(nil, &base); !bytes.Equal(again, delta) {
			t.Fatal("equal windows, different deltas")
		}
	})
}

func TestApplyDeltaRefuses(t *testing.T) {
	base := upTo(StatePrecision, 5000)
	w, tick := base.Clone(), windowOf(PartialPrecision, []touch{{1, day0 + 5}, {9999, day0 + 5}})
	w.Merge(&tick)
	good := w.AppendDelta(nil, &base)
	edit := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":            {nil, ErrCorrupt},
		"cut short":          {good[:len(good)-1], ErrCorrupt},
		"another version":    {edit(0, 9), ErrVersion},
		"another kind":       {edit(1, 2), ErrCorrupt},
		"another base":       {edit(5, good[5]+1), ErrBase},
		"a minute too late":  {edit(deltaHeader, 1), ErrCorrupt},
		"twice":              {nil, ErrBase}, // see below
		"whole where longer": {append(append([]byte{1, deltaWhole}, good[2:deltaHeader]...), w.AppendBinary(nil)...), ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			got, want := base.Clone(), base.Clone()
			if name == "twice" {
				if _, err := got.ApplyDelta(good); err != nil {
					t.Fatal(err)
				}
				c.in, want = good, got.Clone()
			}
			if _, err := got.ApplyDelta(c.in); !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			mustEqual(t, "after the error", &got, &want)
		})
	}
}

// TestDeltaFigures says what a delta saves at a typical commit.
func TestDeltaFigures(t *testing.T) {
	for _, c := range []struct {
		what        string
		state, tick int
		most        float64 // share of the whole
	}{
		{"employee: a tick of 5 into 300", 300, 5, 0.1},
		{"scraper: 5 minutes, 35 records, into 300,000", 300_000, 35, 0.02},
		{"scraper: an hour, 417 records, into 300,000", 300_000, 417, 0.1},
		{"service: 5 minutes, 700 records, into 2,000,000", 2_000_000, 700, 0.1},
		{"service: an hour, 8,300 records, into 2,000,000", 2_000_000, 8300, 0.3},
	} {
		base := spread(c.state)
		w, tick := base.Clone(), New(PartialPrecision)
		for i := range uint64(c.tick) {
			tick.Insert(mix(i+1<<40), day0+43_200+uint32(i*uint64(min(c.tick/7, 60))/uint64(c.tick)))
		}
		w.Merge(&tick)
		delta, whole := len(w.AppendDelta(nil, &base)), len(w.AppendBinary(nil))
		t.Logf("%-50s delta %5d bytes, whole %5d: %.1f %%", c.what, delta, whole, 100*float64(delta)/float64(whole))
		if float64(delta) > c.most*float64(whole) {
			t.Errorf("%s: %d of %d bytes", c.what, delta, whole)
		}
	}
}

func FuzzApplyDelta(f *testing.F) {
	for _, n := range []uint64{0, 5, 1500} {
		base := upTo(StatePrecision, n)
		w := base.Clone()
		tick := windowOf(PartialPrecision, []touch{{1, day0 + 5}, {9999, day0 + 5}})
		w.Merge(&tick)
		f.Add(base.AppendBinary(nil), w.AppendDelta(nil, &base))
		w.Expire(day0 + 1)
		f.Add(base.AppendBinary(nil), w.AppendDelta(nil, &base))
	}
	f.Fuzz(func(t *testing.T, form, delta []byte) {
		var base Window
		if base.UnmarshalBinary(form) != nil {
			return
		}
		if len(delta) >= deltaHeader { // else no mutation would ever pass
			sum := check(base.AppendBinary(nil))
			for i := range 8 {
				delta[2+i] = byte(sum >> (56 - 8*i))
			}
		}
		w := base.Clone()
		rest, err := w.ApplyDelta(delta)
		if err != nil {
			mustEqual(t, "after the error", &w, &base)
			return
		}
		if again := w.AppendDelta(nil, &base); !bytes.Equal(again, delta[:len(delta)-len(rest)]) {
			t.Fatalf("took a form that is not canonical: %x", delta)
		}
	})
}
