package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// documentReader reads JSON documents: one a line, over many lines, one right after
// the other, or as the elements of a list. It finds where a document ends, and does
// not check it. What is no JSON is given line by line, so that Decode rejects each.
//
// A line that was cut off must not swallow what follows: where a document turns out
// not to be one, its first line alone is given, and reading goes on at the second.
type documentReader struct {
	r     io.Reader
	buf   []byte // what was read and not yet given begins at pos
	pos   int
	eof   bool
	limit int   // of a document in bytes
	line  int64 // newlines before pos
	lists int   // lists that are open at pos
}

// newDocumentReader returns a reader of documents of at most limit bytes.
func newDocumentReader(r io.Reader, limit int) *documentReader {
	return &documentReader{r: r, limit: limit}
}

// chunk is how many bytes are read at once.
const chunk = 64 << 10

// fill reads more into buf; false at the end of the file.
func (r *documentReader) fill() (bool, error) {
	if r.eof {
		return false, nil
	}
	if r.pos > 0 && cap(r.buf)-len(r.buf) < chunk {
		r.buf = r.buf[:copy(r.buf, r.buf[r.pos:])]
		r.pos = 0
		if cap(r.buf) > maxKept && len(r.buf) < chunk {
			r.buf = append(make([]byte, 0, 4*chunk), r.buf...)
		}
	}
	if cap(r.buf)-len(r.buf) < chunk {
		grown := make([]byte, len(r.buf), 2*cap(r.buf)+4*chunk)
		copy(grown, r.buf)
		r.buf = grown
	}
	for range 100 {
		n, err := r.r.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+n]
		switch {
		case err == io.EOF:
			r.eof = true
			return n > 0, nil
		case err != nil:
			return false, fmt.Errorf("reading line %d: %w", r.line+1, err)
		case n > 0:
			return true, nil
		}
	}
	return false, io.ErrNoProgress
}

// next returns the next document.
func (r *documentReader) next() ([]byte, int64, error) {
	for {
		c, err := r.peek()
		if errors.Is(err, io.EOF) && r.lists > 0 { // a list that is never closed was cut off
			r.lists = 0
			return []byte("["), r.line + 1, nil
		}
		if err != nil {
			return nil, r.line, err
		}
		switch {
		case c == '{':
			return r.document()
		case c == ',' && r.lists > 0:
			r.pos++
		case c == ']' && r.lists > 0:
			r.pos++
			r.lists--
		case c == '[':
			opens, err := r.opens()
			if err != nil {
				return nil, r.line, err
			}
			if !opens {
				return r.raw(r.pos)
			}
			r.pos++
			r.lists++
		default:
			return r.raw(r.pos)
		}
	}
}

// peek passes over what stands between documents, and returns the byte after it.
// That is white space, the record separator of RFC 7464, zeros, and byte order marks.
func (r *documentReader) peek() (byte, error) {
	for {
		for ; r.pos < len(r.buf); r.pos++ {
			switch c := r.buf[r.pos]; c {
			case '\n':
				r.line++
			case ' ', '\t', '\r', 0x1e:
			case 0: // of a file that was written with gaps, or has a zero after each document
				if framed, err := r.framed(); err != nil || framed {
					return c, err
				}
			case bom[0]: // a file that begins with one was put after another
				if isBOM, err := r.bomAt(0); err != nil || !isBOM {
					return c, err
				}
				r.pos += len(bom) - 1
			default:
				return c, nil
			}
		}
		more, err := r.fill()
		if err != nil {
			return 0, err
		}
		if !more {
			return 0, io.EOF
		}
	}
}

// framed reports whether the zero at pos begins a value with the id of its schema: four
// bytes, and then a document.
func (r *documentReader) framed() (bool, error) {
	id := 0
	for k := range 4 {
		c, err := r.at(1 + k)
		if err != nil || k == 0 && c == '\n' { // no id is that large
			return false, err
		}
		id |= int(c)
	}
	if id == 0 { // ids begin at 1: it is a gap of zeros
		return false, nil
	}
	c, err := r.at(5)
	return c == '{' || c == '[', err
}

// bom is the byte order mark of UTF-8.
const bom = "\xef\xbb\xbf"

// bomAt reports whether a byte order mark stands k bytes after pos.
func (r *documentReader) bomAt(k int) (bool, error) {
	for i := range len(bom) {
		c, err := r.at(k + i)
		if err != nil || c != bom[i] {
			return false, err
		}
	}
	return true, nil
}

// at returns the byte that stands k bytes after pos, and reads on if need be; 0 at
// the end of the file.
func (r *documentReader) at(k int) (byte, error) {
	for r.pos+k >= len(r.buf) {
		more, err := r.fill()
		if err != nil || !more {
			return 0, err
		}
	}
	return r.buf[r.pos+k], nil
}

// after returns the first byte from k bytes after pos on that is no blank, and where
// it stands. Lines count as blanks too if all is true. It looks no further than a
// chunk.
func (r *documentReader) after(k int, all bool) (byte, int, error) {
	for end := k + chunk; ; k++ {
		c, err := r.at(k)
		if blank := c == ' ' || c == '\t' || c == '\r' || all && c == '\n'; err != nil || !blank || k == end {
			return c, k, err
		}
	}
}

// opens reports whether the bracket at pos opens a list of documents, rather than a
// line of text.
func (r *documentReader) opens() (bool, error) {
	c, _, err := r.after(1, true)
	return c == '{' || c == '[' || c == ']', err
}

