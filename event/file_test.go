package event

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
)

// lines returns what a reader gives: number, and text or length.
func lines(t *testing.T, r *LineReader) []string {
	t.Helper()
	var got []string
	for {
		line, n, err := r.Next()
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

func TestLineReader(t *testing.T) {
	long := strings.Repeat("x", MaxValue)
	for _, c := range []struct {
		name, in string
		want     string
	}{
		{"nothing", "", ""},
		{"LF", "a\nb\n", "1:a 2:b"},
		{"CRLF", "a\r\nb\r\n", "1:a 2:b"},
		{"the last without end", "a\nb", "1:a 2:b"},
		{"empty lines", "\n\r\na\n \n\nb\n\n", "3:a 6:b"},
		{"byte order mark", "\ufeffa\n", "1:a"},
		{"byte order mark and nothing", "\ufeff", ""},
		{"just within the limit", long + "\nb", fmt.Sprintf("1:%d bytes 2:b", MaxValue)},
		{"just within the limit, CRLF", long + "\r\nb", fmt.Sprintf("1:%d bytes 2:b", MaxValue)},
		{"far beyond the limit", "a\n" + long + long + "\nb", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := lines(t, NewLineReader(iotest.OneByteReader(strings.NewReader(c.in[:min(len(c.in), 1000)]))))
			if len(c.in) > 1000 {
				got = lines(t, NewLineReader(strings.NewReader(c.in)))
			}
			if c.name == "far beyond the limit" {
				var size int
				if len(got) != 3 || got[0] != "1:a" || got[2] != "3:b" {
					t.Fatalf("got %s", got)
				}
				if _, err := fmt.Sscanf(got[1], "2:%d bytes", &size); err != nil || size <= MaxValue || size > MaxValue+3 {
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

// TestLongLineIsOneReject: what the reader gives of a long line, the decoder
// rejects once, as too large.
func TestLongLineIsOneReject(t *testing.T) {
	r := NewLineReader(strings.NewReader(strings.Repeat(`{"time":`, MaxValue) + "\n" + sampleNative))
	d := load(t, "native").NewDecoder()
	var got []string
	for {
		line, _, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, decode(d, string(line))...)
	}
	if len(got) != 2 || got[0] != "too_large" || got[1] != sampleNative {
		t.Errorf("got %s", got)
	}
}

func TestDocument(t *testing.T) {
	f := load(t, "cloudtrail")
	for name, c := range map[string]struct{ in, want string }{
		"over many lines":     {"\ufeff\n{\n \"Records\": [\n]\n}\n", "2:{\n \"Records\": [\n]\n}\n"},
		"one line":            {`{"Records":[]}` + "\n", `1:{"Records":[]}`},
		"one envelope a line": {"{\"Records\":[]}\n{\"Records\":[]}\n", `1:{"Records":[]} 2:{"Records":[]}`},
		"no JSON":             {"x\ny\n", "1:x 2:y"},
	} {
		if got := strings.Join(lines(t, f.NewReader(strings.NewReader(c.in))), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestOpenRecords(t *testing.T) {
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
	for name, packed := range map[string][]byte{
		"plain": []byte(content), "empty": nil, "short": []byte("a"), "gzip": gz.Bytes(), "zstd": zst.Bytes(),
		"gzip members": append(bytes.Clone(gz.Bytes()), gz.Bytes()...),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, packed, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := OpenRecords(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"empty": "", "short": "a", "gzip members": content + content}
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
	r, err := OpenRecords(cut)
	if err != nil {
		t.Fatal(err)
	}
	lr := NewLineReader(r)
	for err == nil {
		_, _, err = lr.Next()
	}
	if errors.Is(err, io.EOF) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file cut off ends with %v, want an error that is not the end", err)
	}
	if _, err := OpenRecords(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that there is no such file", err)
	}
}
