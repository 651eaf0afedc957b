package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"testing"
)

// all is one value of each kind that can be written.
type all struct {
	flag  bool
	small float32
	large float64
	text  string
	raw   []byte
	list  []int64
	tail  []int64
	names map[string]string
	maybe *float64
}

func (a *all) append(b []byte) []byte {
	b = AppendBool(append(b, 7), a.flag)
	b = AppendFloat64(AppendFloat32(b, a.small), a.large)
	b = AppendBytes(AppendText(b, a.text), a.raw)
	b = AppendList(b, a.list, func(b []byte, v *int64) []byte { return binary.AppendVarint(b, *v) })
	b = AppendVarints(b, a.tail...)
	return AppendOptional(AppendOptional(AppendTextMap(b, a.names), a.maybe), nil)
}

func (a *all) read(r *Reader) {
	r.Version(7)
	a.flag, a.small, a.large = r.Bool(), r.Float32(), r.Float64()
	a.text, a.raw = r.Text(), r.Bytes()
	a.list = List(r, r.Varint)
	a.tail = []int64{r.Varint(), r.Varint()}
	a.names, a.maybe = r.TextMap(), r.Optional()
	if r.Optional() != nil {
		r.Fail("a number where none was written")
	}
}

func TestRoundTripAndCuts(t *testing.T) {
	share := 0.25
	want := all{true, -1.5, math.MaxFloat64, "한국", []byte{0, 255}, []int64{0, -1, math.MinInt64, math.MaxInt64}, []int64{-64, 64},
		map[string]string{"b": "2", "a": "", "c": "3"}, &share}
	b := want.append(nil)
	var got all
	r := NewReader(b)
	got.read(&r)
	if err := r.End(); err != nil {
		t.Fatal(err)
	}
	if again := got.append(nil); !bytes.Equal(again, b) || got.text != want.text || !slices.Equal(got.list, want.list) ||
		!maps.Equal(got.names, want.names) || *got.maybe != share {
		t.Errorf("read %+v, written %+v", got, want)
	}
	for n := range b {
		r := NewReader(b[:n])
		new(all).read(&r)
		if err := r.End(); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut to %d of %d bytes: error %v", n, len(b), err)
		}
	}
	longer := NewReader(append(b, 0))
	new(all).read(&longer)
	if err := longer.End(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte too many: error %v", err)
	}
}

func TestRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(-1)
	for name, c := range map[string]struct {
		in   []byte
		read func(r *Reader)
	}{
		"another version":           {[]byte{2}, func(r *Reader) { r.Version(1) }},
		"a number of 11 bytes":      {bytes.Repeat([]byte{0x80}, 11), func(r *Reader) { r.Uvarint() }},
		"a long form of zero":       {[]byte{0x80, 0}, func(r *Reader) { r.Uvarint() }},
		"not a number":              {AppendFloat64(nil, nan), func(r *Reader) { r.Float64() }},
		"infinity":                  {AppendFloat32(nil, float32(inf)), func(r *Reader) { r.Float32() }},
		"neither yes nor no":        {[]byte{2}, func(r *Reader) { r.Bool() }},
		"a text beyond the end":     {[]byte{2, 'a'}, func(r *Reader) { r.Text() }},
		"a text beyond its limit":   {[]byte{2, 'a', 'b'}, func(r *Reader) { r.TextUpTo(1) }},
		"a list beyond the end":     {[]byte{2, 0}, func(r *Reader) { List(r, r.Byte) }},
		"names out of order":        {[]byte{2, 1, 'b', 0, 1, 'a', 0}, func(r *Reader) { r.TextMap() }},
		"a name twice":              {[]byte{2, 1, 'a', 0, 1, 'a', 0}, func(r *Reader) { r.TextMap() }},
		"a list beyond its limit":   {[]byte{2, 0, 0}, func(r *Reader) { r.CountUpTo(1) }},
		"a list of 2^63":            {binary.AppendUvarint(nil, 1<<63), func(r *Reader) { r.Count() }},
		"a fault of the value read": {nil, func(r *Reader) { Decode(r, func([]byte) (int, []byte, error) { return 1, nil, ErrCorrupt }) }},
	} {
		r := NewReader(c.in)
		c.read(&r)
		first := r.Err()
		if !errors.Is(first, ErrCorrupt) {
			t.Errorf("%s: error %v", name, first)
		}
		if r.Fail("later"); r.Len() != 0 || r.Uint64() != 0 || r.Text() != "" || r.Err() != first {
			t.Errorf("%s: after the fault there is still something to read, or another fault: %v", name, r.Err())
		}
	}
}

// A length that is a lie makes no large allocation.
func TestHostileLengths(t *testing.T) {
	b := binary.AppendUvarint(nil, 1<<40)
	for name, read := range map[string]func(r *Reader){
		"text": func(r *Reader) { r.Text() }, "bytes": func(r *Reader) { r.Bytes() }, "list": func(r *Reader) { List(r, r.Uint64) },
	} {
		if n := testing.AllocsPerRun(10, func() { r := NewReader(b); read(&r) }); n > 20 {
			t.Errorf("%s: %v allocations", name, n)
		}
		r := NewReader(b)
		if read(&r); r.Err() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
