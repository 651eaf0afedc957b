package score

import (
	"testing"
	"time"
)

func mustZone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Skipf("no time zone data: %v", err)
	}
	return loc
}

func TestHourOfWeek(t *testing.T) {
	seoul, berlin := mustZone(t, "Asia/Seoul"), mustZone(t, "Europe/Berlin")
	for _, c := range []struct {
		loc  *time.Location
		at   string
		want int
	}{
		{time.UTC, "1970-01-01T00:00:00Z", 3 * 24},
		{time.UTC, "2026-03-02T00:00:00Z", 0},
		{time.UTC, "2026-03-08T23:59:59Z", 167},
		{seoul, "2026-03-01T15:00:00Z", 0},
		{berlin, "2026-03-29T00:00:00Z", 6*24 + 1}, // the night the clock is set forward
		{berlin, "2026-03-29T01:00:00Z", 6*24 + 3},
		{berlin, "2026-10-25T00:00:00Z", 6*24 + 2}, // and back
		{berlin, "2026-10-25T01:00:00Z", 6*24 + 2},
	} {
		e := NewEngine(Config{Dimensions: []string{"user"}, Location: c.loc})
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.HourOfWeek(e.BinOf(at.UnixMilli())); got != c.want {
			t.Errorf("%s in %s is hour %d of the week, want %d", c.at, c.loc, got, c.want)
		}
	}
}

func TestConfigFaults(t *testing.T) {
	for name, c := range map[string]Config{
		"a bin under a minute": {Bin: time.Second, Dimensions: []string{"user"}},
		"a bin over a day":     {Bin: 25 * time.Hour, Dimensions: []string{"user"}},
		"a negative budget":    {Budget: -1, Dimensions: []string{"user"}},
		"no dimensions":        {},
		"too many dimensions":  {Dimensions: make([]string, 65)},
	} {
		if c.Validate() == nil {
			t.Errorf("%s: no fault found", name)
		}
	}
	if err := (Config{Dimensions: []string{"user"}}).Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
}
