package alerting

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPrintable(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"kim", 10, "kim"},
		{"exactly ten", 11, "exactly ten"},
		{"eleven chars", 11, "eleven c…"},
		{"a\nb\x1b[2J\u202ec", 20, "a?b?[2J?c"},
		{"김민지민지", 10, "김민…"},
		{"bad\xff\xff", 5, "bad??"},
		{"abc", 0, ""},
	} {
		if got := Printable(c.in, c.max); got != c.want {
			t.Errorf("Printable(%q, %d) = %q, want %q", c.in, c.max, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s, limit := rapid.String().Draw(t, "s"), rapid.IntRange(0, 30).Draw(t, "max")
		if got := Printable(s, limit); len(got) > limit {
			t.Fatalf("%q has %d bytes", got, len(got))
		}
	})
}
