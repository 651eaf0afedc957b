// Package textform takes texts apart: each Form makes a JSON object of a text in
// which a log holds several values, such as key=value pairs, CEF or a pattern of the
// user's own. Header cuts off what stands before a record, such as syslog's.
package textform

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"io"
	"net/url"
	"strings"

	"github.com/go-logfmt/logfmt"
	"github.com/klauspost/compress/gzip"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
)

// named are the forms that have a name, the most frequent first.
var named = []struct {
	name string
	form jsonscan.Form
}{
	{"json", JSON}, {"logfmt", Logfmt}, {"cef", CEF}, {"leef", LEEF}, {"query", Query}, {"base64", Base64}, {"gzip", Gzip},
}

// Names returns the names of the forms that have one.
func Names() []string {
	var names []string
	for _, f := range named {
		names = append(names, f.name)
	}
	return names
}

// Named returns the form of a name; false if none has it.
func Named(name string) (jsonscan.Form, bool) {
	for _, f := range named {
		if f.name == name {
			return f.form, true
		}
	}
	return nil, false
}

// JSON leaves a text as it is.
func JSON(dst []byte, text string) ([]byte, bool) { return append(dst, text...), true }

// members appends a JSON object member by member.
type members struct {
	dst   []byte
	comma byte
}

func newMembers(dst []byte) members { return members{dst, '{'} }

// add appends a member whose value is a text.
func (o *members) add(key, value string) {
	o.dst = append(o.dst, o.comma)
	o.dst = append(event.AppendText(o.dst, key), ':')
	o.dst = event.AppendText(o.dst, value)
	o.comma = ','
}

// end closes the object; false if it has no member.
func (o *members) end() ([]byte, bool) {
	if o.comma == '{' {
		return append(o.dst, "{}"...), false
	}
	return append(o.dst, '}'), true
}

// Logfmt makes an object of key=value pairs. A word without a value is passed
// over.
func Logfmt(dst []byte, text string) ([]byte, bool) {
	d := logfmt.NewDecoderSize(strings.NewReader(text), len(text)+2)
	o := newMembers(dst)
	if d.ScanRecord() {
		for d.ScanKeyval() {
			if d.Value() != nil {
				o.add(string(d.Key()), string(d.Value()))
			}
		}
	}
	out, some := o.end()
	return out, some && d.Err() == nil
}

// Query makes an object of the query of a URL, or of a form.
func Query(dst []byte, text string) ([]byte, bool) {
	if _, query, ok := strings.Cut(text, "?"); ok {
		text = query
	}
	text, _, _ = strings.Cut(text, "#")
	o := newMembers(dst)
	for pair := range strings.SplitSeq(text, "&") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		n, err := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err == nil && err2 == nil {
			o.add(n, v)
		}
	}
	return o.end()
}

// Base64 decodes base64, with or without padding, of either alphabet.
func Base64(dst []byte, text string) ([]byte, bool) {
	text = strings.TrimRight(text, "=\r\n ")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	out, err := base64.RawStdEncoding.AppendDecode(dst, []byte(text))
	return out, err == nil
}

// Gzip unpacks gzip, up to MaxEnvelope bytes.
func Gzip(dst []byte, text string) ([]byte, bool) {
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		return dst, false
	}
	out := bytes.NewBuffer(dst)
	n, err := io.Copy(out, io.LimitReader(z, event.MaxEnvelope+1))
	return out.Bytes(), err == nil && n <= event.MaxEnvelope
}

// CSV makes objects of records of named columns. Columns whose name ends in ?
// may be missing at the end.
func CSV(comma rune, named []string) jsonscan.Form {
	columns, least := make([]string, len(named)), len(named)
	for i, name := range named {
		optional := false
		if columns[i], optional = strings.CutSuffix(name, "?"); optional {
			least = min(least, i)
		}
	}
	return func(dst []byte, text string) ([]byte, bool) {
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.FieldsPerRecord, r.LazyQuotes = comma, -1, true
		cells, err := r.Read()
		if err != nil {
			return dst, false
		}
		return AppendRow(dst, columns[:max(least, min(len(cells), len(columns)))], cells)
	}
}

// AppendRow appends the cells of a row as a JSON object, by the names of their
// columns; one without a name is left out. False if there are fewer cells than
// columns, or more that are not empty: then they are not of these columns.
func AppendRow(dst []byte, columns, cells []string) ([]byte, bool) {
	if len(cells) < len(columns) || strings.Join(cells[len(columns):], "") != "" {
		return dst, false
	}
	o := newMembers(dst)
	for i, name := range columns {
		if name != "" {
			o.add(name, cells[i])
		}
	}
	return o.end()
}
