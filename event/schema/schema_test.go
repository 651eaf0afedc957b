package schema

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/twmb/avro"
	"google.golang.org/protobuf/encoding/protowire"
)

// compile compiles a schema.
func compile(t testing.TB, text Text) *Schema {
	t.Helper()
	s, err := Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// want compares what a schema makes of a record; "" is that it does not follow it.
func want(t *testing.T, s *Schema, record []byte, want string) {
	t.Helper()
	got, ok := s.AppendJSON(nil, record)
	if ok != (want != "") || ok && string(got) != want {
		t.Errorf("got %s %t, want %s", got, ok, want)
	}
	if ok && !json.Valid(got) {
		t.Errorf("this is no JSON: %s", got)
	}
}

const avroEvent = `{"type":"record","name":"Access","namespace":"crm","fields":[
	{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
	{"name":"local","type":{"type":"long","logicalType":"local-timestamp-millis"}},
	{"name":"day","type":{"type":"int","logicalType":"date"}},
	{"name":"user","type":["null","string"]},
	{"name":"verb","type":{"type":"enum","name":"Verb","symbols":["READ","EXPORT"]}},
	{"name":"then","type":"Verb"},
	{"name":"ids","type":{"type":"array","items":"long"}},
	{"name":"tags","type":{"type":"map","values":"string"}},
	{"name":"hash","type":{"type":"fixed","name":"H","size":2}},
	{"name":"uid","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}},
	{"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}},
	{"name":"score","type":"double"},
	{"name":"ok","type":"boolean"},
	{"name":"cause","type":["null","Access"]}]}`

// avroRecord returns a record of avroEvent.
func avroRecord(t testing.TB) []byte {
	record, err := avro.MustParse(avroEvent).Encode(map[string]any{
		"at": int64(1772442927123456), "local": int64(1772442927123), "day": int32(20514), "user": "kim", "verb": "EXPORT", "then": "READ",
		"ids": []any{int64(4711), int64(-1)}, "tags": map[string]any{"a\"b": "c"}, "hash": []byte{1, 255},
		"uid": []byte("0123456789abcdef"), "amount": []byte{0xff, 0x85}, "score": 1772442927.5, "ok": true, "cause": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// TestAvro: what a library writes of each type is read as the JSON that a field map
// expects: unions without a wrapper, enums by name, times as numbers, those without a
// zone as texts.
func TestAvro(t *testing.T) {
	s := compile(t, Text{Kind: Avro, Text: avroEvent})
	record := avroRecord(t)
	want(t, s, record, `{"at":1772442927123456,"local":"2026-03-02T09:15:27.123","day":"2026-03-02","user":"kim","verb":"EXPORT","then":"READ",`+
		`"ids":[4711,-1],"tags":{"a\"b":"c"},"hash":"Af8=","uid":"30313233-3435-3637-3839-616263646566","amount":-1.23,"score":1772442927.5,"ok":true,"cause":null}`)
	for cut := range record {
		want(t, s, record[:cut], "")
	}
	want(t, s, append(record, 0), "") // of another schema
}

// TestAvroReferences: a type of another schema, which refers to a third, is found by
// its full name and by its name within the same namespace.
func TestAvroReferences(t *testing.T) {
	s := compile(t, Text{
		Kind: Avro, Text: `{"type":"record","name":"A","namespace":"x","fields":[{"name":"who","type":"Person"},{"name":"v","type":"y.V"},{"name":"again","type":"Person"}]}`,
		References: []Reference{
			{"y.V", `{"type":"enum","name":"V","namespace":"y","symbols":["READ"]}`},
			{"x.Person", `{"type":"record","name":"Person","namespace":"x","fields":[{"name":"name","type":"string"},{"name":"v","type":"y.V"}]}`},
		},
	})
	want(t, s, []byte("\x06kim\x00\x00\x06ann\x00"), `{"who":{"name":"kim","v":"READ"},"v":"READ","again":{"name":"ann","v":"READ"}}`)
	if _, err := Compile(Text{Kind: Avro, Text: `{"type":"record","name":"A","fields":[{"name":"p","type":"none.Such"}]}`}); err == nil {
		t.Error("a type that nothing defines was compiled")
	}
}

// TestAvroHostile: numbers of items, lengths and nesting that a record cannot hold end
// the reading soon, and the blocks of an array may say their size.
func TestAvroHostile(t *testing.T) {
	nulls := compile(t, Text{Kind: Avro, Text: `{"type":"array","items":"null"}`})
	want(t, nulls, []byte("\x04\x00"), `[null,null]`)
	want(t, nulls, []byte("\x03\x00\x00"), `[null,null]`)                          // -2 items, in 0 bytes
	want(t, nulls, []byte("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "")         // 2^63-1 items without a byte
	want(t, nulls, []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00"), "") // -2^63 items
	endless := compile(t, Text{Kind: Avro, Text: `{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}`})
	want(t, endless, nil, "")
	text := compile(t, Text{Kind: Avro, Text: `"string"`})
	want(t, text, []byte("\x0c\"\xff\"\x00é"), `"\"`+"\ufffd"+`\"\u0000é"`)
	want(t, text, []byte("\xfe\xff\xff\xff\x0f"), "")
	want(t, compile(t, Text{Kind: Avro, Text: `"boolean"`}), []byte{2}, "")
	want(t, compile(t, Text{Kind: Avro, Text: `"int"`}), []byte("\x80\x80\x80\x80\x20"), "")
	want(t, compile(t, Text{Kind: Avro, Text: `["null","int"]`}), []byte("\x04"), "")
	want(t, compile(t, Text{Kind: Avro, Text: `"double"`}), []byte("\x00\x00\x00\x00\x00\x00\xf8\x7f"), "null") // NaN
}

const protoEvent = `syntax = "proto3";
package crm;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "common/person.proto";
message Other { string name = 1; }
message Access {
	google.protobuf.Timestamp at = 1;
	common.Person user = 2;
	Verb verb = 3;
	repeated int64 customer_ids = 4;
	map<string, string> tags = 5;
	bytes hash = 6;
	int64 rows = 7;
	bool failed = 8;
	optional uint32 zero = 9;
	google.protobuf.StringValue note = 10;
	message Inner { double score = 1; Access cause = 2; }
	Inner inner = 11;
}
enum Verb { EXPORT = 0; READ = 1; }`

const protoPerson = `syntax = "proto3"; package common; message Person { string user_name = 1; }`

// protoRecord returns a message of protoEvent with its index.
func protoRecord() []byte {
	b := []byte{2, 2} // one index, 1
	at := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1772442927)
	at = protowire.AppendVarint(protowire.AppendTag(at, 2, protowire.VarintType), 123000000)
	b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), at)
	b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "kim"))
	b = protowire.AppendBytes(protowire.AppendTag(b, 4, protowire.BytesType), protowire.AppendVarint(protowire.AppendVarint(nil, 4711), 12))
	entry := protowire.AppendString(protowire.AppendTag(protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "k"), 2, protowire.BytesType), "v")
	b = protowire.AppendBytes(protowire.AppendTag(b, 5, protowire.BytesType), entry)
	b = protowire.AppendBytes(protowire.AppendTag(b, 6, protowire.BytesType), []byte{1, 255})
	b = protowire.AppendVarint(protowire.AppendTag(b, 9, protowire.VarintType), 0)
	b = protowire.AppendBytes(protowire.AppendTag(b, 10, protowire.BytesType), protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "n"))
	b = protowire.AppendBytes(protowire.AppendTag(b, 11, protowire.BytesType), protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), 0x3ff8000000000000))
	return protowire.AppendVarint(protowire.AppendTag(b, 99, protowire.VarintType), 1) // of a later schema
}

