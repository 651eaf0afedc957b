package alerting

import (
	"testing"
	"time"
)

// A day consists of the bins that begin in it, whatever the clock does; a bin and a
// day end when the case was made, if that is earlier.
func TestInterval(t *testing.T) {
	zone := func(name string) *time.Location {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return loc
	}
	for _, c := range []struct {
		name, measure, width    string
		loc                     *time.Location
		from, bin, until, raise string // from "": not told
		wantFrom, wantTo        string
	}{
		{"a day so far", "distinct", "1h0m0s", nil, "2026-03-03T00:00:00Z", "2026-03-03T14:00:00Z", "", "2026-03-03T14:10:00Z", "2026-03-03T00:00:00Z", "2026-03-03T14:10:00Z"},
		{"a day so far, told of later", "distinct", "1h0m0s", nil, "2026-03-03T00:00:00Z", "2026-03-03T14:00:00Z", "2026-03-03T14:10:00Z", "2026-03-05T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-03T14:10:00Z"},
		{"a day that is over", "first_touch", "1h0m0s", nil, "2026-03-03T00:00:00Z", "2026-03-03T14:00:00Z", "", "2026-03-05T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"},
		{"a bin so far", "rows_in_bin", "1h0m0s", nil, "2026-03-03T14:00:00Z", "2026-03-03T14:00:00Z", "", "2026-03-03T14:10:00Z", "2026-03-03T14:00:00Z", "2026-03-03T14:10:00Z"},
		{"a bin that is over", "distinct_in_bin", "30m0s", nil, "2026-03-03T14:00:00Z", "2026-03-03T14:00:00Z", "", "2026-03-05T00:00:00Z", "2026-03-03T14:00:00Z", "2026-03-03T14:30:00Z"},
		{"the day is not told: that of the bin", "distinct", "1h0m0s", zone("Asia/Seoul"), "", "2026-03-03T14:00:00Z", "", "2026-03-05T00:00:00Z", "2026-03-02T15:00:00Z", "2026-03-03T15:00:00Z"},
		{"a day of 23 hours", "distinct", "1h0m0s", zone("Europe/Berlin"), "2026-03-28T23:00:00Z", "2026-03-29T10:00:00Z", "", "2026-04-05T00:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"a day of 25 hours", "distinct", "1h0m0s", zone("Europe/Berlin"), "2026-10-24T22:00:00Z", "2026-10-25T10:00:00Z", "", "2026-11-05T00:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		{"bins that begin a quarter before the hour", "distinct", "1h0m0s", zone("Asia/Kathmandu"), "2026-03-02T19:00:00Z", "2026-03-03T10:00:00Z", "", "2026-03-05T00:00:00Z", "2026-03-02T19:00:00Z", "2026-03-03T19:00:00Z"},
		{"a width that is no width", "distinct_in_bin", "soon", nil, "2026-03-03T14:00:00Z", "2026-03-03T14:00:00Z", "", "2026-03-05T00:00:00Z", "2026-03-03T14:00:00Z", "2026-03-03T15:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := func(text string) (v Time) {
				if text == "" {
					return 0
				}
				if err := v.UnmarshalText([]byte(text)); err != nil {
					t.Fatal(err)
				}
				return v
			}
			a := &Alert{Time: at(c.raise), Evidence: Evidence{Bin: at(c.bin), BinWidth: c.width, Until: at(c.until)}}
			from, to := a.Interval(&MeasureEvidence{Measure: c.measure, From: at(c.from)}, c.loc)
			if from != at(c.wantFrom) || to != at(c.wantTo) {
				t.Errorf("from %s to %s, want %s to %s", from, to, c.wantFrom, c.wantTo)
			}
		})
	}
}
