package fieldmap

import (
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/event/textform"
)

// stage is a step on the way from a whole value to the events in it: what is taken
// of the value at hand, and where it may go on.
type stage struct {
	depth    int // stages before it
	pattern  *jsonscan.Pattern
	branches []branch
	imports  []imported
	required bool // a value without any of the branches is no event itself
}

// branch leads from the value of a stage to those of the next.
type branch struct {
	path string
	slot int    // where the next value, or the list of the next, is kept
	each bool   // a list, each element of which is a next value
	next *stage // nil where the next value is the event
}

// imported is a value of a stage that an event refers to.
type imported struct {
	from, to int // slots, or lists
	list     bool
}

// envelope decodes the value at from as an envelope, or as a list of values, or as
// an event, which it may be too.
func (d *Decoder) envelope(from int) {
	if from < len(d.buf) && d.buf[from] == '[' && !d.f.takesList() {
		d.s.Reset(d.buf, checkOnly)
		if !d.s.Document(checkOnly) {
			d.reject(d.s.Reason, "", d.s.At)
			return
		}
		d.index = 0
		d.each(from, func(at int) { d.walk(d.f.entry, at) })
		return
	}
	s := d.enter(d.f.entry)
	if !s.Document(d.f.entry.pattern) {
		d.reject(s.Reason, "", s.At)
		return
	}
	d.branch(d.f.entry, from)
}

// takesList reports whether a list at the top is an envelope of the format.
func (f *Format) takesList() bool {
	return f.entry != nil && len(f.entry.branches) == 1 && f.entry.branches[0].path == ""
}

// each calls do with where each element of the list at from begins.
func (d *Decoder) each(from int, do func(at int)) {
	s := &d.aside
	for i := d.space(from + 1); d.buf[i] != ']'; {
		do(i)
		// The list was scanned already: this cannot fail.
		s.B = d.buf
		i = d.space(s.Value(i, nil, 0))
		if d.buf[i] == ',' {
			i = d.space(i + 1)
		}
	}
}

// space returns the first index from i on that is not white space.
func (d *Decoder) space(i int) int {
	s := jsonscan.Scanner{B: d.buf}
	return s.Space(i)
}

// walk goes on from the value at from, of which a stage is given, to the events in
// it; without a stage it is an event.
func (d *Decoder) walk(st *stage, from int) {
	if st == nil {
		d.reached(from)
		return
	}
	d.enter(st).Value(from, &st.pattern.Root, 0)
	d.branch(st, from)
}

// enter readies the scanner of a stage, the next on the way.
func (d *Decoder) enter(st *stage) *jsonscan.Scanner {
	for len(d.outer) <= st.depth {
		d.outer = append(d.outer, jsonscan.Scanner{})
	}
	d.way = append(d.way[:st.depth], st)
	s := &d.outer[st.depth]
	s.Reset(d.buf, st.pattern)
	return s
}

// branch goes on from a value that its stage has scanned.
func (d *Decoder) branch(st *stage, from int) {
	for i := range st.branches {
		if d.follow(st, &st.branches[i]) {
			return
		}
	}
	if st.required {
		d.reject(event.NoMap, st.branches[0].path, -1)
		d.next()
		return
	}
	d.reached(from)
}

// follow goes along a branch; false if the value has nothing there.
func (d *Decoder) follow(st *stage, b *branch) bool {
	s := &d.outer[st.depth]
	v := s.Slots[b.slot]
	if v.Kind <= jsonscan.Null || b.path == "" && v.Kind == jsonscan.Object {
		return false
	}
	if s.Dup { // of two lists, neither may be passed over
		d.reject(event.WrongType, b.path, -1)
		d.next()
		return true
	}
	at, ok := d.held(v)
	switch {
	case !ok || b.each && d.buf[at] != '[':
		d.reject(event.WrongType, b.path, -1)
		d.next()
	case b.each:
		d.index = max(d.index, 0)
		d.each(at, func(at int) { d.step(b.next, at) })
	case d.buf[at] == '[' && b.next == nil:
		d.index = max(d.index, 0)
		d.each(at, func(at int) { d.step(nil, at) })
	default:
		d.step(b.next, at)
	}
	return true
}

// step goes on with a value that a branch has led to: a text is what it holds.
func (d *Decoder) step(next *stage, at int) {
	if d.buf[at] == '"' {
		s := &d.aside
		s.B = d.buf
		end := s.Value(at, nil, 0)
		held, ok := d.held(jsonscan.Value{Lo: at + 1, Hi: end - 1, Kind: jsonscan.Text, Escaped: true})
		if !ok {
			d.reject(event.NotJSON, "", -1)
			d.next()
			return
		}
		at = held
	}
	d.walk(next, at)
}

// held returns where the object or list begins that a value is or, as a text, holds.
func (d *Decoder) held(v jsonscan.Value) (at int, ok bool) {
	switch v.Kind {
	case jsonscan.Object, jsonscan.Array:
		return v.Lo, true
	case jsonscan.Text:
		d.scratch = jsonscan.AppendUnescaped(d.scratch[:0], d.buf[v.Lo:v.Hi])
		s := string(d.scratch)
		for _, forms := range carried {
			if at, ok := d.embed(s, forms); ok && (d.buf[at] == '{' || d.buf[at] == '[') {
				return at, true
			}
		}
	}
	return 0, false
}

// carried are the forms in which an envelope carries an event as a text.
var carried = [][]jsonscan.Form{{textform.JSON}, {textform.Base64, textform.JSON}, {textform.Base64, textform.Gzip, textform.JSON}}

// reached makes the event of the value at from.
func (d *Decoder) reached(from int) {
	d.s.Reset(d.buf, d.f.pattern)
	for _, st := range d.way {
		d.bring(st.imports, &d.outer[st.depth])
	}
	// The value was scanned already: this cannot fail.
	end := d.s.Value(from, &d.f.pattern.Root, 0)
	if end-from > event.MaxValue {
		d.reject(event.TooLarge, "", -1)
	} else {
		d.event(from)
	}
	d.next()
}

// bring copies what an event refers to from a stage of its envelope.
func (d *Decoder) bring(imports []imported, from *jsonscan.Scanner) {
	for _, im := range imports {
		if im.list {
			d.s.Lists[im.to] = append(d.s.Lists[im.to][:0], from.Lists[im.from]...)
		} else {
			d.s.Slots[im.to] = from.Slots[im.from]
		}
	}
}

// next counts an event of an envelope.
func (d *Decoder) next() {
	if d.index >= 0 {
		d.index++
	}
}
