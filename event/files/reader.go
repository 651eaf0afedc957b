package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
)

// maxKept is the size in bytes of a buffer that a reader keeps between values.
const maxKept = 1 << 20

// Reader reads the values of a file one after the other, as a decoder of its format
// takes them: JSON documents, rows of a table as JSON, or lines.
type Reader struct {
	next func() (value []byte, line int64, err error)
}

// NewReader returns a reader of a file of the format. A byte order mark is skipped,
// and text in the format's charset, or in UTF-16, becomes UTF-8.
func NewReader(r io.Reader, f *fieldmap.Format) *Reader {
	in := f.Input()
	text := bufio.NewReaderSize(recoded(r, f.Charset()), 64<<10)
	switch in.Kind {
	case fieldmap.CSV:
		rows := newRowReader(text, in.Comma, in.Columns)
		return &Reader{rows.next}
	case fieldmap.Lines:
		lines := &recordReader{lines: lineReader{r: text, limit: event.MaxValue}}
		return &Reader{lines.next}
	default:
		limit := event.MaxValue
		if f.Explodes() {
			limit = event.MaxEnvelope
		}
		docs := newDocumentReader(text, limit)
		return &Reader{docs.next}
	}
}

// Next returns the next value, and the number of the line, from 1, on which it
// begins. The value is valid until the next call. err is io.EOF after the last
// value, or what the reading failed with; the value then is nil.
func (r *Reader) Next() (value []byte, line int64, err error) { return r.next() }

// lineReader reads lines: LF or CRLF, the last with or without; empty ones are
// skipped. A line longer than its limit never stops it: what is returned then is
// the beginning of the line, one byte longer than the limit, so that Decode rejects
// it as too large.
type lineReader struct {
	r     *bufio.Reader
	limit int
	line  []byte
	n     int64 // of the line that was read last
}

// next returns the next line that is not empty, without its end.
func (r *lineReader) next() ([]byte, int64, error) {
	for {
		if err := r.read(); err != nil {
			return nil, r.n, err
		}
		line := bytes.TrimRight(r.line, "\r\n")
		if len(bytes.TrimSpace(line)) > 0 {
			return line, r.n, nil
		}
	}
}

// read reads one line with its end into r.line, up to one byte more than the
// limit and its end; what is longer is passed over.
func (r *lineReader) read() error {
	if cap(r.line) > maxKept {
		r.line = nil
	}
	r.line = r.line[:0]
	most := r.limit + len("\r\n") + 1
	for some := false; ; some = true {
		part, err := r.r.ReadSlice('\n')
		r.line = append(r.line, part[:min(len(part), most-len(r.line))]...)
		switch {
		case err == nil || err == io.EOF && (some || len(part) > 0):
			r.n++
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF:
			return io.EOF
		default:
			return fmt.Errorf("reading line %d: %w", r.n+1, err)
		}
	}
}

// recordReader reads records of one line each. Lines that begin with a tab go on with the
// record before them, as PostgreSQL and others write a text of several lines, unless that
// begins with a tab itself.
type recordReader struct {
	lines  lineReader
	record []byte
	ahead  []byte // the line that was read beyond the record; nil for none
	at     int64  // its number
	err    error  // that came instead of a line
}

// next returns the next record.
func (r *recordReader) next() ([]byte, int64, error) {
	if r.ahead == nil {
		r.read()
	}
	if r.err != nil {
		return nil, r.at, r.err
	}
	if cap(r.record) > maxKept {
		r.record = nil
	}
	first := r.at
	r.record = append(r.record[:0], r.ahead...)
	for r.record[0] != '\t' && len(r.record) <= event.MaxValue {
		if !r.goesOn() {
			return r.record, first, nil
		}
		more := r.ahead[:min(len(r.ahead), event.MaxValue+1-len(r.record))]
		r.record = append(append(r.record, '\n'), more...)
	}
	r.ahead = nil
	return r.record, first, nil
}

// goesOn reads a line ahead and reports whether the record goes on with it. What came
// instead of a line is the next record's.
func (r *recordReader) goesOn() bool {
	r.read()
	return r.err == nil && r.ahead[0] == '\t'
}

// read reads a line ahead.
func (r *recordReader) read() { r.ahead, r.at, r.err = r.lines.next() }
