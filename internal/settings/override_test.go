package settings

import (
	"testing"
)

// A setting goes over what the file says, and leaves the rest.
func TestOverride(t *testing.T) {
	for _, c := range []struct{ text, try, want string }{
		{"", "alerts.budget=1/day", "alerts:\n    budget: 1/day\n"},
		{"alerts: {budget: 5}\ntime: {bin: 1h}\n", "alerts.budget=1/day", "alerts: {budget: 1/day}\ntime: {bin: 1h}\n"},
		{"time:\n", "time.bin=2h time.tick=10m", "time:\n    bin: 2h\n    tick: 10m\n"},
		{"a: 1\n", "a=[x,y]", "a: [x, y]\n"},
	} {
		got, err := override([]byte(c.text), c.try)
		if err != nil || string(got) != c.want {
			t.Errorf("%q with %q: %q (%v), want %q", c.text, c.try, got, err, c.want)
		}
	}
}
