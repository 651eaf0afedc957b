package sources

import (
	"math"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/eventtime"
)

// How fast a partition is worked through is measured over the last minutes.
func TestSpeed(t *testing.T) {
	began := time.Unix(1_700_000_000, 0)
	for _, tc := range []struct {
		name         string
		lag, hours   func(second int) int64 // records that wait, event time in hours
		seconds      int
		events, left float64
		known        bool
	}{
		{"nothing was read", func(int) int64 { return 9 }, nil, 60, 0, 0, false},
		{"at its end", func(int) int64 { return 0 }, func(int) int64 { return 5 }, 60, 0, 0, true},
		{"a day of event time in a minute", func(s int) int64 { return 10_000 - int64(s)*10 }, func(s int) int64 { return 24 * int64(s) / 60 }, 60, 24 * 60, 940, true},
		{"more comes than is read", func(s int) int64 { return 10_000 + int64(s) }, func(s int) int64 { return int64(s) / 60 }, 120, 60, math.Inf(1), true},
		{"slow now, fast long ago", func(s int) int64 { return max(100_000-int64(s)*1000, 50_000-int64(s)*10) }, func(s int) int64 { return 1 }, 3600, 0, 1400, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s speed
			for second := 0; second <= tc.seconds; second++ {
				l := look{when: began.Add(time.Duration(second) * time.Second), lag: tc.lag(second), maxTime: eventtime.Never}
				if tc.hours != nil {
					l.maxTime = tc.hours(second) * eventtime.Hour
				}
				s.add(l)
			}
			events, left, known := s.now()
			if events != tc.events || left != tc.left || known != tc.known {
				t.Errorf("got %v, %v, %t; want %v, %v, %t", events, left, known, tc.events, tc.left, tc.known)
			}
			if most := int(speedSpan/speedLook) + 2; len(s.looks) > most {
				t.Errorf("%d looks are kept, want at most %d", len(s.looks), most)
			}
		})
	}
}
