package files

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
)

// lines returns what a reader gives: number, and text or length.
func lines(t *testing.T, next func() ([]byte, int64, error)) []string {
	t.Helper()
	var got []string
	for {
		line, n, err := next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(line) > 100 {
			got = append(got, fmt.Sprintf("%d:%d bytes", n, len(line)))
		} else {
			got = append(got, fmt.Sprintf("%d:%s", n, line))
		}
	}
}

func newLines(r io.Reader) func() ([]byte, int64, error) {
	lines := &lineReader{r: bufio.NewReader(r), limit: event.MaxValue}
	return lines.next
}

// TestDirectory: a directory is no file, and the error says what to name instead.
func TestDirectory(t *testing.T) {
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory; name the files in it, as in /") {
		t.Errorf("got %v", err)
	}
}

// TestRecords: lines that begin with a tab belong to the record before them.
func TestRecords(t *testing.T) {
	long := strings.Repeat("x", event.MaxValue-1)
	for in, want := range map[string]string{
		"":                         "",
		"a\nb\n":                   "1:a 2:b",
		"a\n\tb\n\tc\nd":           "1:a\n\tb\n\tc 4:d",
		"a\r\n\r\n\tb\r\n":         "1:a\n\tb",
		"\ta\n\tb\nc\n\td\n":       "1:\ta 2:\tb 3:c\n\td",
		long + "\n\tyy\n\tz\nb\n":  fmt.Sprintf("1:%d bytes 3:\tz 4:b", event.MaxValue+2),
		"a\n\t" + long + "\nb\n":   fmt.Sprintf("1:%d bytes 3:b", event.MaxValue+2),
		long + long + "\n\ty\nb\n": fmt.Sprintf("1:%d bytes 2:\ty 3:b", event.MaxValue+3),
	} {
		r := &recordReader{lines: lineReader{r: bufio.NewReader(strings.NewReader(in)), limit: event.MaxValue}}
		if got := strings.Join(lines(t, r.next), " "); got != want {
			t.Errorf("%.40q: got %q, want %q", in, got, want)
		}
	}
	broken := &recordReader{lines: lineReader{r: bufio.NewReader(io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(io.ErrUnexpectedEOF))), limit: event.MaxValue}}
	if v, _, err := broken.next(); string(v) != "a" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if _, _, err := broken.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", event.MaxValue)
	for _, c := range []struct {
		name, in string
		want     string
	}{
		{"nothing", "", ""},
		{"LF", "a\nb\n", "1:a 2:b"},
		{"CRLF", "a\r\nb\r\n", "1:a 2:b"},
		{"the last without end", "a\nb", "1:a 2:b"},
		{"empty lines", "\n\r\na\n \n\nb\n\n", "3:a 6:b"},
		{"just within the limit", long + "\nb", fmt.Sprintf("1:%d bytes 2:b", event.MaxValue)},
		{"just within the limit, CRLF", long + "\r\nb", fmt.Sprintf("1:%d bytes 2:b", event.MaxValue)},
		{"far beyond the limit", "a\n" + long + long + "\nb", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := lines(t, newLines(iotest.OneByteReader(strings.NewReader(c.in[:min(len(c.in), 1000)]))))
			if len(c.in) > 1000 {
				got = lines(t, newLines(strings.NewReader(c.in)))
			}
			if c.name == "far beyond the limit" {
				var size int
				if len(got) != 3 || got[0] != "1:a" || got[2] != "3:b" {
					t.Fatalf("got %s", got)
				}
				if _, err := fmt.Sscanf(got[1], "2:%d bytes", &size); err != nil || size <= event.MaxValue || size > event.MaxValue+3 {
					t.Errorf("a long line came as %s, want just beyond the limit, to be rejected", got[1])
				}
				return
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// load returns a preset.
func load(t *testing.T, name string) *fieldmap.Format {
	t.Helper()
	f, err := LoadFormat(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// bzipped is content in TestOpen, packed by bzip2, as hexadecimal digits.
const bzipped = "425a68393141592653593c854112000001410000103000200030cc0c7a8271772453850903c8541120"

// packZstd returns b packed by zstd.
func packZstd(t *testing.T, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(b, nil)
}

// TestOpenRefuses: what weir does not read says what it is.
func TestOpenRefuses(t *testing.T) {
	gz := bytes.NewBuffer(nil)
	z := gzip.NewWriter(gz)
	io.WriteString(z, strings.Repeat("\x00", 257)+"ustar")
	z.Close()
	for content, want := range map[string]string{
		"PAR1....": "this is a Parquet file, which weir does not read", "Obj\x01": "this is an Avro file", gz.String(): "this is a tar archive",
		"PK\x03\x04 and no more": "reading the zip",
	} {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestCharsets: UTF-16 is told by itself, other charsets by the format.
func TestCharsets(t *testing.T) {
	latin, err := fieldmap.Parse("x.yaml", []byte("name: x\ncharset: latin1\nmaps: [{fields: {time: t}}]"))
	if err != nil {
		t.Fatal(err)
	}
	native := load(t, "native")
	for in, f := range map[string]*fieldmap.Format{
		"\xff\xfe{\x00}\x00\n\x00{\x00}\x00": native, "\xfe\xff\x00{\x00}\x00\n\x00{\x00}": native, "{\x00}\x00\n\x00{\x00}\x00": native,
		"\xef\xbb\xbf{}\n{}": latin, "{}\r\n{}\r\n": latin,
	} {
		if got := strings.Join(lines(t, NewReader(strings.NewReader(in), f).Next), " "); got != "1:{} 2:{}" {
			t.Errorf("%q: got %q", in, got)
		}
	}
	if got := strings.Join(lines(t, NewReader(strings.NewReader("{\"a\":\"jos\xe9\"}"), latin).Next), " "); got != `1:{"a":"josé"}` {
		t.Errorf("got %q", got)
	}
}

func TestOpen(t *testing.T) {
	const content = "a\nb\n"
	var gz, zst bytes.Buffer
	g := gzip.NewWriter(&gz)
	io.WriteString(g, content)
	g.Close()
	z, err := zstd.NewWriter(&zst)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(z, content)
	z.Close()
	var xzed, zipped bytes.Buffer
	x, err := xz.NewWriter(&xzed)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(x, content)
	x.Close()
	archive := zip.NewWriter(&zipped)
	for _, file := range [][2]string{{"a.json", content}, {"folder/", ""}, {"__MACOSX/a.json", "no"}, {"b.json.gz", gz.String()}} {
		w, err := archive.Create(file[0])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, file[1])
	}
	archive.Close()
	bz, err := hex.DecodeString(bzipped)
	if err != nil {
		t.Fatal(err)
	}
	for name, packed := range map[string][]byte{
		"bzip2": bz, "xz": xzed.Bytes(), "zip": zipped.Bytes(), "zstd of gzip": packZstd(t, gz.Bytes()),
		"utf-8 that looks like nothing": []byte("PKX"),
		"plain":                         []byte(content), "empty": nil, "short": []byte("a"), "gzip": gz.Bytes(), "zstd": zst.Bytes(),
		"gzip members": append(bytes.Clone(gz.Bytes()), gz.Bytes()...),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, packed, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"zip": content + "\n" + content + "\n", "utf-8 that looks like nothing": "PKX", "empty": "", "short": "a", "gzip members": content + content}
		w, ok := want[name]
		if !ok {
			w = content
		}
		if string(got) != w {
			t.Errorf("%s: got %q, want %q", name, got, w)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	cut := filepath.Join(t.TempDir(), "cut.gz")
	if err := os.WriteFile(cut, gz.Bytes()[:gz.Len()-6], 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(cut)
	if err != nil {
		t.Fatal(err)
	}
	lr := NewReader(r, load(t, "native"))
	for err == nil {
		_, _, err = lr.Next()
	}
	if errors.Is(err, io.EOF) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file cut off ends with %v, want an error that is not the end", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that there is no such file", err)
	}
}

func TestReadKey(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	h, err := ReadKey(write("good", "776569722d66697865642d6b65792d31\n"))
	if err != nil || h != event.FixedHasher() {
		t.Errorf("got %v, %v, want the key of FixedHasher", h, err)
	}
	for name, text := range map[string]string{"short": "7765", "long": strings.Repeat("00", 17), "words": "weir-fixed-key-1", "empty": ""} {
		_, err := ReadKey(write(name, text))
		if err == nil || !strings.Contains(err.Error(), "openssl rand -hex 16") {
			t.Errorf("%s: got %v, want how to make a key", name, err)
		}
		if err != nil && text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error tells the key: %v", name, err)
		}
	}
	if _, err := ReadKey(filepath.Join(dir, "none")); err == nil {
		t.Error("a missing file was taken")
	}
}

func TestLoadFormatFaults(t *testing.T) {
	for name, want := range map[string]string{
		"ocfs":           `none is called "ocfs" (did you mean ocsf?); there are native, ocsf, cloudtrail, gcp,`,
		"./missing.yaml": "no such file",
	} {
		if _, err := LoadFormat(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s…", name, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "crm.yaml")
	if err := os.WriteFile(path, []byte("name: crm\nabout: the log of a CRM\nmaps: [{fields: {time: at}}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := LoadFormat(path); err != nil || f.Name() != "crm" || f.About() != "the log of a CRM" {
		t.Errorf("a file of one's own: %v", err)
	}
}

// Zeros after the end of gzip data are padding; other bytes are an error that comes after
// what was read.
func TestGzipPadding(t *testing.T) {
	var packed bytes.Buffer
	for _, text := range []string{"a\n", "b\n"} {
		z := gzip.NewWriter(&packed)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		packed.Write(make([]byte, 512))
	}
	for trailing, want := range map[string]string{"": "a\nb\n <nil>", "\x00\x00": "a\nb\n <nil>", "x": "a\nb\n reading what follows the end of the gzip data: unexpected EOF"} {
		path := filepath.Join(t.TempDir(), "x.gz")
		if err := os.WriteFile(path, append(bytes.Clone(packed.Bytes()), trailing...), 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if got := fmt.Sprint(string(text), " ", err); got != want {
			t.Errorf("after %q: %q, want %q", trailing, got, want)
		}
		in.Close()
	}
}

// Of gzip data that end in the middle what could be unpacked is read, and then said what
// is wrong.
func TestGzipCutOff(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte("a\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Flush(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.gz")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	if string(text) != "a\n" || err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("%q, %v", text, err)
	}
}
