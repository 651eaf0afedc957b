package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weirhq/weir/event"
	"pgregory.net/rapid"
)

// TestDocuments: where one JSON document ends and the next begins.
func TestDocuments(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"white space", " \n\t\r\n", ""},
		{"one a line", "{}\n{\"a\":1}\n", `1:{} 2:{"a":1}`},
		{"CRLF", "{}\r\n{}\r\n", "1:{} 2:{}"},
		{"empty lines", "\n{}\n\n{}", "2:{} 4:{}"},
		{"one after the other", `{"a":1}{"a":2}{"a":3}`, `1:{"a":1} 1:{"a":2} 1:{"a":3}`},
		{"with a space between", `{"a":1} {"a":2}`, `1:{"a":1} 1:{"a":2}`},
		{"two without a line end, then one", "{}{}\n{}", "1:{} 1:{} 2:{}"},
		{"over many lines", "{\n \"a\": {\n  \"b\": 1\n }\n}\n{\n \"c\": 2\n}\n", "1:{\n \"a\": {\n  \"b\": 1\n }\n} 6:{\n \"c\": 2\n}"},
		{"braces in texts", "{\"a\":\"}{\\\"}{\"}\n{\"b\":\"{\"}", `1:{"a":"}{\"}{"} 2:{"b":"{"}`},
		{"a list", `[{"a":1},{"a":2}]`, `1:{"a":1} 1:{"a":2}`},
		{"a list over lines", "[\n{\"a\":1},\n{\"a\":2}\n]\n", `2:{"a":1} 3:{"a":2}`},
		{"a list, pretty", "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]", "2:{\n    \"a\": 1\n  } 5:{\n    \"a\": 2\n  }"},
		{"lists one after the other", "[{}]\n[{},{}][]\n[\n]", "1:{} 2:{} 2:{}"},
		{"lists in a list", `[[{"a":1}],[{"a":2}]]`, `1:{"a":1} 1:{"a":2}`},
		{"a list that was cut off", "[{},{}", "1:{} 1:{} 1:["},
		{"a list cut off within a document", `[{},{"a":`, `1:{} 1:{"a": 1:[`},
		{"commas at line ends", "{\"a\":1},\n{\"a\":2},\n", `1:{"a":1} 2:{"a":2}`},
		{"files with byte order marks", "{\"a\":1}\n\ufeff{\"a\":2}\ufeff[{}]", `1:{"a":1} 2:{"a":2} 2:{}`},
		{"a letter that begins as one", "ﻀx\n{}", "1:ﻀx 2:{}"},
		{"record separators", "\x1e{\"a\":1}\n\x1e{\"a\":2}\n", `1:{"a":1} 2:{"a":2}`},
		{"zeros after each", "{\"a\":1}\x00{\"a\":2}\x00\n\x00\x00\x00{\"a\":3}\x00", `1:{"a":1} 1:{"a":2} 2:{"a":3}`},
		{"a gap of zeros", "{\"a\":1}\x00\x00\x00\x00\x00\x00\x00{\"a\":2}\x00\x00", `1:{"a":1} 1:{"a":2}`},
		{"the id of a schema", "\x00\x00\x00\x00\x07{\"a\":1}\n", "1:\x00\x00\x00\x00\x07{\"a\":1}"},
		{"tabs and commas between", "{\"a\":[{},{}]}\t{\"a\":2}\n{\"a\":3},{\"a\":4}\n{\"a\":{\"b\":1},\"c\":2}\n", `1:{"a":[{},{}]} 1:{"a":2} 2:{"a":3} 2:{"a":4} 3:{"a":{"b":1},"c":2}`},
		{"line ends of three kinds", "{\"a\":1}\r{\"a\":2}\r\n{\"a\":3}\n{\"a\":4}\r{\"a\":5}\n", `1:{"a":1} 1:{"a":2} 2:{"a":3} 3:{"a":4} 3:{"a":5}`},
		{"no JSON", "x\ny z\n", "1:x 2:y z"},
		{"a log line in brackets", "[2026-03-02] started\n{}", "1:[2026-03-02] started 2:{}"},
		{"scalars", "5\n\"a\"\n{}", `1:5 2:"a" 3:{}`},
		{"more after a document", "{} more\n{}}\n{}", "1:{} more 2:{}} 3:{}"},
		{"a line cut off in a text", "{\"a\":\"b\n{}\n{}", `1:{"a":"b 2:{} 3:{}`},
		{"a line cut off after a value", "{\"a\":1\n{}\n{}", `1:{"a":1 2:{} 3:{}`},
		{"a line cut off after a comma", "{\"a\":1,\n{}\n{}", `1:{"a":1, 2:{} 3:{}`},
		{"a line cut off after a colon", "{\"a\":\n{}\n{}\n{}", `1:{"a": 2:{} 3:{} 4:{}`},
		{"a line cut off in a list", "{\"a\":[\n{}\n{}\n{}", `1:{"a":[ 2:{} 3:{} 4:{}`},
		{"cut off at the end", "{}\n{\"a\":{\n\"b\":1", "1:{} 2:{\"a\":{\n\"b\":1"},
		{"deeper than can be", strings.Repeat(`{"a":`, 40) + "\n{}", "1:" + strings.Repeat(`{"a":`, 40) + " 2:{}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in)), iotest.DataErrReader(strings.NewReader(c.in))} {
				if got := strings.Join(lines(t, newDocumentReader(r, event.MaxEnvelope).next), " "); got != c.want && len(c.want) < 200 {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
		})
	}
}

