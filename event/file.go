package event

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// OpenRecords opens a file of events for reading; "-" is standard input. What
// gzip or zstd has packed, as its first bytes tell, is unpacked.
func OpenRecords(path string) (io.ReadCloser, error) {
	file := os.Stdin
	if path != "-" {
		var err error
		if file, err = os.Open(path); err != nil {
			return nil, fmt.Errorf("opening the events: %w", err)
		}
	}
	r, err := unpack(file)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("opening the events in %s: %w", path, err)
	}
	return r, nil
}

// maxZstdWindow bounds the memory that a zstd file can ask for.
const maxZstdWindow = 256 << 20

// unpack returns the content of a file that may be packed.
func unpack(file *os.File) (io.ReadCloser, error) {
	r := bufio.NewReaderSize(file, 256<<10)
	head, err := r.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		return unpacked{z, func() error { return errors.Join(z.Close(), file.Close()) }}, nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		return unpacked{z, func() error { z.Close(); return file.Close() }}, nil
	}
	return unpacked{r, file.Close}, nil
}

// unpacked is a reader with what closes it.
type unpacked struct {
	io.Reader
	close func() error
}

func (u unpacked) Close() error { return u.close() }

// LineReader reads the values of a file, one a line: LF or CRLF, the last with
// or without, a byte order mark at the start skipped, and empty lines too. A
// line longer than its limit never stops it: what is returned then is the
// beginning of the line, one byte longer than the limit, so that Decode rejects
// it as too large.
type LineReader struct {
	r     *bufio.Reader
	limit int
	whole bool // the format's files may hold one document over many lines
	line  []byte
	n     int64
}

// NewLineReader returns a reader of lines of at most MaxValue bytes.
func NewLineReader(r io.Reader) *LineReader {
	return &LineReader{r: bufio.NewReaderSize(r, 64<<10), limit: MaxValue}
}

// NewReader returns a reader of a file of the format. Where files of the format
// are documents, and the first line of this one is only the beginning of a JSON
// text, the whole file is one value, with the number of that line.
func (f *Format) NewReader(r io.Reader) *LineReader {
	lr := NewLineReader(r)
	lr.whole = f.document
	if f.explode != nil {
		lr.limit = MaxEnvelope
	}
	return lr
}

// Next returns the next line that is not empty, without its end, and its number
// from 1. The line is valid until the next call. err is io.EOF after the last
// line, or what the reading failed with; the line then is nil.
func (r *LineReader) Next() (line []byte, n int64, err error) {
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
			if isCutOff(line) {
				return r.rest()
			}
		}
		return line, r.n, nil
	}
}

// isCutOff reports whether line is the beginning of a JSON text, but not all.
func isCutOff(line []byte) bool {
	var s scanner
	p := newPattern()
	s.reset(line, p)
	return !s.document(p) && s.at >= len(line)
}

// read reads one line with its end into r.line, up to one byte more than the
// limit and its end; what is longer is passed over.
func (r *LineReader) read() error {
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
func (r *LineReader) rest() ([]byte, int64, error) {
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
