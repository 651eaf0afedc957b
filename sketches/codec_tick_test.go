package sketches

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// What a tick brings reads back as it was, in less room than the general form.
func TestTickRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1200).Draw(t, "n")
		span := rapid.Uint32Range(1, 1440).Draw(t, "span")
		w := New(PartialPrecision)
		for i := range n {
			w.Insert(mix(uint64(i)), day0+uint32(i)%span)
		}
		listed := w.Listed(day0)
		if want := min(n, n*(ExactLimit+1-min(n, ExactLimit+1))); (listed > 0) != (want > 0) {
			t.Fatalf("%d records: listed %d", n, listed)
		}
		if listed == 0 {
			return
		}
		b := w.AppendTick([]byte("head"), day0)
		got, rest, err := DecodeTick(append(b, "tail"...)[4:], PartialPrecision, day0, listed)
		if err != nil || string(rest) != "tail" {
			t.Fatalf("decoding: %v, rest %q", err, rest)
		}
		mustEqual(t, "decoded", &got, &w)
		if general := w.AppendBinary(nil); len(b)-4 >= len(general) {
			t.Fatalf("%d bytes, and %d in the general form", len(b)-4, len(general))
		}
	})
}

// A minute before the start, or far beyond it, has no place in the form.
func TestTickRefuses(t *testing.T) {
	for name, minute := range map[string]uint32{"before": day0 - 1, "far beyond": day0 + 1<<15} {
		w := windowOf(StatePrecision, []touch{{1, minute}})
		if w.Listed(day0) != 0 {
			t.Errorf("%s: listed", name)
		}
	}
	w := windowOf(StatePrecision, []touch{{1, day0}, {2, day0 + 3}})
	good := w.AppendTick(nil, day0)
	for name, c := range map[string]struct {
		in []byte
		n  int
	}{
		"nothing":        {nil, 1},
		"none":           {good, 0},
		"too many":       {good, ExactLimit + 1},
		"cut short":      {good[:len(good)-1], 2},
		"more than are":  {good, 3},
		"a wider offset": {append([]byte{good[0] | 8}, good[1:]...), 2},
	} {
		if _, _, err := DecodeTick(c.in, StatePrecision, day0, c.n); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzDecodeTick(f *testing.F) {
	w := windowOf(StatePrecision, []touch{{1, day0}, {2, day0 + 3}, {3, day0 + 4}})
	f.Add(w.AppendTick(nil, day0), 3)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		w, rest, err := DecodeTick(b, StatePrecision, day0, n)
		if err != nil {
			return
		}
		if again := w.AppendTick(nil, day0); !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Fatalf("took a form that is not canonical: %x, would write %x", b, again)
		}
	})
}
