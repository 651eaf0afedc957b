package files

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Open opens a file of events for reading; "-" is standard input. What gzip, zstd,
// bzip2, xz or zip has packed, as its first bytes tell, is unpacked; so is what is
// packed within. The files of a zip are read one after the other.
func Open(path string) (io.ReadCloser, error) {
	file := os.Stdin
	if path != "-" {
		var err error
		if file, err = os.Open(path); err != nil {
			return nil, fmt.Errorf("opening the events: %w", err)
		}
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		file.Close()
		return nil, fmt.Errorf("opening the events: %s is a directory; name the files in it, as in %s", path, filepath.Join(path, "*"))
	}
	r, err := unpackFile(file)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("opening the events in %s: %w", path, err)
	}
	return r, nil
}

const (
	// maxZstdWindow bounds the memory that a zstd file can ask for.
	maxZstdWindow = 256 << 20
	// maxPacked is how often a file may be packed.
	maxPacked = 3
)

// unpackFile returns the content of a file that may be packed.
func unpackFile(file *os.File) (io.ReadCloser, error) {
	r := bufio.NewReaderSize(file, 256<<10)
	head, _ := r.Peek(headSize) // what is wrong with it is met again when it is read
	if kindOf(head) == "zip" {
		info, err := file.Stat()
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, errors.New("a zip cannot be read from a pipe; name the file, or unpack it by unzip -p")
		}
		z, err := zip.NewReader(file, info.Size())
		if err != nil {
			return nil, fmt.Errorf("reading the zip: %w", err)
		}
		return unpacked{&zipReader{files: z.File}, file.Close}, nil
	}
	content, closed, err := unpack(r, maxPacked)
	if err != nil {
		return nil, err
	}
	return unpacked{content, func() error { closed(); return file.Close() }}, nil
}

// unpack returns the content of what may be packed, and what ends the reading.
func unpack(r *bufio.Reader, most int) (io.Reader, func(), error) {
	head, _ := r.Peek(headSize) // what is wrong with it is met again when it is read
	var content io.Reader
	var err error
	end := func() {}
	switch kind := kindOf(head); kind {
	case "":
		return r, end, nil
	case "zip":
		return nil, nil, errors.New("this is a zip in something that is packed itself; unpack that first")
	case "gzip":
		content, err = newGzipReader(r)
	case "bzip2":
		content = bzip2.NewReader(r)
	case "xz":
		content, err = xz.NewReader(r)
	case "zstd":
		var z *zstd.Decoder
		z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		content, end = z, func() { z.Close() }
	default:
		return nil, nil, fmt.Errorf("this is %s, which weir does not read; unpack it, or convert it to JSON or CSV", kind)
	}
	if err != nil {
		return nil, nil, err
	}
	if most == 0 {
		end()
		return nil, nil, fmt.Errorf("this is packed more than %d times", maxPacked)
	}
	inner, innerEnd, err := unpack(bufio.NewReaderSize(content, 64<<10), most-1)
	if err != nil {
		end()
		return nil, nil, err
	}
	return inner, func() { innerEnd(); end() }, nil
}

// headSize is how many bytes tell what a file is.
const headSize = 512

// magic are the first bytes of files, and what they tell.
var magic = []struct {
	at    int
	bytes string
	kind  string
}{
	{0, "\x1f\x8b", "gzip"},
	{0, "\x28\xb5\x2f\xfd", "zstd"},
	{0, "BZh", "bzip2"},
	{0, "\xfd7zXZ\x00", "xz"},
	{0, "PK\x03\x04", "zip"},
	{0, "PK\x05\x06", "zip"},
	{0, "\xff\xfe\x00\x00", "text in UTF-32"},
	{0, "\x00\x00\xfe\xff", "text in UTF-32"},
	{0, "\x04\x22\x4d\x18", "an lz4 file"},
	{0, "\xff\x06\x00\x00sNaPpY", "a snappy file"},
	{0, "\x1f\x9d", "a file packed by compress"},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive"},
	{0, "Rar!\x1a\x07", "a rar archive"},
	{257, "ustar", "a tar archive"},
	{0, "PAR1", "a Parquet file"},
	{0, "Obj\x01", "an Avro file"},
	{0, "ORC", "an ORC file"},
	{0, "SQLite format 3\x00", "an SQLite database"},
	{0, "ElfFile\x00", "a Windows event log"},
	{0, "\xd0\xcf\x11\xe0", "an Office document"},
	{0, "%PDF-", "a PDF document"},
}

// kindOf returns what a file is by its first bytes; "" for what may be text.
func kindOf(head []byte) string {
	for _, m := range magic {
		if len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.bytes)) {
			return m.kind
		}
	}
	return ""
}

// unpacked is a reader with what closes it.
type unpacked struct {
	io.Reader
	close func() error
}

func (u unpacked) Close() error { return u.close() }

// zipReader reads the files of a zip one after the other, each on lines of its own.
type zipReader struct {
	files []*zip.File
	now   io.Reader
	end   func()
}

func (z *zipReader) Read(p []byte) (int, error) {
	for {
		if z.now == nil {
			if len(z.files) == 0 {
				return 0, io.EOF
			}
			if err := z.open(z.files[0]); err != nil {
				return 0, err
			}
			z.files = z.files[1:]
			continue
		}
		n, err := z.now.Read(p)
		if errors.Is(err, io.EOF) {
			z.end()
			z.now, err = nil, nil
			if n < len(p) {
				p[n] = '\n'
				return n + 1, nil
			}
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// open opens a file of the zip, unless it is a folder or what macOS adds.
func (z *zipReader) open(f *zip.File) error {
	if strings.HasSuffix(f.Name, "/") || strings.HasPrefix(f.Name, "__MACOSX/") {
		return nil
	}
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("opening %q in the zip: %w", f.Name, err)
	}
	content, end, err := unpack(bufio.NewReaderSize(r, 64<<10), maxPacked)
	if err != nil {
		r.Close()
		return fmt.Errorf("opening %q in the zip: %w", f.Name, err)
	}
	z.now, z.end = content, func() { end(); r.Close() }
	return nil
}
