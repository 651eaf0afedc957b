package event

import (
	"testing"

	"github.com/valyala/fastjson"
)

const sample231 = `{"time":"2026-03-01T09:15:27.123Z","id":"01HV3Z5J2K9Q","action":"read","actor":"alice.kim","key_id":"key-2025-11","session":"tok-8f3a9b2c77d1","ip":"10.20.30.40","client":"crm-web/4.2.1","endpoint":"GET /customers/{id}","records":["c104733"]}`

func BenchmarkDecodeNative(b *testing.B) {
	f, err := LoadFormat("native")
	if err != nil {
		b.Fatal(err)
	}
	d := f.NewDecoder()
	v := []byte(sample231)
	b.SetBytes(int64(len(v)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		d.Decode(v, func(ev *Event, rej *Reject) {
			if rej != nil {
				b.Fatal(rej.Reason)
			}
			n += len(ev.Records)
		})
	}
}

func TestPresets(t *testing.T) {
	for _, name := range FormatNames() {
		if f, err := LoadFormat(name); err != nil || f.Name() != name {
			t.Error(err)
		}
	}
}

// BenchmarkFastJSON is the measure that BenchmarkDecodeNative is held against:
// only parsing, with none of the checks and none of the fields.
func BenchmarkFastJSON(b *testing.B) {
	var p fastjson.Parser
	v := []byte(sample231)
	b.SetBytes(int64(len(v)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.ParseBytes(v); err != nil {
			b.Fatal(err)
		}
	}
}