// give returns buf up to end as the next value, and goes on after it.
func (r *documentReader) give(end int) ([]byte, int64, error) {
	value := r.buf[r.pos:end]
	n := r.line + 1
	r.line += int64(bytes.Count(value, []byte{'\n'}))
	r.pos = end
	return bytes.TrimRight(value[:min(len(value), r.limit+1)], " \t\r\n"), n, nil
}

// raw gives the rest of the line that holds at, from pos on. Of a longer one than
// the limit it gives the beginning, and passes over the rest.
func (r *documentReader) raw(at int) ([]byte, int64, error) {
	for {
		if i := bytes.IndexByte(r.buf[at:], '\n'); i >= 0 {
			return r.give(at + i)
		}
		at -= r.pos
		if len(r.buf)-r.pos > r.limit {
			return r.tooLarge(walker{}, len(r.buf))
		}
		before := len(r.buf) - r.pos
		more, err := r.fill()
		if err != nil {
			return nil, r.line, err
		}
		if !more {
			return r.give(len(r.buf))
		}
		at = r.pos + max(at, before)
	}
}

// document gives the document that begins at pos.
func (r *documentReader) document() ([]byte, int64, error) {
	if end := r.wholeLine(); end > 0 {
		return r.give(end)
	}
	var w walker
	for i := r.pos; ; {
		most := r.pos + r.limit + 1
		i, w = w.walk(r.buf[:min(len(r.buf), most)], i)
		switch {
		case w.state == ended:
			return r.ended(i)
		case w.state == broken:
			return r.firstLine(i)
		case i == most:
			return r.tooLarge(w, i)
		}
		at := i - r.pos
		more, err := r.fill()
		if err != nil {
			return nil, r.line, err
		}
		if !more {
			return r.give(len(r.buf)) // it was cut off
		}
		i = r.pos + at
	}
}

// wholeLine returns where the line at pos ends if it looks like one document: its
// braces are in balance, and none closes before another opens. It is a short cut for
// most lines of most files; 0 if the line must be walked.
func (r *documentReader) wholeLine() int {
	n := bytes.IndexByte(r.buf[r.pos:], '\n')
	if n < 2 {
		return 0
	}
	line := bytes.TrimRight(r.buf[r.pos:r.pos+n], "\r")
	if line[len(line)-1] != '}' || bytes.Contains(line, []byte("}{")) || bytes.Contains(line, []byte("} ")) ||
		bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0 || bytes.Contains(line, []byte("}\t")) || several(line) ||
		bytes.Count(line, []byte{'{'}) != bytes.Count(line, []byte{'}'}) {
		return 0
	}
	return r.pos + n
}

// several reports whether the braces of a line are in balance before a comma: it may hold
// documents with commas between them.
func several(line []byte) bool {
	for depth := 0; ; {
		i := bytes.Index(line, []byte("},"))
		if i < 0 {
			return false
		}
		part := line[:i+1]
		if depth += bytes.Count(part, []byte{'{'}) - bytes.Count(part, []byte{'}'}); depth <= 0 {
			return true
		}
		line = line[i+2:]
	}
}

// ended gives the document that ends before i, unless its line goes on with what is
// no document: then all of the line is one value, and no JSON.
func (r *documentReader) ended(i int) ([]byte, int64, error) {
	size := i - r.pos
	c, k, err := r.after(size, false)
	if err != nil {
		return nil, r.line, err
	}
	comma := c == ',' && r.lists == 0
	if comma {
		if c, k, err = r.after(k+1, false); err != nil {
			return nil, r.line, err
		}
	}
	mark, err := r.bomAt(k)
	if err != nil {
		return nil, r.line, err
	}
	switch {
	case mark || c == 0 || c == '\n' || c == '{', !comma && (c == '[' || c == 0x1e), r.lists > 0 && (c == ',' || c == ']'):
		value, n, err := r.give(r.pos + size)
		if comma {
			r.pos += k - size
		}
		return value, n, err
	}
	return r.raw(r.pos + k)
}

// firstLine gives the first line of what has turned out at i to be no document.
func (r *documentReader) firstLine(i int) ([]byte, int64, error) {
	if end := bytes.IndexByte(r.buf[r.pos:i], '\n'); end >= 0 {
		return r.give(r.pos + end)
	}
	return r.raw(i)
}

// tooLarge gives the beginning of a value that is larger than the limit, and passes
// over the rest, from i on: of a document to its end, of text to the end of the line.
func (r *documentReader) tooLarge(w walker, i int) ([]byte, int64, error) {
	value := bytes.TrimRight(bytes.Clone(r.buf[r.pos:r.pos+r.limit+1]), " \t\r\n")
	n := r.line + 1
	for {
		r.line += int64(bytes.Count(r.buf[r.pos:i], []byte{'\n'}))
		r.buf, r.pos = append(r.buf[:0], r.buf[i:]...), 0
		if len(r.buf) == 0 {
			more, err := r.fill()
			if err != nil {
				return nil, r.line, err
			}
			if !more {
				return value, n, nil
			}
		}
		i = 0
		if w.depth > 0 {
			i, w = w.walk(r.buf, 0)
		}
		if w.state == ended {
			r.line += int64(bytes.Count(r.buf[:i], []byte{'\n'}))
			r.pos = i
			return value, n, nil
		}
		if w.depth == 0 || w.state == broken {
			w = walker{}
			if end := bytes.IndexByte(r.buf[i:], '\n'); end >= 0 {
				r.line += int64(bytes.Count(r.buf[:i+end], []byte{'\n'}))
				r.pos = i + end
				return value, n, nil
			}
			i = len(r.buf)
		}
	}
}
