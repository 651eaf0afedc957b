package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrCorrupt is wrapped by every error about bytes that are not the form which
// this version of weir writes.
var ErrCorrupt = errors.New("corrupt, or written by another version of weir")

// Reader takes bytes apart, from the front. After the first fault every read
// returns zero, so that a decoder checks Err once, at its end. A decoder that
// repeats something as often as the bytes say checks it in the loop too.
type Reader struct {
	b   []byte // not read yet; empty after a fault
	err error
}

// NewReader returns a reader of b. It does not change b.
func NewReader(b []byte) Reader { return Reader{b: b} }

// Err returns the first fault, nil if there was none. It wraps ErrCorrupt.
func (r *Reader) Err() error { return r.err }

// Rest returns the bytes that were not read yet.
func (r *Reader) Rest() []byte { return r.b }

// Len returns how many bytes were not read yet.
func (r *Reader) Len() int { return len(r.b) }

// Fail notes a fault, unless there was one before.
func (r *Reader) Fail(what string) { r.stop(fmt.Errorf("%s: %w", what, ErrCorrupt)) }

func (r *Reader) stop(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

// End returns the first fault; bytes that were not read are one.
func (r *Reader) End() error {
	if len(r.b) > 0 {
		r.Fail(fmt.Sprintf("%d bytes too many", len(r.b)))
	}
	return r.err
}

// Version reads a byte, which must be want.
func (r *Reader) Version(want byte) {
	if got := r.Byte(); r.err == nil && got != want {
		r.Fail(fmt.Sprintf("version %d, where this program reads %d", got, want))
	}
}

// errShort is made beforehand, so that the reads that note it can be inlined.
var errShort = fmt.Errorf("cut short: %w", ErrCorrupt)

// Byte reads a byte.
func (r *Reader) Byte() byte {
	if len(r.b) == 0 {
		r.stop(errShort)
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// Uint16 reads a word of two bytes.
func (r *Reader) Uint16() uint16 {
	if len(r.b) < 2 {
		r.stop(errShort)
		return 0
	}
	v := binary.LittleEndian.Uint16(r.b)
	r.b = r.b[2:]
	return v
}

// Uint32 reads a word of four bytes.
func (r *Reader) Uint32() uint32 {
	if len(r.b) < 4 {
		r.stop(errShort)
		return 0
	}
	v := binary.LittleEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

// Uint64 reads a word of eight bytes.
func (r *Reader) Uint64() uint64 {
	if len(r.b) < 8 {
		r.stop(errShort)
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

// Uvarint reads an unsigned varint. A longer form of the same number is a
// fault, so that equal values are equal bytes.
func (r *Reader) Uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 { // most are
		v := uint64(r.b[0])
		r.b = r.b[1:]
		return v
	}
	return r.long()
}

// long is Uvarint for numbers of several bytes.
func (r *Reader) long() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || r.b[n-1] == 0 {
		r.Fail("a number that is cut short, too large, or not in its shortest form")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Varint reads a signed varint, in its shortest form.
func (r *Reader) Varint() int64 {
	u := r.Uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// Float32 reads a number of four bytes; one that is not finite is a fault.
func (r *Reader) Float32() float32 {
	v := math.Float32frombits(r.Uint32())
	if wide := float64(v); math.IsNaN(wide) || math.IsInf(wide, 0) {
		r.Fail("a number that is not finite")
		return 0
	}
	return v
}

// Float64 reads a number of eight bytes; one that is not finite is a fault.
func (r *Reader) Float64() float64 {
	v := math.Float64frombits(r.Uint64())
	if math.IsNaN(v) || math.IsInf(v, 0) {
		r.Fail("a number that is not finite")
		return 0
	}
	return v
}

// Bool reads a byte, which must be 0 or 1.
func (r *Reader) Bool() bool {
	v := r.Byte()
	if v > 1 {
		r.Fail("neither yes nor no")
	}
	return v == 1
}

// Bytes reads a length and that many bytes, which alias those of the reader.
func (r *Reader) Bytes() []byte { return r.Take(r.Uvarint()) }

// Take reads n bytes, which alias those of the reader.
func (r *Reader) Take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.Fail("a length beyond the end")
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// Text reads a length and a string of so many bytes.
func (r *Reader) Text() string { return string(r.Bytes()) }

// TextUpTo reads a string of at most limit bytes.
func (r *Reader) TextUpTo(limit int) string {
	v := r.Bytes()
	if len(v) > limit {
		r.Fail(fmt.Sprintf("a name of %d bytes, at most %d", len(v), limit))
		return ""
	}
	return string(v)
}

// Count reads the length of a list whose elements take at least one byte each.
func (r *Reader) Count() int {
	n := r.Uvarint()
	if n > uint64(len(r.b)) {
		r.Fail("a count beyond the end")
		return 0
	}
	return int(n)
}

// CountUpTo reads the length of a list of at most limit elements.
func (r *Reader) CountUpTo(limit int) int {
	n := r.Uvarint()
	if n > uint64(limit) {
		r.Fail(fmt.Sprintf("a list of %d, at most %d", n, limit))
		return 0
	}
	return int(n)
}

// List reads what AppendList wrote, by each; nil if there is a fault in it.
func List[T any](r *Reader, each func() T) (list []T) {
	for range r.Count() {
		list = append(list, each())
		if r.err != nil {
			return nil
		}
	}
	return list
}

// TextMap reads what AppendTextMap wrote; nil of an empty map. Keys that are not
// in ascending order are a fault.
func (r *Reader) TextMap() (m map[string]string) {
	last := ""
	for i := range r.Count() {
		key := r.Text()
		if i > 0 && key <= last {
			r.Fail("names that are not in order")
		}
		if r.err != nil {
			return nil
		}
		if m == nil {
			m = map[string]string{}
		}
		m[key], last = r.Text(), key
	}
	return m
}

// Optional reads what AppendOptional wrote.
func (r *Reader) Optional() *float64 {
	if !r.Bool() {
		return nil
	}
	v := r.Float64()
	return &v
}

// Decode reads a value by the decoder of its type, which returns the bytes that
// follow the value.
func Decode[T any](r *Reader, decode func(b []byte) (T, []byte, error)) (v T) {
	if r.err != nil {
		return v
	}
	v, rest, err := decode(r.b)
	if err != nil {
		r.stop(err)
		return v
	}
	r.b = rest
	return v
}
