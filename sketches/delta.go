package sketches

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
)

// The binary form of what has changed in a window since another stage of it,
// its base:
//
//	byte     version, 1
//	byte     kind: 0 the whole window follows, 1 what has changed
//	8 bytes  FNV-1a of the base's canonical form, big endian
//
// and then the form of a Window, or
//
//	uvarint  the minute since 2000 before which the base forgets; 0 if it
//	         forgets nothing
//	window   the records or cells that are new or later than in the base, in
//	         the form of a Window; an empty list if there are none
//
// The whole window is written where that is not longer, and where forgetting
// and merging would not make the window of its base.
const (
	deltaVersion = 1
	deltaWhole   = 0
	deltaChange  = 1
	deltaHeader  = 2 + 8
)

// ErrBase is wrapped by the error of a delta that was made from another base.
var ErrBase = errors.New("another base")

// AppendDelta appends what ApplyDelta needs to turn base into w: some dozens
// of bytes for a tick of some records, where the whole of w may be 20 KB, and
// never more than ten bytes longer than the whole. base is an earlier stage of
// the same identity, such as the one last written, though any will do; neither
// is changed. Equal windows and equal bases append equal bytes. It takes some
// three times as long as AppendBinary.
func (w *Window) AppendDelta(b []byte, base *Window) []byte {
	from, whole := base.AppendBinary(nil), w.AppendBinary(nil)
	b = append(b, deltaVersion, deltaWhole)
	b = binary.BigEndian.AppendUint64(b, check(from))
	if before, changed, ok := w.since(base); ok {
		after := base.Clone()
		after.forget(before)
		after.Merge(&changed)
		if bytes.Equal(after.AppendBinary(nil), whole) {
			n := len(b)
			b = changed.AppendBinary(binary.AppendUvarint(b, uint64(before)))
			if len(b)-n < len(whole) {
				b[n-deltaHeader+1] = deltaChange
				return b
			}
			b = b[:n]
		}
	}
	return append(b, whole...)
}

// ApplyDelta turns w, which must be the base that the delta was made from, into
// the window that it was made for, and returns what follows the delta in b. Like
// the other decoders it takes only what AppendDelta writes, and keeps nothing of
// b. On error w is unchanged.
func (w *Window) ApplyDelta(b []byte) (rest []byte, err error) {
	if len(b) < deltaHeader {
		return nil, fmt.Errorf("applying a delta: %w: %d bytes", ErrCorrupt, len(b))
	}
	if b[0] != deltaVersion {
		return nil, fmt.Errorf("applying a delta: %w %d, want %d", ErrVersion, b[0], deltaVersion)
	}
	if check(w.AppendBinary(nil)) != binary.BigEndian.Uint64(b[2:]) {
		return nil, fmt.Errorf("applying a delta: %w: it was made from a window that is not this one; read the last whole one and the deltas since, in order", ErrBase)
	}
	var after Window
	switch rest = b[deltaHeader:]; b[1] {
	case deltaWhole:
		after, rest, err = DecodeWindow(rest)
	case deltaChange:
		after, rest, err = w.changed(rest)
	default:
		err = fmt.Errorf("%w: kind %d", ErrCorrupt, b[1])
	}
	if err != nil {
		return nil, fmt.Errorf("applying a delta: %w", err)
	}
	if again := after.AppendDelta(nil, w); !bytes.Equal(again, b[:len(b)-len(rest)]) {
		return nil, fmt.Errorf("applying a delta: %w", ErrCorrupt)
	}
	*w = after
	return rest, nil
}

// changed returns what the second kind of delta makes of w.
func (w *Window) changed(b []byte) (after Window, rest []byte, err error) {
	before, b, ok := uvarint(b)
	if !ok || before > lastMinute {
		return Window{}, nil, fmt.Errorf("%w: minute", ErrCorrupt)
	}
	changed, rest, err := DecodeWindow(b)
	if err != nil {
		return Window{}, nil, err
	}
	after = w.Clone()
	after.forget(uint32(before))
	after.Merge(&changed)
	return after, rest, nil
}

// check is the checksum of a base's canonical form.
func check(form []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(form) // never fails
	return h.Sum64()
}

// since returns the entries of w that base lacks or has of an earlier minute,
// and the oldest minute of w if base has entries that w lacks, else 0. It is
// not ok if the two are not of one form and precision.
func (w *Window) since(base *Window) (before uint32, changed Window, ok bool) {
	p := w.Precision()
	if base.Precision() != p || (base.matrix == nil) != (w.matrix == nil) {
		return 0, Window{}, false
	}
	changed = New(p)
	if w.matrix == nil {
		for _, e := range w.list {
			if i := search(base.list, e.key()); i == len(base.list) || base.list[i] != e {
				changed.list = append(changed.list, e)
			}
		}
		if missing(w.list, base.list) > 0 && len(w.list) > 0 {
			before, _ = minuteRange(w.list)
		}
		return before, changed, true
	}
	cells := feed{m: newMatrix(p)}
	any, lost, oldest := false, false, uint32(lastMinute)
	w.matrix.eachCell(func(reg, rank, minute uint32) {
		oldest = min(oldest, minute)
		if base.matrix.at(reg, rank) != minute {
			any = true
			cells.put(reg, rank, minute)
		}
	})
	cells.flush()
	base.matrix.eachCell(func(reg, rank, _ uint32) { lost = lost || w.matrix.at(reg, rank) == 0 })
	if any {
		changed.matrix = cells.m
	}
	if lost {
		before = oldest
	}
	return before, changed, true
}
