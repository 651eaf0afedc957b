package fieldmap

import (
	"unicode/utf8"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/zerocopy"
)

// accepted stands for no reason to reject an event.
const accepted event.Reason = 255

// Decoder turns the values of one format into events. It keeps its buffers from
// call to call, so that decoding allocates nothing in the steady state. Each
// goroutine has its own.
type Decoder struct {
	f       *Format
	s       scanner
	buf     []byte // the value, kept so that events may alias it
	arena   []byte // text that is not in buf as it stands: unescaped, shortened, canonical
	scratch []byte
	ids     []string
	ev      event.Event
	rej     event.Reject
}

// NewDecoder returns a decoder of the format.
func (f *Format) NewDecoder() *Decoder { return &Decoder{f: f} }

// maxKept is the size of buffers in bytes that a decoder keeps between calls;
// what a hostile value has blown up beyond it is given back.
const maxKept = 1 << 20

// Decode hands each event of a value (a Kafka record's, a line, a document) to
// yield, in order: either the event or why it was rejected; exactly one of ev
// and rej is not nil. yield is called once for a value of a format that does
// not explode, and once for an event of an envelope; not at all only for an
// envelope whose list is empty. An envelope that is no JSON is rejected whole.
//
// ev and rej are overwritten by the next call of yield; the strings and records
// in them live until the next Decode.
func (d *Decoder) Decode(value []byte, yield func(ev *event.Event, rej *event.Reject)) {
	d.begin()
	limit := event.MaxValue
	if d.f.explode != nil {
		limit = event.MaxEnvelope
	}
	if len(value) > limit {
		d.reject(yield, event.TooLarge, "", -1, -1)
		return
	}
	d.buf = append(d.buf[:0], value...)
	if !utf8.Valid(d.buf) {
		d.reject(yield, event.InvalidUTF8, "", -1, invalidAt(d.buf))
		return
	}
	if d.f.explode != nil && d.exploded(yield) {
		return
	}
	if len(d.buf) > event.MaxValue {
		d.reject(yield, event.TooLarge, "", -1, -1)
		return
	}
	d.s.reset(d.buf, d.f.pattern)
	if !d.s.document(d.f.pattern) {
		d.reject(yield, d.s.reason, "", -1, d.s.at)
		return
	}
	d.event(yield, d.s.space(0), -1)
}

// begin readies the buffers for a new value.
func (d *Decoder) begin() {
	if cap(d.buf) > maxKept {
		d.buf = nil
	}
	if cap(d.arena) > maxKept {
		d.arena = nil
	}
	if cap(d.scratch) > maxKept {
		d.scratch = nil
	}
	if cap(d.s.unescaped) > maxKept {
		d.s.unescaped = nil
	}
	if cap(d.ids) > 2*event.MaxRecords {
		d.ids = nil
	}
	for i, l := range d.s.lists {
		if cap(l) > 2*event.MaxRecords {
			d.s.lists[i] = nil
		}
	}
	d.arena, d.ids = d.arena[:0], d.ids[:0]
}

// invalidAt returns the index of the first byte that is no UTF-8.
func invalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// reject hands a reject to yield.
func (d *Decoder) reject(yield func(*event.Event, *event.Reject), r event.Reason, path string, index, offset int) {
	d.rej = event.Reject{Reason: r, Path: path, Index: index, Offset: offset}
	yield(nil, &d.rej)
}

// exploded decodes the value as an envelope; false if it is none, and so may be
// an event itself.
func (d *Decoder) exploded(yield func(*event.Event, *event.Reject)) bool {
	e := d.f.explode
	d.s.reset(d.buf, e.pattern)
	if !d.s.document(e.pattern) {
		d.reject(yield, d.s.reason, "", -1, d.s.at)
		return true
	}
	list := d.s.slots[0]
	switch {
	case list.kind == absent || e.path == "" && list.kind == object:
		return false
	case list.kind != array || d.s.dup: // of two lists, neither may be passed over
		d.reject(yield, event.WrongType, e.path, -1, -1)
		return true
	}
	i := d.s.space(list.lo + 1)
	for index := 0; d.buf[i] != ']'; index++ {
		from := i
		d.s.reset(d.buf, d.f.pattern)
		// The document was scanned already: this cannot fail.
		i = d.s.value(i, &d.f.pattern.root, 0)
		if i-from > event.MaxValue {
			d.reject(yield, event.TooLarge, "", index, -1)
		} else {
			d.event(yield, from, index)
		}
		if i = d.s.space(i); d.buf[i] == ',' {
			i = d.s.space(i + 1)
		}
	}
	return true
}

// event makes the event whose values have been scanned from index from on.
func (d *Decoder) event(yield func(*event.Event, *event.Reject), from, index int) {
	if d.buf[from] != '{' {
		d.reject(yield, event.NotAnObject, "", index, -1)
		return
	}
	m := d.choose()
	if m == nil {
		d.reject(yield, event.NoMap, "", index, -1)
		return
	}
	if m.ignore {
		d.reject(yield, event.Ignored, "", index, -1)
		return
	}
	if reason, path := d.fill(m); reason != accepted {
		d.reject(yield, reason, path, index, -1)
		return
	}
	yield(&d.ev, nil)
}

// choose returns the first map whose conditions all hold, or nil.
func (d *Decoder) choose() *mapping {
	for i := range d.f.maps {
		if m := &d.f.maps[i]; d.holds(m.when) {
			return m
		}
	}
	return nil
}

