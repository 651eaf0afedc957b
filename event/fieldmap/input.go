package fieldmap

import (
	"bytes"

	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/event/textform"
)

// Input is the form of a format's values.
type Input struct {
	Kind    Kind
	Comma   rune            // of CSV: what separates columns; 0 to take what the header has
	Columns []string        // of CSV: their names; none where the first line of a file is a header
	header  textform.Header // of each value; nil for none
	forms   []jsonscan.Form // make JSON of a value, one after the other; none for JSON
}

// Kind is what one value of a source is written in.
type Kind uint8

// The kinds.
const (
	JSON  Kind = iota
	CSV        // a record of comma-separated values
	Lines      // a line of text
)

// headless is the form of a record whose columns nothing names: in a file its
// header does, and what reads the file makes the object.
func headless(dst []byte, _ string) ([]byte, bool) { return dst, false }

// asIs reports whether values are JSON as they stand.
func (in *Input) asIs() bool { return in.header == nil && in.forms == nil }

// JSON returns a value as the JSON that a decoder makes of it; false if it cannot. What
// stands in the header of a value becomes a member of the object in it.
func (in *Input) JSON(value []byte) ([]byte, bool) {
	value = bytes.TrimSpace(value)
	var head []byte
	if in.header != nil {
		var rest string
		head, rest = in.header(string(value))
		value = bytes.TrimSpace([]byte(rest))
	}
	if !bytes.HasPrefix(value, []byte("{")) {
		for _, form := range in.forms {
			out, ok := form(nil, string(value))
			if !ok {
				return nil, false
			}
			value = out
		}
	}
	if head != nil && len(value) > 0 && value[0] == '{' {
		value = withHeader(value, head)
	}
	return value, len(value) > 0
}

// headerKey is the key of an event's object at which its header stands.
const headerKey = `"header":`

// withHeader returns an object with a header as its first member.
func withHeader(object, head []byte) []byte {
	out := append([]byte("{"+headerKey), head...)
	if inside := bytes.TrimSpace(object[1:]); len(inside) > 0 && inside[0] != '}' {
		out = append(out, ',')
	}
	return append(out, object[1:]...)
}
