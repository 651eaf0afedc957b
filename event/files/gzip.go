package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// gzipReader reads the members of a gzip file one after the other. Zeros after the last
// one are padding, as tapes and object stores write it.
type gzipReader struct {
	src *bufio.Reader
	now *gzip.Reader
	err error // with which the reading has ended
}

func newGzipReader(src *bufio.Reader) (*gzipReader, error) {
	z, err := gzip.NewReader(src)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &gzipReader{src: src, now: z}, nil
}

func (g *gzipReader) Read(p []byte) (int, error) {
	for g.err == nil {
		n, err := g.now.Read(p)
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			return n, fmt.Errorf("the gzip data end in the middle, as of a file that was cut off: %w", err)
		case !errors.Is(err, io.EOF):
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		g.err = g.nextMember()
	}
	return 0, g.err
}

// nextMember passes over padding, and begins the next member; io.EOF if there is none.
func (g *gzipReader) nextMember() error {
	for {
		head, err := g.src.Peek(1)
		switch {
		case err != nil:
			return err
		case head[0] != 0:
			if err := g.now.Reset(g.src); err != nil {
				return fmt.Errorf("reading what follows the end of the gzip data: %w", err)
			}
			g.now.Multistream(false)
			return nil
		}
		_, _ = g.src.Discard(1) // it was peeked at
	}
}
