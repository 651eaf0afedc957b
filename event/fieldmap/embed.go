package fieldmap

import (
	"strings"
	"unicode/utf8"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
)

// unfold reads the texts that hold something more, and scans what they hold as if
// it stood in their place.
func (d *Decoder) unfold() {
	for i := range d.f.pattern.Embeds {
		e := &d.f.pattern.Embeds[i]
		if e.Slot >= 0 {
			d.unfoldValue(e, d.s.Slots[e.Slot])
			continue
		}
		for k := range d.s.Lists[e.List] {
			d.unfoldValue(e, d.s.Lists[e.List][k])
		}
	}
}

// unfoldValue scans what one text holds. An object or list is what it is.
func (d *Decoder) unfoldValue(e *jsonscan.Embedded, v jsonscan.Value) {
	switch v.Kind {
	case jsonscan.Object, jsonscan.Array:
		d.s.Value(v.Lo, e.Root, 0)
	case jsonscan.Text:
		if v.Lo == v.Hi {
			return
		}
		s := string(jsonscan.AppendUnescaped(nil, d.buf[v.Lo:v.Hi]))
		at, ok := d.embed(s, e.Forms)
		if !ok {
			d.ev.Notes |= event.FieldDropped
			return
		}
		d.s.B = d.buf
		d.s.Value(at, e.Root, 0)
	}
}

// embed appends what a text holds to the value at hand, and returns where; false if
// it is not JSON in the end.
func (d *Decoder) embed(s string, forms []jsonscan.Form) (at int, ok bool) {
	for _, f := range forms[:len(forms)-1] {
		out, ok := f(nil, s)
		if !ok {
			return 0, false
		}
		s = string(out)
	}
	if len(d.buf)+len(s) > 2*event.MaxEnvelope {
		return 0, false
	}
	from := len(d.buf)
	out, ok := forms[len(forms)-1](d.buf, strings.TrimSpace(s))
	if !ok {
		return 0, false
	}
	d.buf = out
	if !utf8.Valid(d.buf[from:]) {
		d.buf = d.buf[:from]
		return 0, false
	}
	inner := &d.aside
	inner.Reset(d.buf[from:], checkOnly)
	if !inner.Document(checkOnly) {
		d.buf = d.buf[:from]
		return 0, false
	}
	return d.space(from), true
}

// checkOnly is the pattern that keeps nothing.
var checkOnly = jsonscan.NewPattern()
