package sketches

import (
	"fmt"
	"math/bits"

	"github.com/weirhq/weir/internal/wire"
)

// The form of a tick is for windows of which both sides know when their touches
// began: those of one tick of event time. Most hold a record or two, so it
// leaves out what the other form spends most on.
//
// A list is
//
//	bits     4: width of the offsets; then for each record, by rising key, the
//	         gap from the key before as a Rice code, and its minute less start
//
// and its length stands outside, since nearly always it is one.

// offsetBits is enough for offsets of 15 bits: ticks of up to three weeks.
const offsetBits = 4

// Listed returns how many records the window holds if AppendTick can write it:
// if it is a list and all its minutes are start or a little later. Else it
// returns zero.
func (w *Window) Listed(start uint32) int {
	if w.matrix != nil || len(w.list) == 0 {
		return 0
	}
	lo, hi := minuteRange(w.list)
	if from := stored(start); lo < from || hi-from >= 1<<15 {
		return 0
	}
	return len(w.list)
}

// AppendTick appends the form of a tick that began at the Unix minute start. The
// window must be Listed; the reader must know both start and the number of
// records.
func (w *Window) AppendTick(b []byte, start uint32) []byte {
	from := stored(start)
	_, hi := minuteRange(w.list)
	width := uint(bits.Len32(hi - from))
	out := bitWriter{out: b}
	out.bits(uint64(width), offsetBits)
	shift, next := riceShift(keyBits, len(w.list)), uint64(0)
	for _, e := range w.list {
		out.rice(e.key()-next, shift)
		out.bits(uint64(e.minute()-from), width)
		next = e.key() + 1
	}
	return out.close()
}

// DecodeTick reads what AppendTick wrote of n records, into a window of the
// given precision, and returns what follows. It takes canonical forms only and
// keeps nothing of b.
func DecodeTick(b []byte, precision uint8, start uint32, n int) (w Window, rest []byte, err error) {
	var list []Entry
	if n >= 1 && n <= ExactLimit && n <= 2*len(b) {
		list = make([]Entry, 0, n)
	}
	return DecodeTickInto(list, b, precision, start, n)
}

// DecodeTickInto is DecodeTick for a window whose list is written to a list that has
// room for it, and is taken over.
func DecodeTickInto(list []Entry, b []byte, precision uint8, start uint32, n int) (w Window, rest []byte, err error) {
	w = New(precision)
	list = list[:0]
	rest, err = readTick(b, start, n, func(e Entry) { list = append(list, e) })
	if err == nil {
		w.list = list[:len(list):len(list)]
	}
	return w, rest, err
}

// SkipTick checks what DecodeTick would read, and returns what follows.
func SkipTick(b []byte, start uint32, n int) (rest []byte, err error) {
	return readTick(b, start, n, func(Entry) {})
}

// errTick is made beforehand, since most ticks are read to be skipped.
var errTick = fmt.Errorf("decoding a tick's window: %w", wire.ErrCorrupt)

func readTick(b []byte, start uint32, n int, yield func(Entry)) (rest []byte, err error) {
	if n < 1 || n > ExactLimit || n > 2*len(b) {
		return nil, errTick
	}
	in := bitReader{in: b}
	offsets := span{lo: stored(start), width: uint(in.bits(offsetBits)), oldest: true}
	shift, next := riceShift(keyBits, n), uint64(0)
	for range n {
		if next == 1<<keyBits {
			return nil, errTick
		}
		key := next + in.rice(shift, 1<<keyBits-1-next)
		yield(pack(key, offsets.read(&in)))
		next = key + 1
		if in.failed() {
			return nil, errTick
		}
	}
	bytes, ok := in.close()
	if !ok || !offsets.canonical() {
		return nil, errTick
	}
	return b[bytes:], nil
}

// At returns a copy of a window that is a list, with all its records as if last
// seen in the given Unix minute.
func (w *Window) At(minute uint32) Window {
	c := w.Clone()
	for i, e := range c.list {
		c.list[i] = pack(e.key(), stored(minute))
	}
	return c
}
