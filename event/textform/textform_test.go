package textform

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestForms: what each form makes of a text; "" where it is none of the form.
func TestForms(t *testing.T) {
	for _, c := range []struct{ form, in, want string }{
		{"cef", `CEF:0|Acme|CRM|4.2|read|record viewed|3|src=192.0.2.7 suser=kim`, `{"version":"0","deviceVendor":"Acme","deviceProduct":"CRM","deviceVersion":"4.2","deviceEventClassId":"read","name":"record viewed","severity":"3","src":"192.0.2.7","suser":"kim"}`},
		{"cef", `CEF:1|A\|B|C\\D|||||msg=a\=b c\\d request=https://x/y?id=5&z=6 act=read it`, `{"version":"1","deviceVendor":"A|B","deviceProduct":"C\\D","msg":"a=b c\\d","request":"https://x/y?id=5&z=6","act":"read it"}`},
		{"cef", `CEF:0|a|b|c|d|e|1|cs1Label=Customer ID cs1=4711 cn1Label=rows cs2Label=none suser=x suserLabel=suser`, `{"version":"0","deviceVendor":"a","deviceProduct":"b","deviceVersion":"c","deviceEventClassId":"d","name":"e","severity":"1","cs1Label":"Customer ID","cs1":"4711","cn1Label":"rows","cs2Label":"none","suser":"x","suserLabel":"suser","Customer ID":"4711"}`},
		{"cef", `Mar  2 09:15:27 gw CEF:0|a|b|c|d|e|1|suser=CORP\nina empty= dvc=x`, `{"version":"0","deviceVendor":"a","deviceProduct":"b","deviceVersion":"c","deviceEventClassId":"d","name":"e","severity":"1","suser":"CORP\\nina","dvc":"x"}`},
		{"cef", `CEF:0|a|b|c|d|e|1|`, `{"version":"0","deviceVendor":"a","deviceProduct":"b","deviceVersion":"c","deviceEventClassId":"d","name":"e","severity":"1"}`},
		{"cef", `CEF:0|a|b|c|d|e\|1|`, ""},
		{"cef", `xCEF:0|a|b|c|d|e|1|`, ""},
		{"leef", "LEEF:1.0|Acme|CRM|4.2|read|usrName=kim\tsrc=192.0.2.7\turl=/a?b=c\n", `{"version":"1.0","deviceVendor":"Acme","deviceProduct":"CRM","deviceVersion":"4.2","eventId":"read","usrName":"kim","src":"192.0.2.7","url":"/a?b=c"}`},
		{"leef", "LEEF:2.0|Acme|CRM|4.2|read|^|usrName=kim lee^src=192.0.2.7", `{"version":"2.0","deviceVendor":"Acme","deviceProduct":"CRM","deviceVersion":"4.2","eventId":"read","usrName":"kim lee","src":"192.0.2.7"}`},
		{"leef", "LEEF:2.0|a|b|c|d|0x7C|usrName=kim|src=192.0.2.7", `{"version":"2.0","deviceVendor":"a","deviceProduct":"b","deviceVersion":"c","eventId":"d","usrName":"kim","src":"192.0.2.7"}`},
		{"leef", "LEEF:2.0|a|b|c|d|x09|usrName=kim\tsrc=192.0.2.7", `{"version":"2.0","deviceVendor":"a","deviceProduct":"b","deviceVersion":"c","eventId":"d","usrName":"kim","src":"192.0.2.7"}`},
		{"leef", "LEEF:2.0|a|b|c|d|usrName=kim\tsrc=192.0.2.7", `{"version":"2.0","deviceVendor":"a","deviceProduct":"b","deviceVersion":"c","eventId":"d","usrName":"kim","src":"192.0.2.7"}`},
		{"leef", "LEEF:1.0|a|b|c|d|usrName=kim lee src=192.0.2.7", `{"version":"1.0","deviceVendor":"a","deviceProduct":"b","deviceVersion":"c","eventId":"d","usrName":"kim lee","src":"192.0.2.7"}`},
		{"leef", "LEEF:1.0|a|b|c", ""},
		{"logfmt", `a=1 b="x y" c`, `{"a":"1","b":"x y"}`},
		{"query", `/x?a=1&b=%C3%A9#c`, `{"a":"1","b":"é"}`},
	} {
		form, ok := Named(c.form)
		if !ok {
			t.Fatal(c.form)
		}
		out, ok := form(nil, c.in)
		if got := string(out); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s of %q\ngot  %s %t\nwant %s", c.form, c.in, got, ok, c.want)
		}
	}
}

