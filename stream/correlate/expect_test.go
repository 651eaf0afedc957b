package correlate

import (
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/episode"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"kim", "kim", true}, {"kim", "kima", false}, {"", "", true},
		{"*", "", true}, {"*", "anything", true},
		{"svc-*", "svc-export", true}, {"svc-*", "svc-", true}, {"svc-*", "a-svc-export", false},
		{"*-batch", "night-batch", true}, {"*-batch", "night-batch-2", false},
		{"a*b*c", "a-b-b-c", true}, {"a*b*c", "ac", false}, {"a*a", "a", false}, {"a**b", "ab", true},
	} {
		if got := Matches(c.pattern, c.text); got != c.want {
			t.Errorf("Matches(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

// A weekly window is one of local time, over midnight and over the change of
// clocks.
func TestWeekly(t *testing.T) {
	zurich, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		t.Skip("no time zones here: ", err)
	}
	weekdays := [7]bool{time.Monday: true, time.Friday: true}
	for _, c := range []struct {
		window Weekly
		at     string
		want   bool
	}{
		{Weekly{weekdays, 9 * 60, 17 * 60}, "2026-03-02T09:00:00+01:00", true}, // a Monday
		{Weekly{weekdays, 9 * 60, 17 * 60}, "2026-03-02T08:59:00+01:00", false},
		{Weekly{weekdays, 9 * 60, 17 * 60}, "2026-03-02T17:00:00+01:00", false},
		{Weekly{weekdays, 9 * 60, 17 * 60}, "2026-03-03T10:00:00+01:00", false},
		{Weekly{weekdays, 22 * 60, 6 * 60}, "2026-03-06T23:30:00+01:00", true}, // a Friday
		{Weekly{weekdays, 22 * 60, 6 * 60}, "2026-03-07T05:59:00+01:00", true}, // into Saturday
		{Weekly{weekdays, 22 * 60, 6 * 60}, "2026-03-07T06:00:00+01:00", false},
		{Weekly{weekdays, 22 * 60, 6 * 60}, "2026-03-07T22:30:00+01:00", false},
		{Weekly{weekdays, 0, 24 * 60}, "2026-03-06T23:59:00+01:00", true},
		{Weekly{weekdays, 9 * 60, 10 * 60}, "2026-03-30T07:30:00Z", true}, // summer time since Sunday
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.window.Holds(at.UnixMilli(), zurich); got != c.want {
			t.Errorf("%+v holds at %s: %v", c.window, c.at, got)
		}
	}
}

// A verdict holds back what was known when it was given: no graver severity, no other fact,
// and nothing after its end.
func TestExpectedCoversWhatWasKnown(t *testing.T) {
	d := newDesk(t)
	v := &d.task.verdicts
	v.expected[episode.ID{Dimension: "user", Identity: "kim"}] = expected{Verdict{Expires: 100}, episode.Medium, "acted_after_leave,retired_key"}
	for name, c := range map[string]struct {
		severity episode.Severity
		facts    string
		end      int64
		want     bool
	}{
		"as known": {episode.Medium, "retired_key", 100, true}, "milder": {episode.Low, "", 5, true}, "graver": {episode.High, "", 5, false},
		"another fact": {episode.Low, "retired_key,revoked_key", 5, false}, "over": {episode.Low, "", 101, false},
	} {
		ep := &episode.Episode{Dimension: "user", Identity: "kim", Severity: c.severity, Facts: c.facts}
		if _, got := v.expects(ep, c.end); got != c.want {
			t.Errorf("%s: held back %t", name, got)
		}
	}
}