// TestLargeDocuments: what is larger than the limit costs one value, whatever its
// form, and what follows is read.
func TestLargeDocuments(t *testing.T) {
	const limit = 100_000
	many := strings.Repeat("x", 300_000)
	for name, in := range map[string]string{
		"a line of text":              many + "\n",
		"a document on a line":        `{"a":"` + many + "\"}\n",
		"a document over many lines":  "{\"a\":[\n" + strings.Repeat("{\"b\":1},\n", 50_000) + "{}]}\n",
		"a document without line end": `{"a":"` + many + `"}`,
		"a text that never ends":      `{"a":"` + many + "\n",
		"a bracket of text":           "[" + many + "\n",
	} {
		for _, r := range []io.Reader{strings.NewReader(in + `{"c":1}`), iotest.HalfReader(strings.NewReader(in + `{"c":1}`))} {
			docs := newDocumentReader(r, limit)
			var sizes []string
			for {
				v, _, err := docs.next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(v) > limit {
					sizes = append(sizes, "large")
				} else {
					sizes = append(sizes, string(v))
				}
			}
			if got := strings.Join(sizes, " "); got != `large {"c":1}` {
				t.Errorf("%s: got %.200s", name, got)
			}
			if cap(docs.buf) > 8*limit {
				t.Errorf("%s: the buffer has grown to %d bytes", name, cap(docs.buf))
			}
		}
	}
}

// TestReaderFails: an error of what is read is no end of it.
func TestReaderFails(t *testing.T) {
	for _, in := range []string{"", "{}\n", `{"a":`, "[", "x"} {
		r := newDocumentReader(io.MultiReader(strings.NewReader(in), iotest.ErrReader(errors.New("broken"))), 1000)
		var err error
		for err == nil {
			_, _, err = r.next()
		}
		if errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "broken") {
			t.Errorf("%q: got %v", in, err)
		}
	}
}

// TestDocumentsAreFound: documents are found however they are laid out.
func TestDocumentsAreFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := rapid.SampledFrom([]string{`{}`, `{"a":1}`, "{\n\"a\":[{},\n{}]}", `{"a":"}{[]\\\"\n"}`, "{ \"b\" :\n{}}"})
		want := rapid.SliceOfN(doc, 0, 6).Draw(t, "documents")
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], `\n"}`, `n"}`)
		}
		var in string
		switch rapid.IntRange(0, 2).Draw(t, "layout") {
		case 0:
			for _, d := range want {
				in += d + rapid.SampledFrom([]string{"", "\n", " ", "\r\n"}).Draw(t, "between")
			}
		case 1:
			in = "[" + strings.Join(want, rapid.SampledFrom([]string{",", ",\n", " ,\r\n "}).Draw(t, "between")) + "]"
		case 2:
			for _, d := range want {
				in += d + ",\n"
			}
		}
		docs := newDocumentReader(iotest.OneByteReader(strings.NewReader(in)), 1000)
		var got []string
		for {
			v, _, err := docs.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(v))
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Fatalf("in %q\ngot  %q\nwant %q", in, got, want)
		}
	})
}

// FuzzDocuments: nothing is lost. Each byte that is no white space or separator is
// part of a value, however the input is cut when it is read.
func FuzzDocuments(f *testing.F) {
	for _, s := range []string{"{}\n{}", `[{"a":1},{}]`, "{\"a\":[\n{},\n", "x\n[y\n", "\x1e{}", `{"a":"b\"}`, "{},\n{}", "[[]]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		read := func(r io.Reader) string {
			docs := newDocumentReader(r, 200)
			var all strings.Builder
			for range 10 * (len(in) + 1) {
				v, n, err := docs.next()
				if errors.Is(err, io.EOF) {
					return all.String()
				}
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&all, "%d:%s|", n, v)
			}
			t.Fatal("it never ends")
			return ""
		}
		once := read(bytes.NewReader(in))
		if again := read(iotest.OneByteReader(bytes.NewReader(in))); again != once {
			t.Fatalf("at once %q\nbyte by byte %q", once, again)
		}
		if len(in) <= 200 {
			for _, c := range "abcxyz0123456789" {
				// The bracket of a list that was cut off is given in its place.
				if strings.Count(strings.ReplaceAll(once, "\n", ""), string(c)) < bytes.Count(in, []byte(string(c))) {
					t.Fatalf("%q is missing: %q became %q", c, in, once)
				}
			}
		}
	})
}
