package files

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weirhq/weir/event"
)

// TestRows: rows become objects by the names of their columns.
func TestRows(t *testing.T) {
	for _, c := range []struct {
		name, in string
		comma    rune
		columns  []string
		want     string
	}{
		{"nothing", "", 0, nil, ""},
		{"a header alone", "a,b\n", 0, nil, ""},
		{"rows", "a,b\n1,2\n3,\n", 0, nil, `2:{"a":"1","b":"2"} 3:{"a":"3","b":""}`},
		{"CRLF and empty lines", "a,b\r\n\r\n1,2\r\n", 0, nil, `3:{"a":"1","b":"2"}`},
		{"semicolons", "a;b\n1,5;2\n", 0, nil, `2:{"a":"1,5","b":"2"}`},
		{"tabs", "a\tb\n1\t2\n", 0, nil, `2:{"a":"1","b":"2"}`},
		{"bars", "a|b\n1|2\n", 0, nil, `2:{"a":"1","b":"2"}`},
		{"as databases print tables", " a | b \n----+----\n 1 | x y\n(1 row)\n", 0, nil, `3:{"a":"1","b":"x y"} 4:(1 row)`},
		{"in boxes", "+---+---+\n| a | b |\n+---+---+\n| 1 | 2 |\n+---+---+\n", 0, nil, `4:{"a":"1","b":"2"}`},
		{"in Markdown", "| a | b |\n|---|:-:|\n| 1 | 2 |\n", 0, nil, `3:{"a":"1","b":"2"}`},
		{"quoted", "a,b\n\"1,\"\"x\",2\n", 0, nil, `2:{"a":"1,\"x","b":"2"}`},
		{"over lines", "a,b\n\"x\ny\nz\",2\n3,4\n", 0, nil, `2:{"a":"x\u000ay\u000az","b":"2"} 5:{"a":"3","b":"4"}`},
		{"a quote within a cell", "a,b\n5\" disk,2\n3,4\n", 0, nil, `2:{"a":"5\" disk","b":"2"} 3:{"a":"3","b":"4"}`},
		{"quotes within cells of two rows", "a,b\n5\" disk,2\n\n3,4\n6\" disk,2\n7,8\n", 0, nil, `2:{"a":"5\" disk","b":"2"} 4:{"a":"3","b":"4"} 5:{"a":"6\" disk","b":"2"} 6:{"a":"7","b":"8"}`},
		{"a quote that never closes", "a,b\n\"1,2\n3,4\n", 0, nil, "2:\"1,2 3:{\"a\":\"3\",\"b\":\"4\"}"},
		{"too few cells", "a,b\n1\n3,4\n", 0, nil, `2:1 3:{"a":"3","b":"4"}`},
		{"too many", "a,b\n1,2,3\n3,4,\n", 0, nil, `2:1,2,3 3:{"a":"3","b":"4"}`},
		{"files one after the other", "a,b\n1,2\na,b\n3,4\n", 0, nil, `2:{"a":"1","b":"2"} 4:{"a":"3","b":"4"}`},
		{"columns that are given", "1,2\n", ',', []string{"a", "b"}, `1:1,2`},
		{"W3C", "#Version: 1.0\n#Fields: date time c-ip\n2026-03-02 09:15:27 192.0.2.7\n#Date: x\n2026-03-02 09:15:28 192.0.2.8\n", 0, nil,
			`3:{"date":"2026-03-02","time":"09:15:27","c-ip":"192.0.2.7"} 5:{"date":"2026-03-02","time":"09:15:28","c-ip":"192.0.2.8"}`},
		{"CloudFront", "#Version: 1.0\n#Fields: date time c-ip\n2026-03-02\t09:15:27\t192.0.2.7\n", 0, nil, `3:{"date":"2026-03-02","time":"09:15:27","c-ip":"192.0.2.7"}`},
		{"Zeek", "#separator \\x09\n#fields\tts\tid.orig_h\n#types\ttime\taddr\n1772442927.1\t192.0.2.7\n#close\tx\n", 0, nil, `4:{"ts":"1772442927.1","id.orig_h":"192.0.2.7"}`},
		{"JSON among rows", "{\"a\":\"5\\\" disk\"}\na,b\n1,2\n{\"a\":1}", 0, nil, `1:{"a":"5\" disk"} 3:{"a":"1","b":"2"} 4:{"a":1}`},
		{"what spreadsheets begin with", "sep=|\na,b|c,d\n1|2\n", 0, nil, `3:{"a,b":"1","c,d":"2"}`},
		{"comments before the header", "# made by x\n# on Monday\na,b\n1,2\n", 0, nil, `4:{"a":"1","b":"2"}`},
		{"a title before the header", "Access report, March\nDept: care\ntime,who,customer\n2026-03-02,kim,5\n2026-03-03,ana,6\n", 0, nil, `4:{"time":"2026-03-02","who":"kim","customer":"5"} 5:{"time":"2026-03-03","who":"ana","customer":"6"}`},
		{"a title as spreadsheets fill it up", "Zugriffe;;\n;;\n\"Zeit\";\"Wer\";\"Kunden-Nr.\"\n2026-03-02;kim;5,0\n2026-03-03;ana;6,0\nSumme;;11,0\n", 0, nil, `4:{"Zeit":"2026-03-02","Wer":"kim","Kunden-Nr.":"5,0"} 5:{"Zeit":"2026-03-03","Wer":"ana","Kunden-Nr.":"6,0"} 6:{"Zeit":"Summe","Wer":"","Kunden-Nr.":"11,0"}`},
		{"a title, a comment and sep=", "Report\nsep=;\n# by x\na;b;c,d\n1;2;3\n4;5;6\n", 0, nil, `5:{"a":"1","b":"2","c,d":"3"} 6:{"a":"4","b":"5","c,d":"6"}`},
		{"a header with fewer names than cells is no title", "time,who\nx,kim,\ny,ana,\n", 0, nil, `2:{"time":"x","who":"kim"} 3:{"time":"y","who":"ana"}`},
		{"a header without a name is no title", ",who,what\nx,kim,5\ny,ana,6\n", 0, nil, `2:{"who":"kim","what":"5"} 3:{"who":"ana","what":"6"}`},
		{"a header that begins with #", "#a,b\n1,2\n", 0, nil, `2:{"#a":"1","b":"2"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRowReader(bufio.NewReader(iotest.OneByteReader(strings.NewReader(c.in))), c.comma, c.columns)
			if got := strings.Join(lines(t, r.next), " "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// FuzzRows: whatever comes in, the reader comes to its end.
func FuzzRows(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"a\n", "#Fields: a b\n1 2\n", "a;b\n\"\"\"\n\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r := newRowReader(bufio.NewReader(strings.NewReader(in)), 0, nil)
		for range len(in) + 2 {
			v, _, err := r.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(v) > event.MaxValue+len(in)*6 {
				t.Fatal("a value larger than its limit")
			}
		}
		t.Fatal("it never ends")
	})
}
