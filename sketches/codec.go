package sketches

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/weirhq/weir/internal/wire"
)

// The binary form of a window:
//
//	byte     version, 1
//	byte     precision; plus 128 for a matrix
//
// A list goes on with
//
//	uvarint  number of records, at most 1,024; nothing follows a zero
//	uvarint  the oldest minute since 2000
//	bits     5: width of the minutes; then for each record, by rising key, the
//	         gap from the key before as a Rice code, and minute less oldest
//
// A matrix goes on with
//
//	uvarint  the oldest minute since 2000
//	bits     5: the highest rank; then each rank's column: p+1: cells hit; and
//	         if any, 5: width of the column's oldest less the oldest of all,
//	         and that; 5: width of the minutes; which registers (see column);
//	         and for each, minute less the column's oldest
//
// Bits are written lowest first and padded with zeros to a byte. Each width is
// the least that will do, so that a window has one form only, and the decoder
// takes no other: equal windows are equal bytes.
const (
	codecVersion = 2
	matrixFlag   = 0x80
	widthBits    = 5 // enough for a width of 26
)

// AppendBinary appends the window's canonical form: windows that hold the same
// append the same bytes, whatever their history.
func (w *Window) AppendBinary(b []byte) []byte {
	if w.matrix != nil {
		return w.matrix.appendBinary(append(b, codecVersion, w.Precision()|matrixFlag))
	}
	b = append(b, codecVersion, w.Precision())
	b = binary.AppendUvarint(b, uint64(len(w.list)))
	if len(w.list) == 0 {
		return b
	}
	lo, hi := minuteRange(w.list)
	out := bitWriter{out: binary.AppendUvarint(b, uint64(lo))}
	width := uint(bits.Len32(hi - lo))
	out.bits(uint64(width), widthBits)
	shift, next := riceShift(keyBits, len(w.list)), uint64(0)
	for _, e := range w.list {
		out.rice(e.key()-next, shift)
		out.bits(uint64(e.minute()-lo), width)
		next = e.key() + 1
	}
	return out.close()
}

// DecodeWindow reads one window from the front of b and returns what follows
// it. It takes canonical forms only, keeps nothing of b, and holds at most 4 MB
// at any time, whatever b says: a window of the highest precision with every
// cell hit takes half of that.
func DecodeWindow(b []byte) (w Window, rest []byte, err error) {
	r := wire.NewReader(b)
	r.Version(codecVersion)
	form := r.Byte()
	p := form &^ matrixFlag
	if p < minPrecision || p > maxPrecision {
		r.Fail(fmt.Sprintf("precision %d", p))
	}
	if err := r.Err(); err != nil {
		return Window{}, nil, fmt.Errorf("decoding a window: %w", err)
	}
	w = New(p)
	if form == p {
		w.list = readList(&r)
	} else {
		w.matrix = readMatrix(&r, p)
	}
	if err := r.Err(); err != nil {
		return Window{}, nil, fmt.Errorf("decoding a window: %w", err)
	}
	return w, r.Rest(), nil
}

// notCanonical is what is wrong with bits that no encoder writes.
const notCanonical = "not the canonical form of a sketch"

func readList(r *wire.Reader) []Entry {
	n := r.CountUpTo(ExactLimit)
	if n == 0 {
		return nil
	}
	lo := r.Uvarint()
	if lo == 0 || lo > lastMinute || n > 8*r.Len() {
		r.Fail(notCanonical)
		return nil
	}
	in := bitReader{in: r.Rest()}
	minutes := span{lo: uint32(lo), width: uint(in.bits(widthBits))}
	list := grow(nil, n)
	shift, next := riceShift(keyBits, n), uint64(0)
	for range n {
		if next == 1<<keyBits || in.failed() {
			break
		}
		key := next + in.rice(shift, 1<<keyBits-1-next)
		list = append(list, pack(key, minutes.read(&in)))
		next = key + 1
	}
	bytes, ok := in.close()
	if !ok || len(list) < n || !minutes.canonical() {
		r.Fail(notCanonical)
		return nil
	}
	r.Take(bytes)
	return list
}

// span reads minutes written as differences from their oldest, and tells
// whether oldest and width were chosen as the encoder chooses them.
type span struct {
	lo       uint32
	width    uint
	oldest   bool // the oldest was read
	greatest uint32
}

func (s *span) read(in *bitReader) uint32 {
	d := uint32(in.bits(min(s.width, minuteBits)))
	s.oldest = s.oldest || d == 0
	s.greatest = max(s.greatest, d)
	if d > lastMinute-s.lo {
		in.bad = true
		return s.lo
	}
	return s.lo + d
}

func (s *span) canonical() bool {
	return s.oldest && uint(bits.Len32(s.greatest)) == s.width
}
