package eventtime

import (
	"testing"
	"time"
)

func TestNewGridRefuses(t *testing.T) {
	for _, c := range []struct {
		tick, bin time.Duration
		ok        bool
	}{
		{5 * time.Minute, time.Hour, true},
		{time.Hour, time.Hour, true},
		{30 * time.Second, time.Hour, false},
		{90 * time.Second, time.Hour, false},
		{5 * time.Minute, 4 * time.Minute, false},
		{7 * time.Minute, time.Hour, false},
	} {
		if _, err := NewGrid(c.tick, c.bin); (err == nil) != c.ok {
			t.Errorf("tick %v, bin %v: error %v", c.tick, c.bin, err)
		}
	}
}

// A time lies in the tick and the bin between whose beginning and end it is,
// before 1970 as after.
func TestGridContains(t *testing.T) {
	g, err := NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, ms := range []int64{-2*Hour - 1, -Hour, -1, 0, 1, Hour - 1, Hour, 1_772_409_600_000 + 7*Minute} {
		tick, bin := g.TickOf(ms), g.BinOf(ms)
		if ms < g.TickStart(tick) || ms >= g.TickEnd(tick) || ms < g.BinStart(bin) || ms >= g.BinStart(bin+1) {
			t.Errorf("%d: in tick %d and bin %d, which it is not", ms, tick, bin)
		}
		if g.BinOfTick(tick) != bin || g.LastTick(bin) < tick || g.BinOfTick(g.LastTick(bin)) != bin || g.BinOfTick(g.LastTick(bin)+1) != bin+1 {
			t.Errorf("%d: tick %d is not one of bin %d", ms, tick, bin)
		}
		if h, d := HourOf(ms), DayOf(ms); ms < h*Hour || ms >= (h+1)*Hour || ms < d*Day || ms >= (d+1)*Day {
			t.Errorf("%d: in hour %d and day %d, which it is not", ms, h, d)
		}
	}
}
