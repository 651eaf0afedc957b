package fieldmap

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/csv"
	"io"
	"net/url"
	"strings"

	"github.com/go-logfmt/logfmt"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
)

// Input is the form of a format's values.
type Input struct {
	Kind    Kind
	Comma   rune          // of CSV: what separates columns; 0 to take what the header has
	Columns []string      // of CSV: their names; none where the first line of a file is a header
	form    jsonscan.Form // makes JSON of a value; nil for JSON
}

// Kind is what one value of a source is written in.
type Kind uint8

// The kinds.
const (
	JSON  Kind = iota
	CSV        // a record of comma-separated values
	Lines      // a line of text
)

// forms are those that a name tells of.
var forms = map[string]jsonscan.Form{
	"json":   jsonForm,
	"logfmt": logfmtForm,
	"query":  queryForm,
	"base64": base64Form,
	"gzip":   gzipForm,
}

// formNames are the names of forms, for faults.
var formNames = []string{"json", "logfmt", "query", "base64", "gzip"}

func jsonForm(dst []byte, text string) ([]byte, bool) { return append(dst, text...), true }

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
func (o *members) end() ([]byte, bool) { return append(o.dst, '}'), o.comma == ',' }

// logfmtForm makes an object of key=value pairs. A word without a value is passed
// over.
func logfmtForm(dst []byte, text string) ([]byte, bool) {
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

// queryForm makes an object of the query of a URL, or of a form.
func queryForm(dst []byte, text string) ([]byte, bool) {
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

// base64Form decodes base64, with or without padding, of either alphabet.
func base64Form(dst []byte, text string) ([]byte, bool) {
	text = strings.TrimRight(text, "=\r\n ")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	out, err := base64.RawStdEncoding.AppendDecode(dst, []byte(text))
	return out, err == nil
}

// gzipForm unpacks gzip, up to MaxEnvelope bytes.
func gzipForm(dst []byte, text string) ([]byte, bool) {
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		return dst, false
	}
	out := bytes.NewBuffer(dst)
	n, err := io.Copy(out, io.LimitReader(z, event.MaxEnvelope+1))
	return out.Bytes(), err == nil && n <= event.MaxEnvelope
}

// csvForm makes objects of records of named columns. Columns whose name ends in ?
// may be missing at the end.
func csvForm(comma rune, named []string) jsonscan.Form {
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

// headless is the form of a record whose columns nothing names: in a file its
// header does, and what reads the file makes the object.
func headless(dst []byte, _ string) ([]byte, bool) { return dst, false }

// JSON returns a value as the JSON that a decoder makes of it; false if it cannot.
func (in Input) JSON(value []byte) ([]byte, bool) {
	value = bytes.TrimSpace(value)
	if in.form == nil || bytes.HasPrefix(value, []byte("{")) {
		return value, len(value) > 0
	}
	return in.form(nil, string(value))
}
