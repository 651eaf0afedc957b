package fieldmap

import (
	"testing"

	"github.com/weirhq/weir/event"
)

// TestPresetsCompile: each format that comes with weir is a field map without faults.
func TestPresetsCompile(t *testing.T) {
	for _, name := range Names() {
		if f := load(t, name); f.Name() != name || f.About() == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// TestSomeKeys: sources that tell of the issue of some keys only say so.
func TestSomeKeys(t *testing.T) {
	for name, want := range map[string]bool{"native": false, "ocsf": false, "cloudtrail": true, "gcp": true, "okta": true, "github": true} {
		f := load(t, name)
		if f.some != want {
			t.Errorf("%s: %t, want %t", name, f.some, want)
		}
	}
	const made = `{"eventTime":"2026-03-01T09:15:27Z","eventName":"CreateAccessKey","responseElements":{"accessKey":{"accessKeyId":"AKIAEXAMPLE1"}}}`
	load(t, "cloudtrail").NewDecoder().Decode([]byte(made), func(ev *event.Event, _ *event.Reject) {
		if ev.Action != event.Issue || !ev.SomeKeys {
			t.Errorf("got %+v", ev)
		}
	})
}