// TestLongForms: a long text costs time in proportion to its length.
func TestLongForms(t *testing.T) {
	for _, unit := range []string{"=", "a=", "a= ", `\`, " ", `[a b="`, "|", "\t"} {
		long := strings.Repeat(unit, 1<<20/len(unit))
		for _, head := range []string{"CEF:0|a|b|c|d|e|1|", "LEEF:1.0|a|b|c|d|", "<13>1 - - - - - ", "Mar  2 09:15:27 "} {
			CEF(nil, head+long)
			LEEF(nil, head+long)
			Syslog(head + long)
		}
	}
}

// TestSyslog: the header of a line, and what remains.
func TestSyslog(t *testing.T) {
	for _, c := range []struct{ in, head, rest string }{
		{`<134>1 2026-03-02T09:15:27.123Z host app 4242 READ [crm@32473 customer="4711" q="a\"b\]c\\"][origin ip="192.0.2.7"] {"a":1}`,
			`{"priority":"134","time":"2026-03-02T09:15:27.123Z","host":"host","app":"app","pid":"4242","msgid":"READ","data":{"crm@32473":{"customer":"4711","q":"a\"b]c\\"},"origin":{"ip":"192.0.2.7"}}}`, `{"a":1}`},
		{"<165>1 - - - - - -", `{"priority":"165"}`, ""},
		{"<165>1 - - - - - - \ufeffCEF:0|", `{"priority":"165"}`, "CEF:0|"},
		{`<165>1 2026-03-02T09:15:27Z h a - - [empty] m`, `{"priority":"165","time":"2026-03-02T09:15:27Z","host":"h","app":"a"}`, "m"},
		{`83 <165>1 2026-03-02T09:15:27Z h a - - - m`, `{"priority":"165","time":"2026-03-02T09:15:27Z","host":"h","app":"a"}`, "m"},
		{`<165>1 2026-03-02T09:15:27Z h a - - [broken x=1] m`, "", ""},
		{`<165>1 2026-03-02T09:15:27Z h a`, "", ""},
		{"<34>Oct 11 22:14:15 mymachine su: 'su root' failed", `{"priority":"34","time":"Oct 11 22:14:15","host":"mymachine","app":"su"}`, "'su root' failed"},
		{"Mar  2 09:15:27 host postgres[4242]: [7-1] LOG:  x", `{"time":"Mar  2 09:15:27","host":"host","app":"postgres","pid":"4242"}`, "[7-1] LOG:  x"},
		{"Mar  2 09:15:27 host app: @cee: {\"a\":1}", `{"time":"Mar  2 09:15:27","host":"host","app":"app"}`, `{"a":1}`},
		{"Mar 02 2026 09:15:27 UTC fw CEF:0|a|b|c|d|e|1|msg=x: y", `{"time":"Mar 02 2026 09:15:27 UTC","host":"fw"}`, "CEF:0|a|b|c|d|e|1|msg=x: y"},
		{"2026-03-02T09:15:27.123456+01:00 host sshd[1]: a: b", `{"time":"2026-03-02T09:15:27.123456+01:00","host":"host","app":"sshd","pid":"1"}`, "a: b"},
		{"<13>2026-03-02T09:15:27Z host {\"a\":\"b: c\"}", `{"priority":"13","time":"2026-03-02T09:15:27Z","host":"host"}`, `{"a":"b: c"}`},
		{"<189>45: *Mar  2 09:15:27.123: %SEC-6-X: y", `{"priority":"189","time":"Mar  2 09:15:27.123","app":"%SEC-6-X"}`, "y"},
		{"Mar  2 09:15:27 app[3]: user=kim x=\"a: b\"", `{"time":"Mar  2 09:15:27","app":"app","pid":"3"}`, `user=kim x="a: b"`},
		{"Mar  2 09:15:27 host user=kim x=\"a: b\"", `{"time":"Mar  2 09:15:27","host":"host"}`, `user=kim x="a: b"`},
		{"<13>no time here", `{"priority":"13"}`, "no time here"},
		{`{"a":"Mar  2 09:15:27"}`, "", ""},
		{"March 2 is no header", "", ""},
		{"Mar  2 09:15:27", `{"time":"Mar  2 09:15:27"}`, ""},
		{"", "", ""},
	} {
		head, rest := Syslog(c.in)
		if c.head == "" {
			c.rest = c.in
		}
		if string(head) != c.head || rest != c.rest {
			t.Errorf("%q\ngot  %s and %q\nwant %s and %q", c.in, head, rest, c.head, c.rest)
		}
	}
}

// TestTemplate: a pattern takes a text apart, and as a header the beginning of one.
func TestTemplate(t *testing.T) {
	for _, c := range []struct{ pattern, in, want string }{
		{"{a} {b}", "x y z", `{"a":"x","b":"y z"}`},
		{"{a} [{b:word}] {c}", "x [y] z", `{"a":"x","b":"y","c":"z"}`},
		{"{a} [{b:word}] {c}", "x [y y] z", ""},
		{`"{a}" {b:word}`, `"x\" y" z`, `{"a":"x\\\" y","b":"z"}`},
		{`"{a}" {b:word}`, `"x" y z`, ""},
		{"<{a}>", "<x> ", ""},
	} {
		p, err := ParseTemplate(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		out, ok := Any([]*Template{p})(nil, c.in)
		if ok != (c.want != "") || ok && string(out) != c.want {
			t.Errorf("%s of %q: got %s %t, want %s", c.pattern, c.in, out, ok, c.want)
		}
	}
	for _, bad := range []string{"none", "{a", "{a}{b}", "{a:digits} "} {
		if _, err := ParseTemplate(bad); err == nil {
			t.Errorf("%q is taken for a pattern", bad)
		}
	}
	p, err := ParseTemplate("{time} {stream:word} ")
	if err != nil {
		t.Fatal(err)
	}
	head, rest := AnyHeader([]*Template{p})("2026-03-02T09:15:27Z stdout F {}")
	if string(head) != `{"time":"2026-03-02T09:15:27Z","stream":"stdout"}` || rest != "F {}" || p.Open() {
		t.Errorf("got %s and %q", head, rest)
	}
	nameless, err := ParseTemplate("{} {} ")
	if err != nil {
		t.Fatal(err)
	}
	if head, rest := AnyHeader([]*Template{nameless})("a b {}"); string(head) != "{}" || rest != "{}" {
		t.Errorf("of parts without names: got %s and %q", head, rest)
	}
	if head, rest := AnyHeader([]*Template{p})("short"); head != nil || rest != "short" {
		t.Errorf("got %s and %q", head, rest)
	}
}

// FuzzForms: whatever the text, what a form or header makes of it is JSON.
func FuzzForms(f *testing.F) {
	for _, s := range []string{`CEF:0|a|b|c|d|e|1|k=v \= w cs1Label=x cs1=y`, "LEEF:2.0|a|b|c|d|x09|k=v\tl=w", "LEEF:1.0|a|b|c|d|k=v l=w",
		`<13>1 2026-03-02T09:15:27Z h a p m [x y="z\"]"] m`, "12 <13>Mar  2 09:15:27 h a[1]: m", "a=1 b=\"c\"", "x?a=b&c=%20"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // the decoder refuses it before
		}
		for _, name := range []string{"cef", "leef", "logfmt", "query"} {
			form, _ := Named(name)
			if out, ok := form(nil, s); ok && (!json.Valid(out) || len(out) > 16*len(s)+200) {
				t.Fatalf("%s of %q: %s", name, s, out)
			}
		}
		head, rest := Syslog(s)
		if head != nil && !json.Valid(head) || !strings.HasSuffix(s, rest) {
			t.Fatalf("syslog of %q: %s, %q", s, head, rest)
		}
	})
}
