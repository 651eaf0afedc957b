package collector

import (
	"context"
	"runtime/debug"
	"testing"
)

// The allowance counts in between: below, garbage may be three times what is live, and
// above, as much.
func TestPercent(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, 300}, {20 * mib, 300}, {64 * mib, 300}, {100 * mib, 190}, {128 * mib, 150}, {192 * mib, 100}, {1000 * mib, 100},
	} {
		if got := percent(c.live); got != c.want {
			t.Errorf("with %d MiB live %d %%, want %d", c.live/mib, got, c.want)
		}
	}
}

// Allow sets what percent says, and leaves a choice of the operator alone.
func TestAllow(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	t.Setenv("GOGC", "50")
	if Allow(over); debug.SetGCPercent(100) != 100 {
		t.Error("GOGC does not count")
	}
	t.Setenv("GOGC", "")
	if Allow(over); debug.SetGCPercent(100) != most {
		t.Error("the allowance does not count")
	}
}
