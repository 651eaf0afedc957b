package backtest

import (
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
)

// A log of which most cannot be read, or that is too short to learn from, says so; what
// its format leaves out counts for neither.
func TestShortcomings(t *testing.T) {
	const day = 24 * 3600_000
	now := time.UnixMilli(31*day + 5*3600_000).UTC()
	ignored := event.Ignored.String()
	for _, c := range []struct {
		events, rejected, left int64
		days                   alerting.Time
		want                   string
	}{
		{100, 100, 0, 20, "100 of 200 records could not be read"},
		{1000, 11, 0, 20, "11 of 1,011 records could not be read"},
		{1100, 11, 0, 20, ""},
		{100, 9, 0, 20, ""},
		{100, 101, 0, 20, "more than half of the log could not be read, 101 of 201 records"},
		{100, 0, 900, 20, ""},
		{100, 0, 0, 3, "the log is 3.0 days long, and the statistics learn for 14 days"},
		{100, 0, 0, 30, ""},
		{100, 0, 0, 31, "the last event is dated 1970-02-02T00:00:00.000Z, 19 hours after now"},
		{0, 0, 0, 0, ""},
	} {
		if got := strings.Join((&Summary{Counted: 3}).Shortcomings(now), ""); !strings.Contains(got, "no event names records") {
			t.Errorf("of a log without records: %q", got)
		}
		if got := strings.Join((&Summary{Counted: 3, touching: 1, From: day, To: day + 90*60_000}).Shortcomings(now), ""); got != "the log is 90 minutes long, and the statistics learn for 14 days: that nothing is said of somebody means little yet; facts speak already" {
			t.Errorf("of an hour and a half: %q", got)
		}
		if got := strings.Join((&Summary{Rejected: map[string]int64{"too_large": 2}}).Shortcomings(now), ""); !strings.Contains(got, "too large to be read, and perhaps with very many records each: 2 events") {
			t.Errorf("of what is too large: %q", got)
		}
		s := Summary{Events: c.events, Rejected: map[string]int64{"not_json": c.rejected, ignored: c.left}, From: day, To: day + c.days*day}
		if c.events == 0 {
			s.From, s.To = 0, 0
		}
		got := strings.Join(s.Shortcomings(now), "\n")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
