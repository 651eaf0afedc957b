package fieldmap

import (
	"compress/gzip"
	"strings"
	"testing"

	"github.com/weirhq/weir/event"
)

// parse compiles a field map that must be right.
func parse(t testing.TB, src string) *Format {
	t.Helper()
	f, err := Parse("x.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// first returns what a value becomes, calls of yield joined by a line end.
func first(f *Format, value string) string { return strings.Join(decode(f.NewDecoder(), value), "\n") }

// TestLongClient: releases of a client whose name is longer than MaxText have one
// family.
func TestLongClient(t *testing.T) {
	tail := " cfg/retry-mode#standard md/owner#" + strings.Repeat("customer-team-", 30)
	f := load(t, "native")
	var families []string
	for _, version := range []string{"4.0.1", "4.1.0"} {
		value := `{"time":1772442927123,"client":"exporter/` + version + ` lang/python#3.11.` + version[:1] + tail + `"}`
		f.NewDecoder().Decode([]byte(value), func(ev *event.Event, _ *event.Reject) {
			if len(ev.Client) > event.MaxText || ev.Notes != event.TextShortened {
				t.Errorf("%d bytes, notes %s", len(ev.Client), ev.Notes)
			}
			families = append(families, event.Family(ev.Client))
		})
	}
	if families[0] != families[1] || !strings.HasPrefix(families[0], "exporter lang/python cfg/retry-mode#standard") {
		t.Errorf("two families:\n%s\n%s", families[0], families[1])
	}
}

// TestAddresses: the forms in which logs write the address of a host.
func TestAddresses(t *testing.T) {
	f := load(t, "native")
	for list, want := range map[string]string{`["192.0.2.7","198.51.100.9"]`: `"ip":"192.0.2.7"`, `[null,"x","192.0.2.8"]`: `"ip":"192.0.2.8"`, `[]`: `field_dropped`, `[5]`: `field_dropped`} {
		if got := first(f, `{"time":1772442927123,"ip":`+list+`}`); !strings.Contains(got, want) || strings.Contains(got, "field_dropped") != (want == "field_dropped") {
			t.Errorf("%s: got %s, want %s", list, got, want)
		}
	}
	for in, want := range map[string]string{
		"192.0.2.7":                              "192.0.2.7",
		"192.0.2.7:12345":                        "192.0.2.7",
		"[192.0.2.7]:12345":                      "192.0.2.7",
		"[192.0.2.7]":                            "192.0.2.7",
		"[2001:db8::7]:443":                      "2001:db8::7",
		"[2001:db8::7]":                          "2001:db8::7",
		"2001:DB8:0:0:0:0:0:7":                   "2001:db8::7",
		"2001:db8:0:0:0:0:0:7:443":               "2001:db8::7",
		"2001:db8::7:51234":                      "2001:db8::7",
		"2001:db8::7%eth0":                       "2001:db8::7",
		"[2001:db8::7%25eth0]:443":               "2001:db8::7",
		"::ffff:192.0.2.7":                       "192.0.2.7",
		"[::ffff:192.0.2.7]:443":                 "192.0.2.7",
		" 192.0.2.7 ":                            "192.0.2.7",
		"192.0.2.7/32":                           "192.0.2.7",
		"2001:db8::7/128":                        "2001:db8::7",
		"192.000.002.007":                        "192.0.2.7",
		"192.0.2.7, 198.51.100.9":                "192.0.2.7",
		"tcp://192.0.2.7:443":                    "192.0.2.7",
		"ipv6:%5B2001:db8::7%5D:443":             "2001:db8::7",
		"db.example.com/192.0.2.7:443":           "192.0.2.7",
		"192.0.2.7.51234":                        "192.0.2.7",
		"2001:db8::7.51234":                      "2001:db8::7",
		`[\"192.0.2.7\",\"10.0.0.1\"]`:           "192.0.2.7",
		"<192.0.2.7>":                            "192.0.2.7",
		"192.0.2.7 (host.example)":               "192.0.2.7",
		"host.example[192.0.2.7]":                "192.0.2.7",
		"host.example [192.0.2.7]:25":            "192.0.2.7",
		"(192.0.2.7)":                            "192.0.2.7",
		"192.0.2.7:443/tcp":                      "192.0.2.7",
		"192.0.2.7|51234":                        "192.0.2.7",
		"'192.0.2.7'":                            "192.0.2.7",
		"IPv4:192.0.2.7":                         "192.0.2.7",
		"ip=192.0.2.7":                           "192.0.2.7",
		"192.0.2.7 10.0.0.1":                     "192.0.2.7",
		"192.0.2.7:51234 -> 10.0.0.1:443":        "192.0.2.7",
		"host.example":                           "ip_invalid",
		"1.2.3":                                  "ip_invalid",
		"a/b/c":                                  "ip_invalid",
		"192.0.2.7,198.51.100.9":                 "192.0.2.7",
		"unknown, 192.0.2.7":                     "192.0.2.7",
		`for=192.0.2.7;proto=https, for=1.2.3.4`: "192.0.2.7",
		`proto=https;by=10.0.0.1;for=192.0.2.7`:  "192.0.2.7",
		`192.0.2.7;198.51.100.9`:                 "192.0.2.7",
		` [2001:db8::7]:443 ; 198.51.100.9`:      "2001:db8::7",
		`for=\"[2001:db8::7]:4711\"`:             "2001:db8::7",
		"ipv4:192.0.2.7:443":                     "192.0.2.7",
		"ipv6:[2001:db8::7]:443":                 "2001:db8::7",
		"/192.0.2.7:443":                         "192.0.2.7",
		"192.0.2.7(5432)":                        "192.0.2.7",
		"192.0.2.7#53":                           "192.0.2.7",
		"192.0.2.07":                             "ip_invalid", // seven, or octal seven?
		"192.0.2":                                "ip_invalid",
		"unknown":                                "ip_invalid",
		"[192.0.2.7]x":                           "ip_invalid",
		"s3.amazonaws.com":                       "ip_invalid",
	} {
		f.NewDecoder().Decode([]byte(`{"time":1772442927123,"ip":"`+in+`"}`), func(ev *event.Event, _ *event.Reject) {
			got := ev.IP
			if ev.Notes != 0 {
				got += ev.Notes.String()
			}
			if got != want {
				t.Errorf("%q: got %s, want %s", in, got, want)
			}
		})
	}
}

// TestAddressOfList: a map says which address of a list is meant.
func TestAddressOfList(t *testing.T) {
	const list = `{"t":1772442927123,"xff":"203.0.113.5, 192.0.2.7, 10.0.0.9, 10.0.0.8"}`
	for source, want := range map[string]string{
		`xff`:                                 "203.0.113.5",
		`{path: xff, take: first}`:            "203.0.113.5",
		`{path: xff, take: last}`:             "10.0.0.8",
		`{path: xff, trusted: [10.0.0.0/8]}`:  "192.0.2.7",
		`{path: xff, trusted: [10.0.0.8]}`:    "10.0.0.9",
		`{path: xff, trusted: [0.0.0.0/0]}`:   "203.0.113.5",
		`{path: xff, split: ",", take: last}`: "10.0.0.8",
	} {
		f := parse(t, "name: x\nmaps: [{fields: {time: t, ip: "+source+"}}]")
		if got := first(f, list); !strings.Contains(got, `"ip":"`+want+`"`) {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
}

// TestTimes: times by the names of their forms, of a zone, and in a list.
func TestTimes(t *testing.T) {
	const s, ms = `{"time":"2026-03-02T09:15:27.000Z","action":"read"}`, `{"time":"2026-03-02T09:15:27.123Z","action":"read"}`
	for _, c := range []struct{ source, value, want string }{
		{`t`, `{"t":1772442927.123}`, ms + " time_guessed"},
		{`t`, `{"t":"02/Mar/2026:10:15:27 +0100"}`, s + " time_guessed"},
		{`t`, `{"t":{"$date":"2026-03-02T09:15:27.123Z"}}`, ms},
		{`t`, `{"t":{"$date":{"$numberLong":"1772442927123"}}}`, ms},
		{`t`, `{"t":{"seconds":1772442927,"nanos":123456789}}`, ms},
		{`t`, `{"t":{"seconds":"1772442927"}}`, s},
		{`t`, `{"t":{"_seconds":1772442927,"_nanoseconds":123000000}}`, ms},
		{`t`, `{"t":{"at":5}}`, "time_unreadable at t"},
		{`{path: t, zone: Asia/Seoul}`, `{"t":[2026,3,2,18,15,27,123000000]}`, ms + " time_guessed"},
		{`t`, `{"t":[2026,3,2,9,15]}`, "time_without_zone at t"},
		{`{path: t, zone: UTC}`, `{"t":[2026,3,2]}`, "time_unreadable at t"},
		{`{path: t, zone: UTC}`, `{"t":[2026,3,2,9,15,27,1,1]}`, "time_unreadable at t"},
		{`{path: t, zone: UTC}`, `{"t":[2026,3,2,9,"15"]}`, "time_unreadable at t"},
		{`t`, `{"t":5}`, "time_out_of_range at t"},
		{`{path: t, format: epoch_s}`, `{"t":1772442927.123}`, ms},
		{`{path: t, format: epoch_s}`, `{"t":"1772442927"}`, s},
		{`{path: t, format: epoch_s}`, `{"t":1772442927123}`, "time_out_of_range at t"},
		{`{path: t, unit: ns}`, `{"t":"1772442927123000000"}`, ms},
		{`{path: t, format: [apache, epoch_ms]}`, `{"t":1772442927123}`, ms},
		{`{path: t, format: rfc1123}`, `{"t":"Mon, 02 Mar 2026 09:15:27 GMT"}`, s},
		{`{path: t, format: rfc1123}`, `{"t":"2026-03-02T09:15:27Z"}`, "time_unreadable at t"},
		{`{path: t, zone: Asia/Seoul}`, `{"t":"2026-03-02 18:15:27.123"}`, ms + " time_guessed"},
		{`{path: t, zone: Asia/Seoul, format: iso8601}`, `{"t":"2026-03-02 18:15:27.123"}`, ms},
		{`{path: t, zone: Europe/Berlin, format: "%d.%m.%Y %H:%M:%S"}`, `{"t":"02.03.2026 10:15:27"}`, s},
		{`{path: t, format: iso8601}`, `{"t":"2026-03-02 18:15:27"}`, "time_without_zone at t"},
		{`{join: [d, h], separator: " ", zone: UTC, format: iso8601}`, `{"d":"2026-03-02","h":"09:15:27"}`, s},
		{`[t, u]`, `{"t":1772442927,"u":"2026-03-02T09:15:27.123Z"}`, ms},
		{`[t, u]`, `{"t":"today","u":"2026-03-02T09:15:27.123Z"}`, ms},
		{`[t, u]`, `{"t":"today","u":"1772442927.123"}`, ms + " time_guessed"},
		{`[t, u]`, `{"t":"today"}`, "time_unreadable at t"},
		{`[t, u]`, `{}`, "time_missing at t"},
	} {
		f := parse(t, "name: x\nmaps: [{fields: {time: "+c.source+"}}]")
		if got := first(f, c.value); got != c.want {
			t.Errorf("%s of %s\ngot  %s\nwant %s", c.source, c.value, got, c.want)
		}
	}
	f := parse(t, "name: x\nzone: Asia/Seoul\nmaps: [{fields: {time: {path: t, format: iso8601}}}]")
	if got := first(f, `{"t":"2026-03-02 18:15:27.123"}`); got != ms {
		t.Errorf("the zone of the format: got %s", got)
	}
}

// TestInputs: values that are no JSON.
func TestInputs(t *testing.T) {
	const at, want = "2026-03-02T09:15:27Z", `{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"al ice","records":["4711"]}`
	const fields = "\nmaps: [{fields: {time: t, actor: who, records: id}}]"
	for _, c := range []struct{ input, value, want string }{
		{"input: logfmt", `level=info t=` + at + ` who="al ice" id=4711 debug`, want},
		{"input: logfmt", `t=` + at + ` who="al ice id=4711`, "not_of_input"},
		{"input: logfmt", "words only", "not_of_input"},
		{"input: logfmt", " ", "empty"},
		{"input: json", "\x00\x00\x00\x00\x07" + `{"t":"` + at + `","who":"al ice","id":4711}`, want},
		{"input: json", "\x00\x00\x00\x00\x07\x02", "schema_unknown"},
		{"input: {csv: [t, who, id]}", at + `,"al ice",4711`, want},
		{"input: {csv: [t, who, id], separator: ;}", at + `;al ice;4711`, want},
		{"input: {csv: [t, who, id]}", at + `,al ice`, "not_of_input"},
		{"input: csv", at + `,al ice,4711`, "not_of_input"},
		{"input: csv", `{"t":"` + at + `","who":"al ice","id":"4711"}`, want},
		{`input: {text: '[{t}] "{who}" {id} {}'}`, `[` + at + `] "al ice" 4711 and more`, want},
		{`input: {text: '[{t}] "{who}" {id} {}'}`, `[` + at + `] "al ice" 4711`, "not_of_input"},
		{`input: {text: ['<{t}> {who}:{id}', '{id} {who} @{t}']}`, "4711 al ice @" + at, want},
		{"charset: latin1", "{\"t\":\"" + at + "\",\"who\":\"jos\xe9\"}", strings.Replace(strings.Replace(want, "al ice", "josé", 1), `,"records":["4711"]`, "", 1)},
		{"charset: latin1", `{"t":"` + at + `","who":"josé"}`, strings.Replace(strings.Replace(want, "al ice", "josé", 1), `,"records":["4711"]`, "", 1)},
		{"charset: utf-16", inUTF16(`{"t":"` + at + `","who":"al ice","id":4711}`), want},
		{"charset: euc-kr", "{\"t\":\"" + at + "\",\"who\":\"\xb1\xe8\"}", strings.Replace(strings.Replace(want, "al ice", "김", 1), `,"records":["4711"]`, "", 1)},
	} {
		f := parse(t, "name: x\n"+c.input+fields)
		if got := first(f, c.value); got != c.want {
			t.Errorf("%s of %q\ngot  %s\nwant %s", c.input, c.value, got, c.want)
		}
	}
}

// TestHeaders: what stands before a record is cut off, and its parts are in reach.
func TestHeaders(t *testing.T) {
	const at, want = "2026-03-02T09:15:27Z", `{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["4711"]}`
	const fields = "\nmaps: [{fields: {time: [t, header.time], actor: [who, suser, header.user], records: [id, cs1, header.data.crm.id]}}]"
	for _, c := range []struct{ top, value, want string }{
		{"header: syslog", "<13>Mar  2 09:15:27 h app[1]: {\"t\":\"" + at + "\",\"who\":\"kim\",\"id\":4711}", want},
		{"header: syslog", "<13>1 " + at + ` h a - - [crm id="4711"] {"who":"kim"}`, want},
		{"header: syslog", "<13>1 " + at + ` h a - - [crm id="4711"] { }`, strings.Replace(want, `"actor":"kim",`, "", 1)},
		{"header: syslog", `{"t":"` + at + `","who":"kim","id":4711}`, want},
		{"header: syslog", "<13>Mar  2 09:15:27 h app[1]: words", "not_json"},
		{"header: syslog\ninput: logfmt", "<13>1 " + at + ` h a - - - who=kim id=4711`, want},
		{"header: syslog\ninput: logfmt", "<13>1 " + at + ` h a - - - words only`, "not_of_input"},
		{"header: syslog\ninput: cef", "<13>1 " + at + ` h a - - - CEF:0|a|b|c|d|e|1|suser=kim cs1=4711`, want},
		{"header: syslog\ninput: {csv: [who, id]}", "<13>1 " + at + ` h a - - - kim,4711`, want},
		{"header: syslog\nexplode: 'e[]'", "<13>1 " + at + ` h a - - - {"e":[{"t":"` + at + `","who":"kim","id":4711}]}`, want},
		{"header: ['{time} {user:word}: ', '{time}: ']", at + ` kim: {"id":4711}`, want},
		{"header: ['{time} {user:word}: ', '{time}: ']", at + `: {"id":4711,"who":"kim"}`, want},
		{"header: syslog\nzone: UTC\nuntil: 2026-03-02", `Mar  2 09:15:27 h app: {"who":"kim","id":4711}`, want + " time_guessed"},
		{"header: syslog\nzone: UTC\nuntil: 2026-03-01", `Mar  2 09:15:27 h app: {"who":"kim","id":4711}`, strings.Replace(want, "2026", "2025", 1) + " time_guessed"},
		{"header: syslog\nzone: UTC", `Mar  2 09:15:27 h app: {"who":"kim","id":4711}`, "time_without_year at header.time"},
		{"header: syslog\nuntil: 2026-03-02", `Mar  2 09:15:27 h app: {"who":"kim","id":4711}`, "time_without_zone at header.time"},
		{"input: [base64, gzip, json]", "H4sIAAAAAAACA6tWKlGyUjIyMDLTNTDWNTAKMbC0MjS1MjKPUtJRKs/IB0pmZ+YC2ZkpSlYm5oaGtQDZTr5sMgAAAA==", want},
	} {
		f := parse(t, "name: x\n"+c.top+fields)
		if got := first(f, c.value); got != c.want {
			t.Errorf("%s of %q\ngot  %s\nwant %s", c.top, c.value, got, c.want)
		}
	}
	f := parse(t, "name: x\nheader: syslog\nzone: UTC\nuntil: 2020-01-01"+fields)
	d := f.NewDecoder()
	d.WrittenAt(1772442927123)
	if got := strings.Join(decode(d, `Mar  3 09:15:00 h app: {"who":"kim","id":4711}`), ""); got != strings.Replace(want, "02T09:15:27", "03T09:15:00", 1)+" time_guessed" {
		t.Errorf("a record's own timestamp tells the year: got %s", got)
	}
}

// TestPackedValue: a value that gzip has packed is unpacked.
func TestPackedValue(t *testing.T) {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	for _, err := range []error{second(z.Write([]byte(`{"time":1772442927123,"actor":"kim"}`))), z.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f := load(t, "native")
	if got := first(f, b.String()); !strings.Contains(got, `"actor":"kim"`) {
		t.Errorf("got %s", got)
	}
	if got := first(f, b.String()[:20]); got != "not_of_input" {
		t.Errorf("cut off: got %s", got)
	}
}

// second returns the error of a call that returns something else too.
func second(_ int, err error) error { return err }

// inUTF16 returns an ASCII text in UTF-16, with its byte order mark.
func inUTF16(s string) string {
	out := "\xff\xfe"
	for _, c := range s {
		out += string([]byte{byte(c), 0})
	}
	return out
}
