package fieldmap

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/valyala/fastjson"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
)

// load returns a preset.
func load(t testing.TB, name string) *Format {
	t.Helper()
	f, ok, err := Preset(name)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return f
}

// decode returns what a value becomes, one line for each call of yield.
func decode(d *Decoder, value string) []string {
	var got []string
	d.Decode([]byte(value), func(ev *event.Event, rej *event.Reject) {
		got = append(got, Describe(ev, rej))
	})
	return got
}

func TestNative(t *testing.T) {
	const at = `"time":"2026-03-01T09:15:27.123Z"`
	const read = `{` + at + `,"action":"read"`
	for _, c := range []struct{ name, value, want string }{
		{"nothing but a time is a read", `{` + at + `}`, read + `}`},
		{"integer time is milliseconds", `{"time":1772356527123}`, read + `}`},
		{"microseconds are cut, not rounded", `{"time":"2026-03-01T09:15:27.1239Z"}`, read + `}`},
		{"an offset is applied", `{"time":"2026-03-01T18:15:27.123+09:00"}`, read + `}`},
		{"white space all over", " {\t\"time\" :\n1772356527123 , \"actor\": \"a\" } \r\n", read + `,"actor":"a"}`},
		{"unknown keys are passed over", `{"x":{"time":1,"y":[1,{"actor":"no"}]},` + at + `}`, read + `}`},
		{"null, empty and absent are the same", `{` + at + `,"actor":null,"client":"","records":null,"rows":null}`, read + `}`},
		{"an action in capitals", `{` + at + `,"action":"DELETE"}`, `{` + at + `,"action":"delete"}`},
		{"unknown action is a read, noted", `{` + at + `,"action":"purge"}`, read + `} action_unknown`},
		{"an event cannot have itself ignored", `{` + at + `,"action":"ignore"}`, read + `} action_unknown`},
		{"integer actor", `{` + at + `,"actor":42}`, read + `,"actor":"42"}`},
		{"an object is no actor", `{` + at + `,"actor":{"name":"a"},"client":"c"}`, read + `,"client":"c"} field_dropped`},
		{"nor is a boolean or a decimal", `{` + at + `,"actor":true,"client":1.5}`, read + `} field_dropped`},
		{"escapes", `{` + at + `,"actor":"\u00e9\n\"\\\/\ud83d\ude00"}`, read + `,"actor":"é\u000a\"\\/😀"}`},
		{"half a surrogate pair", `{` + at + `,"actor":"\ud83dx\ude00\ud83d\ud83d\ude00"}`, read + `,"actor":"�x��😀"}`},
		{"an escaped key is the same key", `{"t\u0069me":1772356527123}`, read + `}`},
		{"of a key twice the first counts", `{` + at + `,"actor":"a","\u0061ctor":"b"}`, read + `,"actor":"a"} duplicate_key`},

		{"records: 5 and \"5\" are one", `{` + at + `,"records":[5,"5",-0]}`, read + `,"records":["5","5","0"]}`},
		{"records: beyond 2^53", `{` + at + `,"records":[9007199254740993,123456789012345678901234567890]}`,
			read + `,"records":["9007199254740993","123456789012345678901234567890"]}`},
		{"records: one alone", `{` + at + `,"records":"c1"}`, read + `,"records":["c1"]}`},
		{"records: one number alone", `{` + at + `,"records":7}`, read + `,"records":["7"]}`},
		{"records: empty ones are none", `{` + at + `,"records":["",null,"c1"]}`, read + `,"records":["c1"]}`},
		{"records: an empty list", `{` + at + `,"records":[]}`, read + `}`},
		{"records: nested", `{` + at + `,"records":["a",["b"]]}`, read + `,"records":["a"]} record_dropped`},
		{"records: objects", `{` + at + `,"records":["a",null,{"id":1}]}`, read + `,"records":["a"]} record_dropped`},
		{"records: decimal", `{` + at + `,"records":[5.0]}`, read + `,"records":["5"]}`},
		{"records: exponent", `{` + at + `,"records":1e3}`, read + `,"records":["1000"]}`},
		{"records: boolean", `{` + at + `,"records":true}`, read + `} record_dropped`},

		{"rows", `{` + at + `,"rows":12}`, read + `,"rows":12}`},
		{"rows as text", `{` + at + `,"rows":"12"}`, read + `,"rows":12}`},
		{"rows beside records", `{` + at + `,"records":["a"],"rows":12}`, read + `,"records":["a"],"rows":12}`},
		{"rows: negative", `{` + at + `,"rows":-1}`, read + `} rows_dropped`},
		{"rows: decimal", `{` + at + `,"rows":1.5}`, read + `} rows_dropped`},
		{"rows: list", `{` + at + `,"rows":[1]}`, read + `} rows_dropped`},
		{"rows: too many", `{` + at + `,"rows":99999999999999999999}`, read + `,"rows":1000000000000} rows_capped`},

		{"ip: canonical", `{` + at + `,"ip":"2001:DB8:0:0::1%eth0"}`, read + `,"ip":"2001:db8::1"}`},
		{"ip: IPv4 in IPv6", `{` + at + `,"ip":"::ffff:192.0.2.1"}`, read + `,"ip":"192.0.2.1"}`},
		{"ip: with a port", `{` + at + `,"ip":"192.0.2.1:443"}`, read + `,"ip":"192.0.2.1"}`},
		{"ip: invalid", `{` + at + `,"ip":"192.0.2.256","actor":"a"}`, read + `,"actor":"a"} ip_invalid`},

		{"fact: about the actor", `{` + at + `,"action":"leave","actor":"a"}`, `{` + at + `,"action":"leave","actor":"a","subject":"a"}`},
		{"fact: about its subject", `{` + at + `,"action":"leave","actor":"hr","subject":"a"}`, `{` + at + `,"action":"leave","actor":"hr","subject":"a"}`},
		{"fact: about the key", `{` + at + `,"action":"retire","actor":"admin","key_id":"k"}`, `{` + at + `,"action":"retire","actor":"admin","subject":"k","key_id":"k"}`},
		{"fact: a session is never a subject", `{` + at + `,"action":"revoke","session":"s"}`, `{` + at + `,"action":"revoke","session":"s"}`},
		{"login: the subject acts", `{` + at + `,"action":"login","subject":"a"}`, `{` + at + `,"action":"login","actor":"a","subject":"a"}`},

		{"time: missing", `{"actor":"a"}`, `time_missing at time`},
		{"time: empty", `{"time":""}`, `time_missing at time`},
		{"time: a decimal", `{"time":1772356527123.5}`, `{"time":"2026-03-01T09:15:27.123Z","action":"read"} time_guessed`},
		{"time: an exponent", `{"time":1.7e12}`, `{"time":"2023-11-14T22:13:20.000Z","action":"read"} time_guessed`},
		{"time: a word", `{"time":"yesterday"}`, `time_unreadable at time`},
		{"time: without a zone", `{"time":"2026-03-01T09:15:27"}`, `time_without_zone at time`},
		{"time: digits in quotes", `{"time":"1772356527123"}`, `{"time":"2026-03-01T09:15:27.123Z","action":"read"} time_guessed`},
		{"time: boolean", `{"time":true}`, `time_unreadable at time`},
		{"time: seconds for milliseconds", `{"time":1772356527}`, `{"time":"2026-03-01T09:15:27.000Z","action":"read"} time_guessed`},
		{"time: beyond 64 bits", `{"time":99999999999999999999}`, `time_out_of_range at time`},
		{"time: negative", `{"time":-1}`, `time_out_of_range at time`},
		{"time: the last there is", `{"time":"2099-12-31T23:59:59.999Z"}`, `{"time":"2099-12-31T23:59:59.999Z","action":"read"}`},
		{"time: the first beyond", `{"time":"2100-01-01T00:00:00Z"}`, `time_out_of_range at time`},
		{"time: before the first", `{"time":946684799999}`, `time_out_of_range at time`},

		{"empty", ``, `empty`},
		{"blank", "\r\n", `empty`},
		{"a list", `[` + read + `}]`, read + `}`},
		{"a number", `5`, `not_an_object`},
		{"a text", `"a"`, `not_an_object`},
		{"a document in a text", `"{\"time\":1772356527123,\"action\":\"read\",\"actor\":\"\u00e4\"}"`, `{"time":"2026-03-01T09:15:27.123Z","action":"read","actor":"ä"}`},
		{"a list in a text", `" [{\"time\":1772356527123}]"`, `{"time":"2026-03-01T09:15:27.123Z","action":"read"}`},
		{"a broken document in a text", `"{\"time\":"`, `not_json`},
		{"cut off", `{` + at, `not_json`},
		{"two values", `{` + at + `}{}`, `not_json`},
		{"NaN", `{"time":NaN}`, `not_json`},
		{"Infinity", `{"time":1772356527123,"rows":Infinity}`, `not_json`},
		{"comma too many", `{` + at + `,}`, `not_json`},
		{"comments", `{` + at + `/**/}`, `not_json`},
		{"leading zero", `{` + at + `,"rows":012}`, `not_json`},
		{"control character", "{" + at + ",\"actor\":\"a\nb\"}", `not_json`},
		{"unknown escape", `{` + at + `,"actor":"\x41"}`, `not_json`},
		{"not UTF-8", "{" + at + ",\"x\":\"\xff\"}", `invalid_utf8`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decode(load(t, "native").NewDecoder(), c.value)
			if len(got) != 1 || got[0] != c.want {
				t.Errorf("%s\ngot  %s\nwant %s", c.value, strings.Join(got, "\n"), c.want)
			}
		})
	}
}

