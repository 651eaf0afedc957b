package sketches

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/weirhq/weir/internal/wire"
)

func TestCodecRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := windowOf(drawPrecision(t, "p"), drawTouches(t, "w"))
		if rapid.Bool().Draw(t, "expire") {
			w.Expire(day0 + rapid.Uint32Range(0, 50_000).Draw(t, "before"))
		}
		tail := []byte("tail")
		b := w.AppendBinary([]byte("head"))
		got, rest, err := DecodeWindow(append(b, tail...)[4:])
		if err != nil || !bytes.Equal(rest, tail) {
			t.Fatalf("decoding: %v, rest %q", err, rest)
		}
		mustEqual(t, "decoded", &got, &w)
		if again := got.AppendBinary(nil); !bytes.Equal(again, b[4:]) {
			t.Fatalf("encoded again: %d bytes, first %d, and not the same", len(again), len(b)-4)
		}
	})
}

// Windows that hold the same have the same bytes, whatever their history.
func TestCodecCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrecision(t, "p")
		touches := drawTouches(t, "touches")
		one := windowOf(p, touches)
		other := New(p)
		cut := rapid.IntRange(0, len(touches)).Draw(t, "cut")
		a, b := windowOf(p, touches[:cut]), windowOf(p, touches[cut:])
		other.Merge(&b)
		other.Merge(&a)
		if !bytes.Equal(one.AppendBinary(nil), other.AppendBinary(nil)) {
			t.Fatalf("equal windows, different bytes")
		}
	})
}

func TestDecodeWindowRefuses(t *testing.T) {
	w := windowOf(StatePrecision, []touch{{1, day0}, {2, day0 + 3}})
	good := w.AppendBinary(nil)
	big := New(StatePrecision)
	for i := range uint64(3000) {
		big.Insert(mix(i), day0+uint32(i%9))
	}
	matrix := big.AppendBinary(nil)
	// The same records, in a form whose oldest minute no record has.
	out := bitWriter{out: binary.AppendUvarint([]byte{codecVersion, StatePrecision, 2}, uint64(stored(day0)-1))}
	out.bits(3, widthBits)
	shift := riceShift(keyBits, 2)
	out.rice(w.list[0].key(), shift)
	out.bits(uint64(w.list[0].minute()-stored(day0)+1), 3)
	out.rice(w.list[1].key()-w.list[0].key()-1, shift)
	out.bits(uint64(w.list[1].minute()-stored(day0)+1), 3)
	older := out.close()
	cases := map[string]struct {
		in   []byte
		want error
	}{
		"nothing":             {nil, wire.ErrCorrupt},
		"one byte":            {good[:1], wire.ErrCorrupt},
		"another version":     {append([]byte{codecVersion - 1}, good[1:]...), wire.ErrCorrupt},
		"too low a precision": {[]byte{codecVersion, StatePrecision - 1, 0}, wire.ErrCorrupt},
		"precision 15":        {[]byte{codecVersion, 15, 0}, wire.ErrCorrupt},
		"too many records":    {[]byte{codecVersion, StatePrecision, 0x81, 8, 1, 0}, wire.ErrCorrupt},
		"list cut short":      {good[:len(good)-1], wire.ErrCorrupt},
		"matrix cut short":    {matrix[:len(matrix)/2], wire.ErrCorrupt},
		"matrix of nothing":   {[]byte{codecVersion, StatePrecision | matrixFlag, 1, 0}, wire.ErrCorrupt},
		"older than oldest":   {older, wire.ErrCorrupt},
		"long form of zero":   {[]byte{codecVersion, StatePrecision, 0x80, 0}, wire.ErrCorrupt},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got, _, err := DecodeWindow(c.in); !errors.Is(err, c.want) || !got.Empty() {
				t.Fatalf("error %v, want %v; empty %v", err, c.want, got.Empty())
			}
		})
	}
}

func FuzzDecodeWindow(f *testing.F) {
	for _, n := range []uint64{0, 1, 5, 1024, 1025, 9000} {
		for _, p := range []uint8{StatePrecision, 13, PartialPrecision} {
			w := New(p)
			for i := range n {
				w.Insert(mix(i), day0+uint32(i*7%90_000))
			}
			f.Add(w.AppendBinary(nil))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		w, rest, err := DecodeWindow(b)
		if err != nil {
			return
		}
		if again := w.AppendBinary(nil); !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Fatalf("took a form that is not canonical: %x, would write %x", b, again)
		}
		w.Insert(mix(1), day0)
		c := w.Clone()
		w.Merge(&c)
		w.Count(day0)
		w.FirstTouch(&c)
		w.Expire(day0 + 1)
	})
}
