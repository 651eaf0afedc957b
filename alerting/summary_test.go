package alerting

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Each case is the key leak of example with something changed.
func TestSummarize(t *testing.T) {
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	const hour = 3600_000
	for _, c := range []struct {
		name string
		loc  *time.Location
		set  func(a *Alert)
		want string
	}{
		{"a key leaks", nil, func(*Alert) {},
			"Signing key kid-7 was used to read 1,240 distinct customers between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are usual on a whole working day: 5.9 times as many. It began about Mon 2 Mar 2026 09:00; since then it has been used to read about 33,700,000 distinct customers in all (33,100,000 to 34,300,000 at 95 % confidence)."},
		{"a whole day, in local time", seoul, func(a *Alert) {
			a.Dimension, a.Identity = "user", "kim"
			a.Evidence.Measures[0].From = a.Time - 24*hour
		},
			"User kim read 1,240 distinct customers on Tue 3 Mar 2026 (Asia/Seoul), where about 210 are usual on a whole working day: 5.9 times as many. It began about Mon 2 Mar 2026 18:00; since then it has read about 33,700,000 distinct customers in all (33,100,000 to 34,300,000 at 95 % confidence)."},
		{"first touch, exact, counted for longer than the drift", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected = "user", "kim", "first_touch", 480, 12
			a.Exposed = Exposed{Records: 512, Low: 512, High: 512, Since: a.Onset - hour}
		},
			"User kim read 480 customers it had never read before between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 12 are usual on a whole working day: 40 times as many. It began about Mon 2 Mar 2026 09:00; since Mon 2 Mar 2026 08:00 it has read 512 distinct customers in all."},
		{"a share of new ones", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "user", "kim", "new_share", 1100, 400, Exposed{}
			a.Evidence.Measures = append([]MeasureEvidence{{Measure: "new_share", From: a.Evidence.Measures[0].From}}, a.Evidence.Measures...)
		},
			"User kim read 1,100 customers it had never read before between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 400 are usual among the 1,240 that it read: 2.8 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"a share of new ones, of a total that is not told", nil, func(a *Alert) {
			a.Measure, a.Observed, a.Expected, a.Exposed = "new_share", 1100, 400, Exposed{}
			a.Evidence.Measures = nil
		},
			"Signing key kid-7 was used to read 1,100 customers it had never been used to read before between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 400 are usual among as many: 2.8 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"rows without ids", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected = "client", "report/2.1", "rows", 1200000, 0.4
			a.Exposed = Exposed{Rows: 1200000, Since: a.Onset}
		},
			"Client report/2.1 read 1,200,000 rows between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 0.4 is usual on a whole working day. It began about Mon 2 Mar 2026 09:00; since then it has read 1,200,000 rows in all."},
		{"customers and rows", nil, func(a *Alert) {
			a.Dimension, a.Identity = "endpoint", "GET /customers/{id}"
			a.Exposed = Exposed{Records: 1, Low: 1, High: 1, Rows: 1, Since: a.Onset}
		},
			"Endpoint GET /customers/{id} gave out 1,240 distinct customers between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are usual on a whole working day: 5.9 times as many. It began about Mon 2 Mar 2026 09:00; since then it has given out 1 distinct customer and 1 row without customer ids in all."},
		{"one customer, none usual", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Observed, a.Expected = "network", "192.0.2.0/24", 1, 0
			a.Exposed = Exposed{Since: a.Onset}
		},
			"Network 192.0.2.0/24 read 1 distinct customer between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where none is usual on a whole working day. It began about Mon 2 Mar 2026 09:00."},
		{"an hour", nil, func(a *Alert) {
			a.Measure, a.Exposed = "distinct_in_bin", Exposed{}
		},
			"Signing key kid-7 was used to read 1,240 distinct customers between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are usual in an hour with work: 5.9 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"an hour, judged before its end", nil, func(a *Alert) {
			a.Measure, a.Expected, a.Exposed = "first_touch_in_bin", 1.2, Exposed{}
			a.Time = a.Evidence.Bin + 20*60_000
			a.Evidence.Until = a.Time
		},
			"Signing key kid-7 was used to read 1,240 customers it had never been used to read before between 14:00 and 14:20 on Tue 3 Mar 2026 (UTC), where about 1.2 are usual in an hour with work: 1,033 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"rows of an hour over midnight", seoul, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Exposed = "user", "kim", "rows_in_bin", Exposed{}
		},
			"User kim read 1,240 rows between Tue 3 Mar 2026 23:00 and Wed 4 Mar 2026 00:00 (Asia/Seoul), where about 210 are usual in an hour with work: 5.9 times as many. It began about Mon 2 Mar 2026 18:00."},
		{"half an hour", nil, func(a *Alert) {
			a.Measure, a.Exposed, a.Evidence.BinWidth = "distinct_in_bin", Exposed{}, "30m0s"
		},
			"Signing key kid-7 was used to read 1,240 distinct customers between 14:00 and 14:30 on Tue 3 Mar 2026 (UTC), where about 210 are usual in 30 minutes with work: 5.9 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"raised by late events, a day after the hour", nil, func(a *Alert) {
			a.Measure, a.Exposed = "distinct_in_bin", Exposed{}
			a.Time += 24 * hour
			a.Evidence.Until = a.Time
		},
			"Signing key kid-7 was used to read 1,240 distinct customers between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are usual in an hour with work: 5.9 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"raised by late events, a day after the day", nil, func(a *Alert) {
			a.Time += 24 * hour
			a.Evidence.Until, a.Exposed = a.Time, Exposed{}
		},
			"Signing key kid-7 was used to read 1,240 distinct customers on Tue 3 Mar 2026 (UTC), where about 210 are usual on a whole working day: 5.9 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"outside usual hours", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "user", "kim", "off_hours", 40, 0.7, Exposed{}
		},
			"User kim read 40 customers outside its usual hours between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 0.7 is usual on a whole working day. It began about Mon 2 Mar 2026 09:00."},
		{"update", nil, func(a *Alert) { a.Status = Update },
			"Still going on: signing key kid-7 was used to read 1,240 distinct customers between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are usual on a whole working day: 5.9 times as many. It began about Mon 2 Mar 2026 09:00; since then it has been used to read about 33,700,000 distinct customers in all (33,100,000 to 34,300,000 at 95 % confidence)."},
		{"update, a day after the case was made", nil, func(a *Alert) {
			a.Status, a.Exposed = Update, Exposed{}
			a.Time += 24 * hour
		},
			"Still going on: signing key kid-7 was used to read 1,240 distinct customers between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are usual on a whole working day: 5.9 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"update on a quiet day", nil, func(a *Alert) { a.Status, a.Observed, a.Expected, a.Exposed = Update, 0, 3.7, Exposed{} },
			"Still open, though quiet now: signing key kid-7 was used to read 0 distinct customers between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 3.7 are usual on a whole working day. It began about Mon 2 Mar 2026 09:00."},
		{"first touch of an endpoint, one usual", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "endpoint", "GET /x", "first_touch", 40, 1, Exposed{}
		},
			"Endpoint GET /x gave out 40 customers it had never given out before between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 1 is usual on a whole working day: 40 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"deletes", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Expected, a.Exposed = "user", "kim", "destructive", 10, Exposed{}
		},
			"User kim changed or deleted 1,240 customers' records between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 10 are usual on a whole working day: 124 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"deletes under a key", nil, func(a *Alert) { a.Measure, a.Expected, a.Exposed = "destructive", 10, Exposed{} },
			"Signing key kid-7 was used to change or delete 1,240 customers' records between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 10 are usual on a whole working day: 124 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"tokens that nobody issued", nil, func(a *Alert) { a.Measure, a.Expected, a.Exposed = "unissued", 0.5, Exposed{} },
			"Signing key kid-7 was used to read 1,240 customers through tokens that nobody issued between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 0.5 is usual on a whole working day. It began about Mon 2 Mar 2026 09:00."},
		{"close", nil, func(a *Alert) { a.Status = Close },
			"Over: signing key kid-7 is back to normal. Between Mon 2 Mar 2026 09:00 and Tue 3 Mar 2026 15:00 (UTC) it was used to read about 33,700,000 distinct customers in all (33,100,000 to 34,300,000 at 95 % confidence)."},
		{"close with nothing exposed", nil, func(a *Alert) { a.Status = Close; a.Exposed = Exposed{} },
			"Over: signing key kid-7 is back to normal. It had begun about Mon 2 Mar 2026 09:00."},
		{"a dimension and a measure of the user's own", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure = "user_device", "kim|phone", "odd"
			a.Exposed = Exposed{Since: a.Onset}
		},
			"User_device kim|phone read 1,240 units of odd between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are usual on a whole working day: 5.9 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"an identity that attacks the reader", nil, func(a *Alert) {
			a.Dimension, a.Identity = "client", "x\x1b[2J\nAll clear.\u202e"
			a.Exposed = Exposed{Since: a.Onset}
		},
			"Client x?[2J?All clear.? read 1,240 distinct customers between 00:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are usual on a whole working day: 5.9 times as many. It began about Mon 2 Mar 2026 09:00."},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := example()
			c.set(a)
			if got := Summarize(a, c.loc); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestSummarizeAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAlert.Draw(t, "alert")
		s := Summarize(a, time.UTC)
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\n\x1b") || !strings.HasSuffix(s, ".") || len(s) > 2000 {
			t.Fatalf("%q", s)
		}
		a.Summary += "x"
		if Summarize(a, time.UTC) != s {
			t.Fatal("depends on the old summary")
		}
	})
}

func TestGroup(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", 33700000: "33,700,000", -1234: "-1,234", -123: "-123",
		-1 << 63: "-9,223,372,036,854,775,808",
	} {
		if got := Group(n); got != want {
			t.Errorf("Group(%d) = %s, want %s", n, got, want)
		}
	}
}
