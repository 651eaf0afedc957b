package score

import (
	"testing"

	"github.com/weirhq/weir/detectors/fleet"
)

// What was counted lately can be asked for, bin by bin and in sum.
func TestSince(t *testing.T) {
	e := NewEngine(Config{Dimensions: []string{"user"}})
	p := e.DefaultParameters()
	var s State
	for bin := int64(100); bin < 200; bin++ {
		e.Close(&s, 0, bin, fleet.Counts{fleet.Distinct: float64(bin), fleet.FirstTouch: 1, fleet.Destructive: 2}, p, nil)
	}
	if got, want := s.Since(197), (fleet.Counts{fleet.Distinct: 197 + 198 + 199, fleet.FirstTouch: 3, fleet.Destructive: 6}); got != want {
		t.Errorf("since 197: %v, want %v", got, want)
	}
	if got := s.Since(0)[fleet.FirstTouch]; got != 48 {
		t.Errorf("of all: %v first touches, want those of the 48 bins that are kept", got)
	}
	if got := s.Counted(198)[fleet.Distinct]; got != 198 {
		t.Errorf("bin 198: %v", got)
	}
	if got := s.Counted(120); got != (fleet.Counts{}) {
		t.Errorf("a bin no longer kept: %v", got)
	}
}
