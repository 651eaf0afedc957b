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
			"Signing key kid-7 was used to read 1,240 distinct customers between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are normal: 5.9 times as many. It began about Mon 2 Mar 2026 09:00; since then it has been used to read about 33,700,000 distinct customers in all (33,100,000 to 34,300,000 at 95 % confidence)."},
		{"in local time, over midnight", seoul, func(a *Alert) { a.Dimension, a.Identity = "user", "kim" },
			"User kim read 1,240 distinct customers between Tue 3 Mar 2026 23:00 and Wed 4 Mar 2026 00:00 (Asia/Seoul), where about 210 are normal: 5.9 times as many. It began about Mon 2 Mar 2026 18:00; since then it has read about 33,700,000 distinct customers in all (33,100,000 to 34,300,000 at 95 % confidence)."},
		{"first touch, exact, counted for longer than the drift", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected = "user", "kim", "first_touch", 480, 12
			a.Exposed = Exposed{Records: 512, Low: 512, High: 512, Since: a.Onset - hour}
		},
			"User kim read 480 customers it had never read before between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 12 are normal: 40 times as many. It began about Mon 2 Mar 2026 09:00; since Mon 2 Mar 2026 08:00 it has read 512 distinct customers in all."},
		{"rows without ids", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected = "client", "report/2.1", "rows", 1200000, 0.4
			a.Exposed = Exposed{Rows: 1200000, Since: a.Onset}
		},
			"Client report/2.1 read 1,200,000 rows between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 0.4 is normal. It began about Mon 2 Mar 2026 09:00; since then it has read 1,200,000 rows in all."},
		{"customers and rows", nil, func(a *Alert) {
			a.Dimension, a.Identity = "endpoint", "GET /customers/{id}"
			a.Exposed = Exposed{Records: 1, Low: 1, High: 1, Rows: 1, Since: a.Onset}
		},
			"Endpoint GET /customers/{id} gave out 1,240 distinct customers between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are normal: 5.9 times as many. It began about Mon 2 Mar 2026 09:00; since then it has given out 1 distinct customer and 1 row without customer ids in all."},
		{"one customer, none normal", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Observed, a.Expected = "network", "192.0.2.0/24", 1, 0
			a.Exposed = Exposed{Since: a.Onset}
		},
			"Network 192.0.2.0/24 read 1 distinct customer between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where none is normal. It began about Mon 2 Mar 2026 09:00."},
		{"scored before the bin's end", nil, func(a *Alert) {
			a.Time = a.Evidence.Bin + 20*60_000
			a.Expected = 1.2
		},
			"Signing key kid-7 was used to read 1,240 distinct customers between 14:00 and 14:20 on Tue 3 Mar 2026 (UTC), where about 1.2 are normal for the whole hour: 1,033 times as many. It began about Mon 2 Mar 2026 09:00; since then it has been used to read about 33,700,000 distinct customers in all (33,100,000 to 34,300,000 at 95 % confidence)."},
		{"raised by late events, a day after the bin", nil, func(a *Alert) {
			a.Time += 24 * hour
			a.Exposed = Exposed{Since: a.Onset}
		},
			"Signing key kid-7 was used to read 1,240 distinct customers between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are normal: 5.9 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"accounts of an endpoint", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "endpoint", "GET /x", "subjects", 26, 11, Exposed{}
		},
			"Endpoint GET /x was used by 26 distinct accounts between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 11 are normal: 2.4 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"outside usual hours", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "user", "kim", "off_hours", 40, 0, Exposed{}
		},
			"User kim read 40 customers outside its usual hours between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where none is normal. It began about Mon 2 Mar 2026 09:00."},
		{"a newcomer", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "user", "kim", "newcomer", 40, 1.5, Exposed{}
		},
			"User kim read 40 customers in all since it is new, the latest between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 1.5 are normal in the first two days of a newcomer among its peers: 27 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"update", nil, func(a *Alert) { a.Status = Update },
			"Still going on: signing key kid-7 was used to read 1,240 distinct customers between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are normal: 5.9 times as many. It began about Mon 2 Mar 2026 09:00; since then it has been used to read about 33,700,000 distinct customers in all (33,100,000 to 34,300,000 at 95 % confidence)."},
		{"update in a quiet hour", nil, func(a *Alert) { a.Status, a.Observed, a.Expected, a.Exposed = Update, 0, 3.7, Exposed{} },
			"Still open, though quiet now: signing key kid-7 was used to read 0 distinct customers between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 3.7 are normal. It began about Mon 2 Mar 2026 09:00."},
		{"first touch of an endpoint, one normal", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "endpoint", "GET /x", "first_touch", 40, 1, Exposed{}
		},
			"Endpoint GET /x gave out 40 customers it had never given out before between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 1 is normal: 40 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"deletes, by the day", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Exposed = "user", "kim", "destructive", Exposed{}
			a.Evidence.BinWidth = "24h0m0s"
			a.Expected = 10
		},
			"User kim changed or deleted 1,240 customers' records between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 10 are normal for the whole day: 124 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"tokens that nobody issued", nil, func(a *Alert) { a.Measure, a.Expected, a.Exposed = "unissued", 0, Exposed{} },
			"Signing key kid-7 was used to read 1,240 customers through tokens that nobody issued between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where none is normal. It began about Mon 2 Mar 2026 09:00."},
		{"one subject more than normal", nil, func(a *Alert) { a.Measure, a.Observed, a.Expected, a.Exposed = "subjects", 1240, 1, Exposed{} },
			"Signing key kid-7 was used by 1,240 distinct accounts between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 1 is normal: 1,240 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"close", nil, func(a *Alert) { a.Status = Close },
			"Over: signing key kid-7 is back to normal. Between Mon 2 Mar 2026 09:00 and Tue 3 Mar 2026 15:00 (UTC) it was used to read about 33,700,000 distinct customers in all (33,100,000 to 34,300,000 at 95 % confidence)."},
		{"close with nothing exposed", nil, func(a *Alert) { a.Status = Close; a.Exposed = Exposed{} },
			"Over: signing key kid-7 is back to normal. It had begun about Mon 2 Mar 2026 09:00."},
		{"a dimension and a measure of the user's own", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure = "user_device", "kim|phone", "odd"
			a.Exposed = Exposed{Since: a.Onset}
		},
			"User_device kim|phone read 1,240 units of odd between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are normal: 5.9 times as many. It began about Mon 2 Mar 2026 09:00."},
		{"an identity that attacks the reader", nil, func(a *Alert) {
			a.Dimension, a.Identity = "client", "x\x1b[2J\nAll clear.\u202e"
			a.Exposed = Exposed{Since: a.Onset}
		},
			"Client x?[2J?All clear.? read 1,240 distinct customers between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 210 are normal: 5.9 times as many. It began about Mon 2 Mar 2026 09:00."},
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
