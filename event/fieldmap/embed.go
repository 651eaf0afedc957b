package fieldmap

import (
	"strings"
	"unicode/utf8"

	"github.com/weirhq/weir/event"
)

// embedded is a text that holds something more, and the paths that step into it.
type embedded struct {
	slot, list int    // where the text is kept; one of them is -1
	forms      []form // what makes JSON of it, one after the other
	root       *node
}

// unfold reads the texts that hold something more, and scans what they hold as if
// it stood in their place.
func (d *Decoder) unfold() {
	for i := range d.f.pattern.embeds {
		e := &d.f.pattern.embeds[i]
		if e.slot >= 0 {
			d.unfoldValue(e, d.s.slots[e.slot])
			continue
		}
		for k := range d.s.lists[e.list] {
			d.unfoldValue(e, d.s.lists[e.list][k])
		}
	}
}

// unfoldValue scans what one text holds. An object or list is what it is.
func (d *Decoder) unfoldValue(e *embedded, v value) {
	switch v.kind {
	case object, array:
		d.s.value(v.lo, e.root, 0)
	case text:
		if v.lo == v.hi {
			return
		}
		s := string(appendUnescaped(nil, d.buf[v.lo:v.hi]))
		at, ok := d.embed(s, e.forms)
		if !ok {
			d.ev.Notes |= event.FieldDropped
			return
		}
		d.s.b = d.buf
		d.s.value(at, e.root, 0)
	}
}

// embed appends what a text holds to the value at hand, and returns where; false if
// it is not JSON in the end.
func (d *Decoder) embed(s string, forms []form) (at int, ok bool) {
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
	inner.reset(d.buf[from:], checkOnly)
	if !inner.document(checkOnly) {
		d.buf = d.buf[:from]
		return 0, false
	}
	return d.space(from), true
}

// checkOnly is the pattern that keeps nothing.
var checkOnly = newPattern()
