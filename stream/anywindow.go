package stream

import (
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// AppendAnyWindow writes a window that is often empty.
func AppendAnyWindow(b []byte, w *sketches.Window) []byte {
	if w.Empty() {
		return append(b, windowEmpty)
	}
	return w.AppendBinary(append(b, windowGeneral))
}

func ReadAnyWindow(r *wire.Reader) (w sketches.Window) {
	switch r.Byte() {
	case windowEmpty:
	case windowGeneral:
		return wire.Decode(r, sketches.DecodeWindow)
	default:
		r.Fail("unknown form of a window")
	}
	return w
}
