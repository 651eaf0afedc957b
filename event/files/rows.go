package files

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/textform"
)

// rowReader reads the rows of a table as JSON objects. The names of its columns
// stand in its first row, in a line #Fields (W3C, Zeek), or are given; then the rows
// are handed on as they are, since the decoder knows the names too.
type rowReader struct {
	lines  lineReader
	held   []heldLine // lines read ahead
	joined []heldLine // the lines of the record at hand
	feed   feed
	csv    *csv.Reader
	comma  rune
	header []string
	blanks bool // the columns are separated by tabs or spaces, whichever a row has
	given  bool // the names of the columns are the format's
	begun  bool // the first lines have been looked at
	value  []byte
}

type heldLine struct {
	text []byte
	n    int64
}

// feed is what a csv.Reader reads: one record after the other, as they are found.
type feed struct{ rest []byte }

func (f *feed) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// newRowReader returns a reader of a table. comma separates its columns; 0 is what
// its header has most of.
func newRowReader(r *bufio.Reader, comma rune, columns []string) *rowReader {
	return &rowReader{lines: lineReader{r: r, limit: event.MaxValue}, comma: comma, header: columns, given: columns != nil}
}

// next returns the next row. One that does not fit the columns is given as it is, so
// that Decode rejects it.
func (r *rowReader) next() ([]byte, int64, error) {
	if !r.begun && !r.given {
		r.skipTitles()
	}
	r.begun = true
	for {
		text, n, err := r.record()
		if err != nil {
			return nil, n, err
		}
		if text[0] == '{' { // JSON already
			return text, n, nil
		}
		if text[0] == '#' && r.directive(string(text)) || r.header == nil && r.preamble(string(text)) || isRule(string(text)) {
			continue
		}
		if len(text) > event.MaxValue {
			return text, n, nil
		}
		cells, ok := r.split(text)
		switch {
		case !ok:
			return bytes.TrimRight(text, "\r\n"), n, nil
		case r.header == nil:
			for _, name := range cells {
				r.header = append(r.header, strings.Clone(strings.TrimSpace(name)))
			}
			continue
		case slices.Equal(cells, r.header): // files one after the other
			continue
		case r.given:
			return bytes.TrimRight(text, "\r\n"), n, nil
		}
		if r.value, ok = textform.AppendRow(r.value[:0], r.header, cells); !ok {
			return bytes.TrimRight(text, "\r\n"), n, nil
		}
		return r.value, n, nil
	}
}

// preamble takes in a line that stands before the header: what separates the columns, as
// spreadsheets write it, or a comment.
func (r *rowReader) preamble(line string) bool {
	if comma, ok := strings.CutPrefix(line, "sep="); ok && len(comma) == 1 {
		r.comma, r.csv = rune(comma[0]), nil
		return true
	}
	return line[0] == '#' && !strings.ContainsAny(line, ",;\t|")
}

// record returns the next record: as many lines as close the quotes that the first
// opens. Where no line closes them, the first stands alone.
func (r *rowReader) record() ([]byte, int64, error) {
	first, err := r.line(0)
	if err != nil {
		return nil, r.lines.n, err
	}
	r.joined = append(r.joined[:0], first)
	text := first.text
	for k := 1; text[0] != '{' && bytes.Count(text, []byte{'"'})%2 == 1; k++ {
		more, err := r.line(k)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, r.lines.n, err
		}
		if err != nil || len(text)+len(more.text) > event.MaxValue {
			r.joined, text = r.joined[:1], first.text
			break
		}
		r.joined = append(r.joined, more)
		text = append(append(bytes.Clone(text), '\n'), more.text...)
	}
	r.held = r.held[len(r.joined):]
	return text, first.n, nil
}

// line returns the k-th line from here, and reads it if need be.
func (r *rowReader) line(k int) (heldLine, error) {
	for len(r.held) <= k {
		text, n, err := r.lines.next()
		if err != nil {
			return heldLine{}, err
		}
		r.held = append(r.held, heldLine{bytes.Clone(text), n})
	}
	return r.held[k], nil
}

// split returns the cells of a record; false if it is none. Lines that only looked
// joined, because a quotation mark stands within a cell, are held for later.
func (r *rowReader) split(text []byte) ([]string, bool) {
	if r.csv == nil {
		switch {
		case r.blanks && bytes.IndexByte(text, '\t') >= 0:
			r.comma = '\t'
		case r.blanks:
			r.comma = ' '
		case r.comma == 0:
			r.comma = guessComma(string(text))
		}
		r.csv = csv.NewReader(&r.feed)
		r.csv.Comma, r.csv.FieldsPerRecord, r.csv.LazyQuotes, r.csv.ReuseRecord = r.comma, -1, true, true
	}
	r.feed.rest = append(bytes.Clone(text), '\n')
	from := r.csv.InputOffset()
	cells, err := r.csv.Read()
	if err != nil {
		r.csv = nil // whatever it holds is of this record
		return nil, false
	}
	if end := int(r.csv.InputOffset() - from); end < len(text) {
		r.held = append(slices.Clone(r.joined[bytes.Count(text[:end], []byte{'\n'}):]), r.held...)
		r.csv = nil
	}
	if r.comma == '|' { // databases print tables so, with blanks around
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
	}
	if last := len(cells) - 1; last >= 0 { // of a quotation mark that nothing closes
		cells[last] = strings.TrimSuffix(cells[last], "\n")
	}
	return cells, true
}

// isRule reports whether a line is one of those that databases draw in a table.
func isRule(line string) bool {
	line = strings.TrimSpace(line)
	return strings.Contains(line, "--") && strings.Trim(line, "-+|: ") == ""
}

// guessComma returns what separates the columns of a header: that which it has most
// of.
func guessComma(header string) rune {
	best, most := ',', strings.Count(header, ",")
	for _, c := range ";\t|" {
		if n := strings.Count(header, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

// directives are what lines of W3C and Zeek logs that are no rows begin with.
var directives = []string{"version", "software", "date", "start-date", "end-date", "remark", "separator", "set_separator",
	"empty_field", "unset_field", "path", "open", "types", "close"}

// directive takes in a line that begins with #; false if it is a row. A line #Fields
// names the columns.
func (r *rowReader) directive(line string) bool {
	words := strings.FieldsFunc(line[1:], func(c rune) bool { return c == ' ' || c == '\t' || c == ':' })
	if len(words) == 0 {
		return true
	}
	name := strings.ToLower(words[0])
	if name != "fields" {
		return slices.Contains(directives, name)
	}
	r.header, r.blanks, r.csv = words[1:], true, nil
	return true
}
