package notify

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSchedule(t *testing.T) {
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		schedule        Schedule
		now, last, next string
	}{
		"before it":           {Schedule{Every: 24 * time.Hour, At: 9 * time.Hour}, "2026-03-03T08:59:59Z", "2026-03-02T09:00:00Z", "2026-03-03T09:00:00Z"},
		"at it":               {Schedule{Every: 24 * time.Hour, At: 9 * time.Hour}, "2026-03-03T09:00:00Z", "2026-03-03T09:00:00Z", "2026-03-04T09:00:00Z"},
		"of another zone":     {Schedule{24 * time.Hour, 9 * time.Hour, seoul}, "2026-03-03T00:30:00Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"},
		"on a day of 23 h":    {Schedule{24 * time.Hour, 9 * time.Hour, berlin}, "2026-03-29T06:00:00Z", "2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"},
		"hourly":              {Schedule{Every: time.Hour, At: 9*time.Hour + 30*time.Minute}, "2026-03-03T23:45:00Z", "2026-03-03T23:30:00Z", "2026-03-04T00:30:00Z"},
		"eight-hourly":        {Schedule{Every: 8 * time.Hour, At: 9 * time.Hour}, "2026-03-03T00:30:00Z", "2026-03-02T17:00:00Z", "2026-03-03T01:00:00Z"},
		"weekly, a Thursday":  {Schedule{Every: 7 * 24 * time.Hour, At: 9 * time.Hour}, "2026-03-03T12:00:00Z", "2026-02-26T09:00:00Z", "2026-03-05T09:00:00Z"},
		"midnight of the end": {Schedule{Every: 24 * time.Hour, At: 24 * time.Hour}, "2026-03-03T12:00:00Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		last, next := c.schedule.Last(now).UTC().Format(time.RFC3339), c.schedule.Next(now).UTC().Format(time.RFC3339)
		if last != c.last || next != c.next {
			t.Errorf("%s: last %s, next %s; want %s, %s", name, last, next, c.last, c.next)
		}
	}
}

// From one heartbeat to the next is one step, but for a change of the clocks.
func TestScheduleSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Schedule{
			Every: rapid.SampledFrom([]time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 48 * time.Hour, 30 * 24 * time.Hour}).Draw(t, "every"),
			At:    time.Duration(rapid.IntRange(0, 24*60).Draw(t, "at")) * time.Minute,
		}
		now := time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "now"), 0)
		last, next := s.Last(now), s.Next(now)
		if last.After(now) || !next.After(now) || next.Sub(last) != s.Every || !s.Next(last).Equal(next) || !s.Last(next).Equal(next) {
			t.Fatalf("last %s, next %s", last, next)
		}
	})
}
