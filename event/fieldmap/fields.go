package fieldmap

import (
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/event/timeform"
	"github.com/weirhq/weir/internal/zerocopy"
)

// scalar returns a value's text: of a text itself, of a number or boolean as it
// is written. False if there is none.
func (d *Decoder) scalar(v jsonscan.Value) (string, bool) {
	switch v.Kind {
	case jsonscan.Text:
		raw := d.buf[v.Lo:v.Hi]
		if !v.Escaped {
			return zerocopy.String(raw), true
		}
		from := len(d.arena)
		d.arena = jsonscan.AppendUnescaped(d.arena, raw)
		return zerocopy.String(d.arena[from:]), true
	case jsonscan.Integer:
		if v.Hi-v.Lo == 2 && d.buf[v.Lo] == '-' && d.buf[v.Lo+1] == '0' {
			return "0", true // -0 is 0
		}
		return zerocopy.String(d.buf[v.Lo:v.Hi]), true
	case jsonscan.Decimal, jsonscan.Boolean:
		return zerocopy.String(d.buf[v.Lo:v.Hi]), true
	}
	return "", false
}

// name returns a value's text where it can be a name or an id: that of a text, of an
// integer, and of a decimal that is one, such as 4711.0.
func (d *Decoder) name(v jsonscan.Value) (string, bool) {
	if v.Kind == jsonscan.Decimal {
		return timeform.Fixed(zerocopy.String(d.buf[v.Lo:v.Hi]))
	}
	s, ok := d.scalar(v)
	return s, ok && v.Kind != jsonscan.Boolean
}

// text returns the text of the first source that has one, and that source; ""
// and nil if none has. unlisted tells that a source had one which its value map
// does not list.
func (d *Decoder) text(sources []source) (s string, from *source, unlisted bool) {
	for i := range sources {
		src := &sources[i]
		if src.bare { // most are such, and have a text as it stands
			if v := &d.s.Slots[src.slot]; v.Kind == jsonscan.Text && !v.Escaped && v.Hi > v.Lo {
				return zerocopy.String(d.buf[v.Lo:v.Hi]), src, unlisted
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
		if s != "" && src.edits != nil {
			s = src.edits.one(d, s)
		}
		if s != "" && src.values != nil {
			to, ok := src.values.Get(s)
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
	v := d.s.Slots[src.slot]
	if v.Kind <= jsonscan.Null {
		return ""
	}
	if src.values != nil {
		if s, ok := d.scalar(v); ok {
			return s
		}
	} else if s, ok := d.name(v); ok {
		return s
	}
	d.ev.Notes |= event.FieldDropped
	return ""
}

// joined returns the texts of a join; "" if one of them is missing.
func (d *Decoder) joined(src *source) string {
	d.scratch = d.scratch[:0]
	for i, part := range src.join {
		s := part.constant
		if s == "" {
			s, _ = d.scalar(d.s.Slots[part.slot])
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

// shorten bounds a text, and notes where it had to.
func (d *Decoder) shorten(s string) string {
	if len(s) <= event.MaxText {
		return s
	}
	d.ev.Notes |= event.TextShortened
	from := len(d.arena)
	d.arena = event.AppendShortened(d.arena, s)
	return zerocopy.String(d.arena[from:])
}

// client returns the client, no longer than MaxText. A longer one is its family,
// shortened if need be: the hash of a shortened text would change with each version.
func (d *Decoder) client(sources []source) string {
	s, _, _ := d.text(sources)
	if len(s) <= event.MaxText {
		return s
	}
	d.ev.Notes |= event.TextShortened
	return d.shorten(event.Family(s))
}

// endpoint returns the endpoint with ids taken out, no longer than MaxText.
func (d *Decoder) endpoint(sources []source) string {
	s, _, _ := d.text(sources)
	if strings.IndexByte(s, '/') < 0 && strings.IndexByte(s, '?') < 0 {
		return d.shorten(s)
	}
	if out, changed := event.AppendEndpoint(d.scratch[:0], s); changed {
		d.scratch = out
		s = d.store(out)
	}
	return d.shorten(s)
}