// holds reports whether all conditions hold.
func (d *Decoder) holds(when []condition) bool {
	for i := range when {
		c := &when[i]
		v := d.s.slots[c.slot]
		if c.equals == nil {
			if (v.kind > null) != c.exists {
				return false
			}
			continue
		}
		s, ok := d.scalar(v)
		if ok {
			_, ok = c.equals.get(s)
		}
		if ok == c.not {
			return false
		}
	}
	return true
}

// fill fills the event from the scanned values; accepted means that nothing
// rejects it.
func (d *Decoder) fill(m *mapping) (reason event.Reason, path string) {
	ev := &d.ev
	*ev = event.Event{}
	if d.s.dup {
		ev.Notes |= event.DuplicateKey
	}
	if reason, path = d.time(m.fields[fieldTime]); reason != accepted {
		return reason, path
	}
	if !d.action(m.fields[fieldAction]) {
		return event.Ignored, ""
	}
	ev.ID = d.bounded(m.fields[fieldID])
	ev.Actor = d.bounded(m.fields[fieldActor])
	ev.Role = d.bounded(m.fields[fieldRole])
	ev.Subject = d.bounded(m.fields[fieldSubject])
	ev.KeyID = d.bounded(m.fields[fieldKeyID])
	ev.Session, _, _ = d.text(m.fields[fieldSession])
	ev.Client = d.bounded(m.fields[fieldClient])
	ev.IP = d.address(m.fields[fieldIP])
	ev.Endpoint = d.endpoint(m.fields[fieldEndpoint])
	ev.CompleteFact()
	if reason, path = d.rows(m.fields[fieldRows]); reason != accepted {
		return reason, path
	}
	return d.records(m.fields[fieldRecords])
}

// scalar returns a value's text: of a text itself, of a number or boolean as it
// is written. False if there is none.
func (d *Decoder) scalar(v value) (string, bool) {
	switch v.kind {
	case text:
		raw := d.buf[v.lo:v.hi]
		if !v.escaped {
			return zerocopy.String(raw), true
		}
		from := len(d.arena)
		d.arena = appendUnescaped(d.arena, raw)
		return zerocopy.String(d.arena[from:]), true
	case integer:
		if v.hi-v.lo == 2 && d.buf[v.lo] == '-' && d.buf[v.lo+1] == '0' {
			return "0", true // -0 is 0
		}
		return zerocopy.String(d.buf[v.lo:v.hi]), true
	case decimal, boolean:
		return zerocopy.String(d.buf[v.lo:v.hi]), true
	}
	return "", false
}

// text returns the text of the first source that has one, and that source; ""
// and nil if none has. unlisted tells that a source had one which its value map
// does not list.
func (d *Decoder) text(sources []source) (s string, from *source, unlisted bool) {
	for i := range sources {
		src := &sources[i]
		if src.slot >= 0 && src.values == nil { // most are such, and have a text as it stands
			if v := &d.s.slots[src.slot]; v.kind == text && !v.escaped && v.hi > v.lo {
				return zerocopy.String(d.buf[v.lo:v.hi]), src, unlisted
			}
		}
		switch {
		case src.constant != "":
			return src.constant, src, unlisted
		case src.join != nil:
			s = d.joined(src)
		default:
			s = d.plain(src)
		}
		if s != "" && src.values != nil {
			to, ok := src.values.get(s)
			unlisted = unlisted || !ok
			s = to
		}
		if s != "" {
			return s, src, unlisted
		}
	}
	return "", nil, unlisted
}

// plain returns the text at a source's path; "" if there is none. An object, an
// array, and, where no value map gives it a meaning, a boolean or a decimal are
// dropped with a note.
func (d *Decoder) plain(src *source) string {
	v := d.s.slots[src.slot]
	if v.kind <= null {
		return ""
	}
	s, ok := d.scalar(v)
	if !ok || src.values == nil && v.kind != text && v.kind != integer {
		d.ev.Notes |= event.FieldDropped
		return ""
	}
	return s
}

// joined returns the texts of a join; "" if one of them is missing.
func (d *Decoder) joined(src *source) string {
	d.scratch = d.scratch[:0]
	for i, part := range src.join {
		s := part.constant
		if s == "" {
			s, _ = d.scalar(d.s.slots[part.slot])
		}
		if s == "" {
			return ""
		}
		if i > 0 {
			d.scratch = append(d.scratch, src.between...)
		}
		d.scratch = append(d.scratch, s...)
	}
	return d.store(d.scratch)
}

// store copies b to the arena and returns it as a string.
func (d *Decoder) store(b []byte) string {
	from := len(d.arena)
	d.arena = append(d.arena, b...)
	return zerocopy.String(d.arena[from:])
}

// action fills the action; false if the event is to be left out. Only the field
// map can say so: an event that names its own action "ignore" is no exception.
func (d *Decoder) action(sources []source) bool {
	s, from, unlisted := d.text(sources)
	if s == ignoreAction && (from.values != nil || from.constant != "") {
		return false
	}
	if s == "" && !unlisted {
		return true // missing: a read
	}
	a, ok := event.ParseAction(s)
	if !ok {
		d.ev.Notes |= event.ActionUnknown
	}
	d.ev.Action = a
	return true
}

// bounded returns the text of a field, no longer than MaxText.
func (d *Decoder) bounded(sources []source) string {
	s, _, _ := d.text(sources)
	if len(s) <= event.MaxText {
		return s
	}
	return d.shorten(s)
}
