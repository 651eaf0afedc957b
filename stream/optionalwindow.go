package stream

import (
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// AppendOptionalWindow writes a window that is often empty.
func AppendOptionalWindow(b []byte, w *sketches.Window) []byte {
	if w.Empty() {
		return append(b, windowEmpty)
	}
	return w.AppendBinary(append(b, windowGeneral))
}

// ReadOptionalWindow reads what AppendOptionalWindow wrote.
func ReadOptionalWindow(r *wire.Reader) (w sketches.Window) {
	switch r.Byte() {
	case windowEmpty:
	case windowGeneral:
		return wire.Decode(r, sketches.DecodeWindow)
	default:
		r.Fail("unknown form of a window")
	}
	return w
}