// TestHostile: what is meant to hurt is rejected or capped by a stated limit,
// and the next event decodes as if nothing had been.
func TestHostile(t *testing.T) {
	const at = `"time":1772356527123`
	good := `{` + at + `,"actor":"after"}`
	list := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"x",`, n), ",") }
	numbers := make([]string, 100_000)
	for i := range numbers {
		numbers[i] = fmt.Sprint(i)
	}
	for _, c := range []struct {
		name, value string
		check       func(ev *event.Event, rej *event.Reject) string // what is wrong
	}{
		{"a text of 10 MB", `{` + at + `,"actor":"` + strings.Repeat("a", 10<<20) + `"}`, rejectedAs(event.TooLarge)},
		{"nested a million deep", strings.Repeat("[", 1_000_000), rejectedAs(event.TooDeep)},
		{"objects a million deep", strings.Repeat(`{"a":`, 500_000), rejectedAs(event.TooDeep)},
		{"33 deep", `{` + at + `,"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, rejectedAs(event.TooDeep)},
		{"32 deep", `{` + at + `,"x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, notes(0)},
		{"year 9999", `{"time":"9999-12-31T23:59:59Z"}`, rejectedAs(event.TimeOutOfRange)},
		{"a million digits", `{"time":` + strings.Repeat("9", 1_000_000) + `}`, rejectedAs(event.TimeOutOfRange)},
		{"100,000 records", `{` + at + `,"records":[` + strings.Join(numbers, ",") + `]}`, func(ev *event.Event, rej *event.Reject) string {
			if rej != nil || len(ev.Records) != event.MaxRecords || ev.Rows != 100_000 || ev.Notes != event.RecordsCapped {
				return "not capped as stated"
			}
			return ""
		}},
		{"100,000 times one record", `{` + at + `,"records":[` + list(100_000) + `]}`, notes(0)},
		{"a name of 3 MB", `{` + at + `,"actor":"` + strings.Repeat("é", 1_500_000) + `"}`, func(ev *event.Event, rej *event.Reject) string {
			if rej != nil || len(ev.Actor) > event.MaxText || !utf8.ValidString(ev.Actor) || ev.Notes != event.TextShortened {
				return "not shortened as stated"
			}
			return ""
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := load(t, "native").NewDecoder()
			calls := 0
			d.Decode([]byte(c.value), func(ev *event.Event, rej *event.Reject) {
				calls++
				if wrong := c.check(ev, rej); wrong != "" {
					t.Error(wrong)
				}
			})
			if calls != 1 {
				t.Errorf("yield was called %d times", calls)
			}
			if got := decode(d, good); len(got) != 1 || !strings.Contains(got[0], `"actor":"after"`) {
				t.Errorf("the next event became %s", got)
			}
		})
	}
}

func rejectedAs(r event.Reason) func(*event.Event, *event.Reject) string {
	return func(_ *event.Event, rej *event.Reject) string {
		if rej == nil || rej.Reason != r {
			return fmt.Sprintf("got %+v, want %s", rej, r)
		}
		return ""
	}
}

func notes(want event.Notes) func(*event.Event, *event.Reject) string {
	return func(ev *event.Event, rej *event.Reject) string {
		if rej != nil || ev.Notes != want {
			return fmt.Sprintf("got reject %+v, want none and the notes %q", rej, want)
		}
		return ""
	}
}

// TestCapIsOfTheSet: which records remain of too many does not depend on their
// order, nor on how often each stands there.
func TestCapIsOfTheSet(t *testing.T) {
	var ids []string
	for i := range 60_000 {
		ids = append(ids, fmt.Sprintf(`"c%d"`, i))
	}
	reversed := slices.Clone(ids)
	slices.Reverse(reversed)
	reversed = append(reversed, ids[:500]...)
	kept := func(ids []string) (kept []string) {
		value := `{"time":1772356527123,"records":[` + strings.Join(ids, ",") + `]}`
		load(t, "native").NewDecoder().Decode([]byte(value), func(ev *event.Event, rej *event.Reject) {
			kept = ev.Clone().Records
			if ev.Rows != 60_000 {
				t.Errorf("rows are %d, want the size of the set", ev.Rows)
			}
		})
		return kept
	}
	if a, b := kept(ids), kept(reversed); len(a) != event.MaxRecords || !slices.Equal(a, b) {
		t.Errorf("kept %d and %d records, or not the same", len(a), len(b))
	}
}

// TestShortenedStayDistinct: two long names that differ only at their end.
func TestShortenedStayDistinct(t *testing.T) {
	d := load(t, "native").NewDecoder()
	long := strings.Repeat("a", 300)
	a := decode(d, `{"time":1772356527123,"actor":"`+long+`x"}`)
	b := decode(d, `{"time":1772356527123,"actor":"`+long+`y"}`)
	if a[0] == b[0] {
		t.Errorf("both became %s", a)
	}
}

// TestEventsOutliveYield: strings and records live until the next Decode, for
// all events of an envelope, even though the Event itself is overwritten.
func TestEventsOutliveYield(t *testing.T) {
	var value strings.Builder
	value.WriteString(`{"Records":[`)
	for i := range 200 {
		if i > 0 {
			value.WriteByte(',')
		}
		fmt.Fprintf(&value, `{"eventTime":"2026-03-01T09:15:27Z","eventID":"\u0069d%d","resources":[{"type":"AWS::S3::Object","ARN":"a%d"}]}`, i, i)
	}
	value.WriteString(`]}`)
	var events []event.Event
	raw := []byte(value.String())
	load(t, "cloudtrail").NewDecoder().Decode(raw, func(ev *event.Event, rej *event.Reject) { events = append(events, *ev) })
	clear(raw) // the caller's bytes are the caller's
	for i, ev := range events {
		if ev.ID != fmt.Sprintf("id%d", i) || len(ev.Records) != 1 || ev.Records[0] != fmt.Sprintf("a%d", i) {
			t.Fatalf("event %d became %+v", i, ev)
		}
	}
	if len(events) != 200 {
		t.Errorf("%d events, want 200", len(events))
	}
}

// sampleNative is an event of the size and shape that the figures speak of.
const sampleNative = `{"time":"2026-03-01T09:15:27.123Z","id":"01HV3Z5J2K9Q","action":"read","actor":"alice.kim","key_id":"key-2025-11","session":"tok-8f3a9b2c","ip":"10.20.30.40","client":"crm-web/4.2.1","endpoint":"GET /customers","records":["c104733"]}`

func sampleOCSF(t testing.TB) []byte {
	var out []byte
	load(t, "native").NewDecoder().Decode([]byte(sampleNative), func(ev *event.Event, _ *event.Reject) { out = event.AppendOCSF(nil, ev) })
	return out
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	for name, value := range map[string][]byte{"native": []byte(sampleNative), "ocsf": sampleOCSF(t)} {
		d := load(t, name).NewDecoder()
		yield := func(ev *event.Event, rej *event.Reject) {
			if rej != nil {
				t.Fatal(rejectText(rej))
			}
		}
		if n := testing.AllocsPerRun(100, func() { d.Decode(value, yield) }); n != 0 {
			t.Errorf("%s: %g allocations an event", name, n)
		}
	}
}

func benchmarkDecode(b *testing.B, format string, value []byte) {
	d := load(b, format).NewDecoder()
	yield := func(ev *event.Event, rej *event.Reject) {
		if rej != nil {
			b.Fatal(rejectText(rej))
		}
	}
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(value, yield)
	}
}

func BenchmarkDecodeNative(b *testing.B) { benchmarkDecode(b, "native", []byte(sampleNative)) }

func BenchmarkDecodeOCSF(b *testing.B) { benchmarkDecode(b, "ocsf", sampleOCSF(b)) }

// BenchmarkScan is the scanner alone, and BenchmarkFastJSON what it is held
// against: a fast library that parses, bare and with the checks that it leaves
// to its caller.
func BenchmarkScan(b *testing.B) {
	p := load(b, "native").pattern
	var s jsonscan.Scanner
	value := []byte(sampleNative)
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		if s.Reset(value, p); !utf8.Valid(value) || !s.Document(p) {
			b.Fatal(s.Reason)
		}
	}
}

func BenchmarkFastJSON(b *testing.B) {
	for name, check := range map[string]func(string) error{
		"bare":    func(string) error { return nil },
		"checked": fastjson.Validate,
	} {
		b.Run(name, func(b *testing.B) {
			var p fastjson.Parser
			b.SetBytes(int64(len(sampleNative)))
			b.ReportAllocs()
			for b.Loop() {
				if err := check(sampleNative); err != nil || !utf8.ValidString(sampleNative) {
					b.Fatal(err)
				}
				if _, err := p.Parse(sampleNative); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
