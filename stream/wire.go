package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrCorrupt is wrapped by every error about bytes that are not what this
// version of weir writes.
var ErrCorrupt = errors.New("not a record of this version of weir")

// reader takes a record apart. The first fault sticks; every later read gives
// zero values, so that callers check once.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w", what, ErrCorrupt)
	}
	r.b = nil
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail("short or oversized number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail("short or oversized number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail("short record")
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// bytes reads a length and that many bytes; they alias the record.
func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail("length beyond the record")
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// count reads the length of a list whose elements take at least one byte each,
// so that a hostile length cannot make a large allocation.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail("count beyond the record")
		return 0
	}
	return int(n)
}

// version checks the leading byte.
func (r *reader) version(want byte) {
	if got := r.byte(); r.err == nil && got != want {
		r.fail(fmt.Sprintf("version %d, want %d", got, want))
	}
}

func appendBytes(b, v []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func appendString(b []byte, v string) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func appendVarints(b []byte, list ...int64) []byte {
	for _, v := range list {
		b = binary.AppendVarint(b, v)
	}
	return b
}

// appendList writes how many there are and then each of them.
func appendList[T any](b []byte, list []T, each func(b []byte, v *T) []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for i := range list {
		b = each(b, &list[i])
	}
	return b
}

// readList reads what appendList wrote; nil where the record ends too early.
func readList[T any](r *reader, each func() T) (list []T) {
	for range r.count() {
		list = append(list, each())
		if r.err != nil {
			return nil
		}
	}
	return list
}

func appendFloat(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

func (r *reader) float() float64 { return math.Float64frombits(r.uint64()) }
