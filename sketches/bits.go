package sketches

import (
	"encoding/binary"
	"math/bits"
)

// bitWriter appends bits, the lowest first, to a byte slice.
type bitWriter struct {
	out []byte
	acc uint64
	n   uint // bits in acc, below 8 between calls
}

// bits appends the lowest width bits of v, width being at most 56. Higher bits
// of v must be zero.
func (w *bitWriter) bits(v uint64, width uint) {
	w.acc |= v << w.n
	w.n += width
	for w.n >= 8 {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
		w.n -= 8
	}
}

// rice appends v as a Rice code: v>>k in unary, then the lowest k bits.
func (w *bitWriter) rice(v uint64, k uint) {
	unary := v >> k
	for ; unary >= 32; unary -= 32 {
		w.bits(1<<32-1, 32)
	}
	w.bits(1<<unary-1, uint(unary)+1) // ones, then a zero
	w.bits(v&(1<<k-1), k)
}

// close pads with zeros to a whole byte and returns all that was written.
func (w *bitWriter) close() []byte {
	if w.n > 0 {
		w.out = append(w.out, byte(w.acc))
	}
	return w.out
}

// bitReader reads what bitWriter wrote. Past the end it reads zeros, which
// close tells.
type bitReader struct {
	in  []byte
	pos uint // in bits
	bad bool // a value was past its limit
}

// peek returns the next bits, at least 57 of them, with zeros past the end.
func (r *bitReader) peek() uint64 {
	i := r.pos / 8
	if i+8 <= uint(len(r.in)) {
		return binary.LittleEndian.Uint64(r.in[i:]) >> (r.pos % 8)
	}
	var last [8]byte
	if i < uint(len(r.in)) {
		copy(last[:], r.in[i:])
	}
	return binary.LittleEndian.Uint64(last[:]) >> (r.pos % 8)
}

// bits reads width bits, at most 56.
func (r *bitReader) bits(width uint) uint64 {
	v := r.peek() & (1<<width - 1)
	r.pos += width
	return v
}

// rice reads a Rice code. A value above limit is bad, and reads as zero.
func (r *bitReader) rice(k uint, limit uint64) uint64 {
	unary := uint64(0)
	for unary<<k <= limit {
		ones := uint(bits.TrailingZeros64(^r.peek()))
		if ones < 56 {
			r.pos += ones + 1
			if v := (unary+uint64(ones))<<k | r.bits(k); v <= limit {
				return v
			}
			break
		}
		unary += 56
		r.pos += 56
	}
	r.bad = true
	return 0
}

// failed reports whether anything read so far was bad or past the end.
func (r *bitReader) failed() bool { return r.bad || r.pos > 8*uint(len(r.in)) }

// close returns how many bytes were read from, and whether all was well, with
// nothing but zeros for padding.
func (r *bitReader) close() (bytes uint64, ok bool) {
	if r.failed() || r.bits(-r.pos%8) != 0 {
		return 0, false
	}
	return uint64(r.pos / 8), true
}

// riceShift returns the shift that suits the gaps between n keys below 2^width.
func riceShift(width uint, n int) uint { return width - min(width, uint(bits.Len(uint(n)))) }
