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

// maxKept is the size in bytes of a buffer that a reader keeps between lines.
const maxKept = 1 << 20

// Reader reads the values of a file, one a line: LF or CRLF, the last with
// or without, a byte order mark at the start skipped, and empty lines too. A
// line longer than its limit never stops it: what is returned then is the
// beginning of the line, one byte longer than the limit, so that Decode rejects
// it as too large.
type Reader struct {
	r     *bufio.Reader
	limit int
	whole bool // the format's files may hold one document over many lines
	line  []byte
	n     int64
}

// newReader returns a reader of lines of at most event.MaxValue bytes.
func newReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), limit: event.MaxValue}
}

// NewReader returns a reader of a file of the format. Where files of the format
// are documents, and the first line of this one is only the beginning of a JSON
// text, the whole file is one value, with the number of that line.
func NewReader(r io.Reader, f *fieldmap.Format) *Reader {
	lr := newReader(r)
	lr.whole = f.Document()
	if f.Explodes() {
		lr.limit = event.MaxEnvelope
	}
	return lr
}

// Next returns the next line that is not empty, without its end, and its number
// from 1. The line is valid until the next call. err is io.EOF after the last
// line, or what the reading failed with; the line then is nil.
func (r *Reader) Next() (line []byte, n int64, err error) {
	for {
		if err := r.read(); err != nil {
			return nil, r.n, err
		}
		if r.n++; r.n == 1 {
			r.line = bytes.TrimPrefix(r.line, []byte("\ufeff"))
		}
		line := bytes.TrimRight(r.line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if r.whole {
			r.whole = false
			if fieldmap.CutOff(line) {
				return r.rest()
			}
		}
		return line, r.n, nil
	}
}

// read reads one line with its end into r.line, up to one byte more than the
// limit and its end; what is longer is passed over.
func (r *Reader) read() error {
	if cap(r.line) > maxKept {
		r.line = nil
	}
	r.line = r.line[:0]
	most := r.limit + len("\r\n") + 1
	for some := false; ; some = true {
		part, err := r.r.ReadSlice('\n')
		r.line = append(r.line, part[:min(len(part), most-len(r.line))]...)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF && (some || len(part) > 0):
			return nil
		case err == io.EOF:
			return io.EOF
		default:
			return fmt.Errorf("reading line %d: %w", r.n+1, err)
		}
	}
}

// rest returns the rest of the file, from the line just read on, as one value.
func (r *Reader) rest() ([]byte, int64, error) {
	n := r.n
	all := bytes.NewBuffer(bytes.Clone(r.line))
	if _, err := all.ReadFrom(io.LimitReader(r.r, int64(r.limit+1))); err != nil {
		return nil, n, fmt.Errorf("reading the document: %w", err)
	}
	_, err := io.Copy(io.Discard, r.r)
	if err != nil {
		return nil, n, fmt.Errorf("reading the document: %w", err)
	}
	return all.Bytes(), n, nil
}
