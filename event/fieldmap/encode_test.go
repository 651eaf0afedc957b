package fieldmap

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/weirhq/weir/event"
	"pgregory.net/rapid"
)

// drawEvent draws an event as a simulator would make it.
func drawEvent(t *rapid.T) *event.Event {
	word := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[a-z0-9.@-]{1,12}`), rapid.StringN(1, 8, -1))
	text := func(name string) string { return word.Draw(t, name) }
	ev := &event.Event{
		Time:     rapid.Int64Range(event.MinTime, event.MaxTime-1).Draw(t, "time"),
		ID:       text("id"),
		Action:   event.Action(rapid.IntRange(0, len(event.ActionNames())-1).Draw(t, "action")),
		Actor:    text("actor"),
		Role:     text("role"),
		Subject:  text("subject"),
		KeyID:    text("key_id"),
		Session:  text("session"),
		IP:       rapid.SampledFrom([]string{"", "192.0.2.7", "2001:db8::1", "none"}).Draw(t, "ip"),
		Client:   text("client"),
		Endpoint: rapid.SampledFrom([]string{"", "crm.search", "GET /c/{id}", "GET /c/5?x=1"}).Draw(t, "endpoint"),
		Records:  rapid.SliceOfN(word, 0, 4).Draw(t, "records"),
		Rows:     rapid.Int64Range(0, event.MaxRows).Draw(t, "rows"),
	}
	return ev
}

// one decodes a value that is one good event.
func one(t interface{ Fatalf(string, ...any) }, f *Format, value []byte) *event.Event {
	var got *event.Event
	f.NewDecoder().Decode(value, func(ev *event.Event, rej *event.Reject) {
		if rej != nil {
			t.Fatalf("%s rejects %s: %s", f.Name(), value, rejectText(rej))
		}
		got = ev.Clone()
	})
	return got
}

// TestNativeAndOCSFAgree: the same traffic as native and as OCSF gives the same
// events.
func TestNativeAndOCSFAgree(t *testing.T) {
	native, ocsf := load(t, "native"), load(t, "ocsf")
	rapid.Check(t, func(t *rapid.T) {
		ev := drawEvent(t)
		a, b := one(t, native, event.AppendNative(nil, ev)), one(t, ocsf, event.AppendOCSF(nil, ev))
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("native %+v\nocsf   %+v", a, b)
		}
	})
}

// TestNativeIsItself: what AppendNative writes of a decoded event decodes to it.
func TestNativeIsItself(t *testing.T) {
	native := load(t, "native")
	rapid.Check(t, func(t *rapid.T) {
		a := one(t, native, event.AppendNative(nil, drawEvent(t)))
		a.Notes = 0 // what was odd has been put right
		if b := one(t, native, event.AppendNative(nil, a)); !reflect.DeepEqual(a, b) {
			t.Fatalf("first %+v\nagain %+v", a, b)
		}
	})
}

// FuzzDecode: whatever comes in, each format answers once for a value, or once
// for an event of an envelope, with an event within the limits that is itself
// when written and decoded again, or with a reject.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(sampleNative))
	f.Add(sampleOCSF(f))
	for _, s := range []string{
		`{"Records":[{"eventTime":"2026-03-01T09:15:27Z","eventName":"GetObject","requestParameters":{"bucketName":"b","key":"k"}}]}`,
		`{"Records":[]}`, `{"Records":[1,null]}`, `{"Records":{}}`, `{"eventTime":"2026-03-01T09:15:27Z"}`,
		`{"time":1772356527123,"records":[1,"1",[]],"rows":-1,"ip":"::1%a","endpoint":"/1?x"}`,
		`{"class_uid":3001,"activity_id":5,"time":1772356527123,"user":{"name":"bob"}}`,
		`{"class_uid":6003,"status_id":2}`, `{"class_uid":4001}`, "\xff", "",
	} {
		f.Add([]byte(s))
	}
	samples, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range samples {
		sample, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(sample) {
			f.Add(line)
		}
	}
	var formats []*Format
	for _, name := range Names() {
		formats = append(formats, load(f, name))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, format := range formats {
			calls := 0
			format.NewDecoder().Decode(value, func(ev *event.Event, rej *event.Reject) {
				calls++
				if (ev == nil) == (rej == nil) {
					t.Fatalf("%s: both or neither", format.Name())
				}
				if ev != nil {
					checkEvent(t, ev)
				}
			})
			if list := bytes.HasPrefix(bytes.TrimSpace(value), []byte("[")); calls != 1 && !format.Explodes() && !list {
				t.Fatalf("%s: yield was called %d times", format.Name(), calls)
			}
		}
	})
}

// checkEvent checks what the documentation of Event promises.
func checkEvent(t *testing.T, ev *event.Event) {
	t.Helper()
	if ev.Time < event.MinTime || ev.Time >= event.MaxTime || ev.Rows < 0 || ev.Rows > event.MaxRows || len(ev.Records) > event.MaxRecords || int(ev.Action) >= len(event.ActionNames()) {
		t.Fatalf("out of its limits: %+v", ev)
	}
	for _, s := range append([]string{ev.ID, ev.Actor, ev.Role, ev.Subject, ev.KeyID, ev.IP, ev.Client, ev.Endpoint}, ev.Records...) {
		if len(s) > event.MaxText {
			t.Fatalf("longer than MaxText: %q", s)
		}
	}
	ev = ev.Clone()
	ev.Notes, ev.SomeKeys = 0, false
	again := one(t, load(t, "native"), event.AppendNative(nil, ev))
	if !reflect.DeepEqual(again, ev) {
		t.Fatalf("first %+v\nagain %+v", ev, again)
	}
}