// TestProtobuf: a message is read by the names of its schema, with Timestamps as RFC
// 3339 and enums by name. A zero stands only where its field can tell it from nothing, or
// has few values.
func TestProtobuf(t *testing.T) {
	s := compile(t, Text{Kind: Protobuf, Text: protoEvent, References: []Reference{{"common/person.proto", protoPerson}}})
	record := protoRecord()
	want(t, s, record, `{"at":"2026-03-02T09:15:27.123Z","user":{"user_name":"kim"},"verb":"EXPORT","customer_ids":[4711,12],"tags":{"k":"v"},`+
		`"hash":"Af8=","failed":false,"zero":0,"note":"n","inner":{"score":1.5}}`)
	want(t, s, []byte("\x00\x0a\x03kim"), `{"name":"kim"}`) // no index: the first message
	want(t, s, []byte("\x02\x00\x0a\x03kim"), `{"name":"kim"}`)
	want(t, s, []byte("\x04\x02\x00"), `{}`) // Access.Inner
	want(t, s, []byte("\x02\x04"), "")       // there is no third message
	want(t, s, []byte("\x02"), "")
	want(t, s, nil, "")
	want(t, s, []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "")
	want(t, s, record[:len(record)-1], "")
	nested := []byte(nil)
	for range 100 { // Access.inner.cause.inner.cause …
		nested = protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), nested)
		nested = protowire.AppendBytes(protowire.AppendTag(nil, 11, protowire.BytesType), nested)
	}
	want(t, s, append([]byte{2, 2}, nested...), "")
	if _, err := Compile(Text{Kind: Protobuf, Text: protoEvent}); err == nil || !strings.Contains(err.Error(), "common/person.proto") {
		t.Errorf("an import that is not there was found: %v", err)
	}
}

// FuzzAppendJSON: whatever comes in, what comes out is JSON, and of a bounded size.
func FuzzAppendJSON(f *testing.F) {
	schemas := []*Schema{
		compile(f, Text{Kind: Avro, Text: avroEvent}),
		compile(f, Text{Kind: Protobuf, Text: protoEvent, References: []Reference{{"common/person.proto", protoPerson}}}),
	}
	f.Add(avroRecord(f), uint8(0))
	f.Add(protoRecord(), uint8(1))
	f.Fuzz(func(t *testing.T, record []byte, which uint8) {
		got, ok := schemas[int(which)%len(schemas)].AppendJSON(nil, record)
		if ok && (!json.Valid(got) || len(got) > 100*len(record)+1000) {
			t.Fatalf("%d bytes became %d: %.200s", len(record), len(got), got)
		}
	})
}

// BenchmarkAppendJSON is the cost of a record beside its decoding.
func BenchmarkAppendJSON(b *testing.B) {
	for _, c := range []struct {
		name   string
		text   Text
		record []byte
	}{
		{"avro", Text{Kind: Avro, Text: avroEvent}, avroRecord(b)},
		{"protobuf", Text{Kind: Protobuf, Text: protoEvent, References: []Reference{{"common/person.proto", protoPerson}}}, protoRecord()},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, buf := compile(b, c.text), []byte(nil)
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = s.AppendJSON(buf[:0], c.record)
			}
		})
	}
}
