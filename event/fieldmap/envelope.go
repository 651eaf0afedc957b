package fieldmap

import (
	"github.com/weirhq/weir/event"
)

// stage is a step on the way from a whole value to the events in it: what is taken
// of the value at hand, and where it may go on.
type stage struct {
	depth    int // stages before it
	pattern  *pattern
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
		d.s.reset(d.buf, checkOnly)
		if !d.s.document(checkOnly) {
			d.reject(d.s.reason, "", d.s.at)
			return
		}
		d.index = 0
		d.each(from, func(at int) { d.walk(d.f.entry, at) })
		return
	}
	s := d.enter(d.f.entry)
	if !s.document(d.f.entry.pattern) {
		d.reject(s.reason, "", s.at)
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
		s.b = d.buf
		i = d.space(s.value(i, nil, 0))
		if d.buf[i] == ',' {
			i = d.space(i + 1)
		}
	}
}

// space returns the first index from i on that is not white space.
func (d *Decoder) space(i int) int {
	s := scanner{b: d.buf}
	return s.space(i)
}

// walk goes on from the value at from, of which a stage is given, to the events in
// it; without a stage it is an event.
func (d *Decoder) walk(st *stage, from int) {
	if st == nil {
		d.reached(from)
		return
	}
	d.enter(st).value(from, &st.pattern.root, 0)
	d.branch(st, from)
}

// enter readies the scanner of a stage, the next on the way.
func (d *Decoder) enter(st *stage) *scanner {
	for len(d.outer) <= st.depth {
		d.outer = append(d.outer, scanner{})
	}
	d.way = append(d.way[:st.depth], st)
	s := &d.outer[st.depth]
	s.reset(d.buf, st.pattern)
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
	v := s.slots[b.slot]
	if v.kind <= null || b.path == "" && v.kind == object {
		return false
	}
	if s.dup { // of two lists, neither may be passed over
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
		s.b = d.buf
		end := s.value(at, nil, 0)
		held, ok := d.held(value{lo: at + 1, hi: end - 1, kind: text, escaped: true})
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
func (d *Decoder) held(v value) (at int, ok bool) {
	switch v.kind {
	case object, array:
		return v.lo, true
	case text:
		d.scratch = appendUnescaped(d.scratch[:0], d.buf[v.lo:v.hi])
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
var carried = [][]form{{jsonForm}, {base64Form, jsonForm}, {base64Form, gzipForm, jsonForm}}

// reached makes the event of the value at from.
func (d *Decoder) reached(from int) {
	d.s.reset(d.buf, d.f.pattern)
	for _, st := range d.way {
		d.bring(st.imports, &d.outer[st.depth])
	}
	// The value was scanned already: this cannot fail.
	end := d.s.value(from, &d.f.pattern.root, 0)
	if end-from > event.MaxValue {
		d.reject(event.TooLarge, "", -1)
	} else {
		d.event(from)
	}
	d.next()
}

// bring copies what an event refers to from a stage of its envelope.
func (d *Decoder) bring(imports []imported, from *scanner) {
	for _, im := range imports {
		if im.list {
			d.s.lists[im.to] = append(d.s.lists[im.to][:0], from.lists[im.from]...)
		} else {
			d.s.slots[im.to] = from.slots[im.from]
		}
	}
}

// next counts an event of an envelope.
func (d *Decoder) next() {
	if d.index >= 0 {
		d.index++
	}
}
