package fieldmap

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/event/textform"
)

// accepted stands for no reason to reject an event.
const accepted event.Reason = 255

// Decoder turns the values of one format into events. It keeps its buffers from
// call to call, so that decoding allocates nothing in the steady state. Each
// goroutine has its own.
type Decoder struct {
	f       *Format
	s       jsonscan.Scanner
	outer   []jsonscan.Scanner // of the stages of an envelope, the outermost first
	way     []*stage           // those that led to the value at hand
	aside   jsonscan.Scanner   // of what is looked at within a value
	buf     []byte             // the value, kept so that events may alias it, and what its texts hold
	arena   []byte             // text that is not in buf as it stands: unescaped, shortened, canonical
	scratch []byte
	ids     []string
	index   int // of the next event of an envelope; -1 where the value is one event
	ev      event.Event
	rej     event.Reject
	yield   func(*event.Event, *event.Reject)

	written     int64    // when the value at hand was written, Unix milliseconds; 0 if nothing tells
	message     *Message // whose value is decoded; nil for a value alone
	messageKept bool     // besideScan holds what is taken of it
	besideScan  jsonscan.Scanner
}

// NewDecoder returns a decoder of the format.
func (f *Format) NewDecoder() *Decoder { return &Decoder{f: f} }

// WrittenAt tells when the values that are decoded next were written, in Unix
// milliseconds, as a broker stamps them. A time without a year is of the last year in
// which it is no later than a day after that.
func (d *Decoder) WrittenAt(ms int64) { d.written = ms }

// Format returns the decoder's format.
func (d *Decoder) Format() *Format { return d.f }

// Decode hands each event of a value (a Kafka record's, a line, a document) to
// yield, in order: either the event or why it was rejected; exactly one of ev
// and rej is not nil. yield is called once for a value of a format that does
// not explode, and once for an event of an envelope or list; not at all only for
// one that is empty. An envelope that is no JSON is rejected whole.
//
// ev and rej are overwritten by the next call of yield; the strings and records
// in them live until the next Decode.
func (d *Decoder) Decode(value []byte, yield func(ev *event.Event, rej *event.Reject)) {
	d.begin()
	d.yield, d.index = yield, -1
	if len(value) > event.MaxEnvelope {
		d.reject(event.TooLarge, "", -1)
		return
	}
	value, ok := unframed(value)
	if !ok {
		d.reject(event.SchemaUnknown, "", -1)
		return
	}
	if packed(value) {
		if value, ok = textform.Gzip(nil, string(value)); !ok {
			d.reject(event.NotOfInput, "", -1)
			return
		}
	}
	d.buf = append(d.buf[:0], value...)
	if d.f.charset != nil {
		d.recode()
	}
	if !utf8.Valid(d.buf) {
		d.reject(event.InvalidUTF8, "", invalidAt(d.buf))
		return
	}
	if !d.f.input.asIs() && !d.read() {
		return
	}
	d.s.B = d.buf
	from := d.s.Space(0)
	if from < len(d.buf) && d.buf[from] == '"' && d.unquote() {
		d.s.B, from = d.buf, 0
	}
	if d.f.entry != nil || from < len(d.buf) && d.buf[from] == '[' {
		d.envelope(from)
		return
	}
	if len(d.buf) > event.MaxValue {
		d.reject(event.TooLarge, "", -1)
		return
	}
	d.s.Reset(d.buf, d.f.pattern)
	if !d.s.Document(d.f.pattern) {
		d.reject(d.s.Reason, "", d.s.At)
		return
	}
	d.event(from)
}

// unframed returns a value without what a schema registry's serializer puts before
// JSON: a zero and the id of the schema, in four bytes. False if what comes after them
// needs its schema.
func unframed(value []byte) ([]byte, bool) {
	const frame = 5
	if len(value) <= frame || value[0] != 0 {
		return value, true
	}
	if value[frame] == '{' || value[frame] == '[' {
		return value[frame:], true
	}
	return value, value[1] != 0 // no text, not even UTF-16, begins with two zeros
}

// packed reports whether a value begins as what gzip packs does, and no text.
func packed(value []byte) bool { return len(value) > 2 && value[0] == 0x1f && value[1] == 0x8b }

