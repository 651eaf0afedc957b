package files

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

// Open opens a file of events for reading; "-" is standard input. What
// gzip or zstd has packed, as its first bytes tell, is unpacked.
func Open(path string) (io.ReadCloser, error) {
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