// unquote takes a document out of a text of JSON, as converters write it that take it for
// a text; false if the text holds none.
func (d *Decoder) unquote() bool {
	var text string
	if len(d.buf) > event.MaxEnvelope || json.Unmarshal(d.buf, &text) != nil {
		return false
	}
	if text = strings.TrimSpace(text); text == "" || text[0] != '{' && text[0] != '[' {
		return false
	}
	d.buf = append(d.buf[:0], text...)
	return true
}

// recode makes UTF-8 of a value in the format's charset, unless it is that already.
func (d *Decoder) recode() {
	if utf8.Valid(d.buf) && bytes.IndexByte(d.buf, 0) < 0 {
		return
	}
	if out, err := d.f.charset.NewDecoder().Bytes(d.buf); err == nil {
		d.buf = bytes.TrimPrefix(out, []byte("\ufeff"))
	}
}

// read makes JSON of a value that is in another form; what begins with a brace is
// JSON already. False if the value is rejected.
func (d *Decoder) read() bool {
	value := bytes.TrimSpace(d.buf)
	switch {
	case len(value) == 0:
		d.reject(event.Empty, "", -1)
		return false
	case len(value) > event.MaxValue && value[0] != '{':
		d.reject(event.TooLarge, "", -1)
		return false
	}
	out, ok := d.f.input.JSON(value)
	if !ok {
		d.reject(event.NotOfInput, "", -1)
		return false
	}
	d.buf = out
	return true
}

// begin readies the buffers for a new value.
func (d *Decoder) begin() {
	if cap(d.buf) > jsonscan.MaxKept {
		d.buf = nil
	}
	if cap(d.arena) > jsonscan.MaxKept {
		d.arena = nil
	}
	if cap(d.scratch) > jsonscan.MaxKept {
		d.scratch = nil
	}
	if cap(d.ids) > 2*event.MaxRecords {
		d.ids = nil
	}
	d.s.GiveBack()
	for i := range d.outer {
		d.outer[i].GiveBack()
	}
	d.arena, d.ids, d.way = d.arena[:0], d.ids[:0], d.way[:0]
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

// reject hands a reject of the event at hand to yield.
func (d *Decoder) reject(r event.Reason, path string, offset int) {
	d.rej = event.Reject{Reason: r, Path: path, Index: d.index, Offset: offset}
	d.yield(nil, &d.rej)
}

// event makes the event whose values have been scanned from index from on.
func (d *Decoder) event(from int) {
	if d.buf[from] != '{' {
		d.reject(event.NotAnObject, "", -1)
		return
	}
	d.ev = event.Event{SomeKeys: d.f.some}
	if d.f.message != nil {
		d.beside()
	}
	if d.f.pattern.Embeds != nil {
		d.unfold()
	}
	m := d.choose()
	if m == nil {
		d.reject(event.NoMap, "", -1)
		return
	}
	if m.ignore {
		d.reject(event.Ignored, "", -1)
		return
	}
	if reason, path := d.fill(m); reason != accepted {
		d.reject(reason, path, -1)
		return
	}
	d.yield(&d.ev, nil)
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
		v := d.firstOf(c.slots)
		if c.equals == nil {
			if (v.Kind > jsonscan.Null) != c.exists {
				return false
			}
			continue
		}
		s, ok := d.scalar(v)
		if (ok && c.equals.Has(s)) == c.not {
			return false
		}
	}
	return true
}

// firstOf returns the value of the first of some slots that has one.
func (d *Decoder) firstOf(slots []int) (v jsonscan.Value) {
	for _, slot := range slots {
		if v = d.s.Slots[slot]; v.Kind > jsonscan.Null {
			break
		}
	}
	return v
}

// fill fills the event from the scanned values; accepted means that nothing
// rejects it.
func (d *Decoder) fill(m *mapping) (reason event.Reason, path string) {
	ev := &d.ev
	if d.s.Dup {
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
	ev.Client = d.client(m.fields[fieldClient])
	ev.IP = d.address(m.fields[fieldIP])
	ev.Endpoint = d.endpoint(m.fields[fieldEndpoint])
	ev.CompleteFact()
	d.rows(m.fields[fieldRows])
	d.records(m.fields[fieldRecords])
	return accepted, ""
}
