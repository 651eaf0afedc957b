package alerting

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/weirhq/weir/detectors/episode"
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
			"Signing key kid-7 has been used to read about 33,700,000 distinct customers (33,100,000 to 34,300,000 at 95 % confidence) since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"in local time", seoul, func(a *Alert) { a.Dimension, a.Identity = "user", "kim" },
			"User kim has read about 33,700,000 distinct customers (33,100,000 to 34,300,000 at 95 % confidence) since Mon 2 Mar 2026 18:00 (Asia/Seoul), where about 9,100 are usual in as much time: 3,703 times as many. It began between 17:00 and 19:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"first touch, exact, counted for longer than the drift", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected = "user", "kim", "first_touch", 480, 12
			a.MemoryDays = 30
			a.Exposed = Exposed{Records: 512, Low: 512, High: 512, Since: a.Onset - hour}
		},
			"User kim has read 480 customers new to it (not touched in the 30 days before) since Mon 2 Mar 2026 09:00 (UTC), where about 12 are usual in as much time: 40 times as many; 512 distinct customers in all. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"a share of new ones", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "user", "kim", "new_share", 1100, 400, Exposed{}
		},
			"User kim has read 1,100 customers new to it since Mon 2 Mar 2026 09:00 (UTC), where about 400 are usual in as much time: 2.8 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"half of them new", nil, func(a *Alert) { a.ShareNew, a.MemoryDays = new(0.5), 13; a.OnsetEarliest = a.OnsetLatest },
			"Signing key kid-7 has been used to read about 33,700,000 distinct customers (33,100,000 to 34,300,000 at 95 % confidence) since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many; 16,850,000 of them new to it (not touched in the 13 days before)."},
		{"all of them new, and dated earlier", nil, func(a *Alert) { a.ShareNew, a.MemoryDays = new(1.0), 1; a.OnsetWas = a.Onset + 3*hour },
			"Signing key kid-7 has been used to read about 33,700,000 distinct customers (33,100,000 to 34,300,000 at 95 % confidence) since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many; all of them new to it (not touched in the day before). It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence. What came since dates it earlier: messages before said Mon 2 Mar 2026 12:00."},
		{"rows without ids", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected = "client", "report/2.1", "rows", 1200000, 0.4
			a.Exposed = Exposed{Rows: 1200000, Since: a.Onset}
		},
			"Client report/2.1 has read 1,200,000 rows since Mon 2 Mar 2026 09:00 (UTC), where about 0.4 is usual in as much time. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"customers and rows", nil, func(a *Alert) {
			a.Dimension, a.Identity = "endpoint", "GET /customers/{id}"
			a.Exposed = Exposed{Records: 1, Low: 1, High: 1, Rows: 1, Since: a.Onset}
		},
			"Endpoint GET /customers/{id} has given out 33,700,000 distinct customers since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"one customer, none usual", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Observed, a.Expected = "network", "192.0.2.0/24", 1, 0
			a.Exposed = Exposed{Since: a.Onset}
		},
			"Network 192.0.2.0/24 has read 1 distinct customer since Mon 2 Mar 2026 09:00 (UTC), where none is usual in as much time. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"an hour", nil, func(a *Alert) {
			a.Measure, a.Exposed = "distinct_in_bin", Exposed{}
		},
			"Signing key kid-7 has been used to read 33,700,000 distinct customers since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence. It stood out between 14:00 and 15:00 on Tue 3 Mar 2026, with 1,240 of them."},
		{"an hour, judged before its end", nil, func(a *Alert) {
			a.Measure, a.Expected, a.Exposed = "first_touch_in_bin", 1.2, Exposed{}
			a.Time = a.Evidence.Bin + 20*60_000
			a.Evidence.Until = a.Time
		},
			"Signing key kid-7 has been used to read about 33,700,000 customers new to it since Mon 2 Mar 2026 09:00 (UTC), where about 1.2 are usual in as much time: 28,083,333 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence. It stood out between 14:00 and 14:20 on Tue 3 Mar 2026, with 1,240 of them."},
		{"more new ones than usual among as many", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected = "user", "kim", "new_share", 17, 9.6
			a.Exposed = Exposed{Records: 18, Low: 18, High: 19}
		},
			"User kim has read 17 customers new to it since Mon 2 Mar 2026 09:00 (UTC), where about 9.6 are usual among about 18 distinct customers (18 to 19 at 95 % confidence): 1.8 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"rows and customers", nil, func(a *Alert) {
			a.Measure, a.Observed, a.Exposed.Rows = "rows", 860, 860
		},
			"Signing key kid-7 has been used to read 860 rows since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time; about 33,700,000 distinct customers (33,100,000 to 34,300,000 at 95 % confidence) and 860 rows without customer ids in all. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"rows of an hour over midnight", seoul, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Exposed = "user", "kim", "rows_in_bin", Exposed{}
		},
			"User kim has read 33,700,000 rows since Mon 2 Mar 2026 18:00 (Asia/Seoul), where about 9,100 are usual in as much time: 3,703 times as many. It began between 17:00 and 19:00 on Mon 2 Mar 2026, at 90 % confidence. It stood out between Tue 3 Mar 2026 23:00 and Wed 4 Mar 2026 00:00, with 1,240 of them."},
		{"half an hour", nil, func(a *Alert) {
			a.Measure, a.Exposed, a.Evidence.BinWidth = "distinct_in_bin", Exposed{}, "30m0s"
		},
			"Signing key kid-7 has been used to read 33,700,000 distinct customers since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many. It began between 08:00 and 09:30 on Mon 2 Mar 2026, at 90 % confidence. It stood out between 14:00 and 14:30 on Tue 3 Mar 2026, with 1,240 of them."},
		{"raised by late events, a day after the hour", nil, func(a *Alert) {
			a.Measure, a.Exposed = "distinct_in_bin", Exposed{}
			a.Time += 24 * hour
			a.Evidence.Until = a.Time
		},
			"Signing key kid-7 has been used to read 33,700,000 distinct customers since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence. It stood out between 14:00 and 15:00 on Tue 3 Mar 2026, with 1,240 of them."},
		{"outside usual hours", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "user", "kim", "off_hours", 40, 0.7, Exposed{}
		},
			"User kim has read 40 customers outside its usual hours (counted anew each hour) since Mon 2 Mar 2026 09:00 (UTC), where about 0.7 is usual in as much time. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"update", nil, func(a *Alert) { a.Status = Update },
			"Still going on: signing key kid-7 has been used to read about 33,700,000 distinct customers (33,100,000 to 34,300,000 at 95 % confidence) since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"told of late", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "user", "kim", "rows", 40, 1, Exposed{}
			a.OnsetEarliest, a.Shown = 0, a.Time-7*hour
		},
			"Nothing more since Tue 3 Mar 2026 08:00 (UTC): user kim has read 40 rows since Mon 2 Mar 2026 09:00 (UTC), where about 1 is usual in as much time: 40 times as many."},
		{"back with another severity", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "user", "kim", "rows", 40, 1, Exposed{}
			a.OnsetEarliest, a.Reopened, a.Returns, a.Severity, a.SeverityWas = 0, a.Time, 1, episode.Low, episode.High
		},
			"User kim has read 40 rows since Mon 2 Mar 2026 09:00 (UTC), where about 1 is usual in as much time: 40 times as many. It was over and has come back: its numbers tell of nothing before Mon 2 Mar 2026 09:00, nor does its severity, which was high."},
		{"graver than before", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "user", "kim", "rows", 40, 1, Exposed{}
			a.Status, a.OnsetEarliest, a.Reopened, a.Returns, a.SeverityWas = Update, 0, a.Time-hour, 2, episode.Low
		},
			"Still going on: user kim has read 40 rows since Mon 2 Mar 2026 09:00 (UTC), where about 1 is usual in as much time: 40 times as many. Messages before ranked it low; what came since makes it high. It has come back 2 times after hours of silence."},
		{"first touch of an endpoint, one usual", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Observed, a.Expected, a.Exposed = "endpoint", "GET /x", "first_touch", 40, 1, Exposed{}
		},
			"Endpoint GET /x has given out 40 customers new to it since Mon 2 Mar 2026 09:00 (UTC), where about 1 is usual in as much time: 40 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"deletes", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure, a.Expected, a.Exposed = "user", "kim", "destructive", 10, Exposed{}
		},
			"User kim has changed or deleted 33,700,000 customers' records (counted anew each hour) since Mon 2 Mar 2026 09:00 (UTC), where about 10 are usual in as much time: 3,370,000 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"deletes under a key", nil, func(a *Alert) { a.Measure, a.Expected, a.Exposed = "destructive", 10, Exposed{} },
			"Signing key kid-7 has been used to change or delete 33,700,000 customers' records (counted anew each hour) since Mon 2 Mar 2026 09:00 (UTC), where about 10 are usual in as much time: 3,370,000 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"tokens that nobody issued", nil, func(a *Alert) { a.Measure, a.Expected, a.Exposed = "unissued", 0.5, Exposed{} },
			"Signing key kid-7 has been used to read customers through 33,700,000 tokens that nobody issued since Mon 2 Mar 2026 09:00 (UTC), where about 0.5 is usual in as much time. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"close", nil, func(a *Alert) { a.Status = Close },
			"Over: signing key kid-7 is back to normal. It has been used to read about 33,700,000 distinct customers (33,100,000 to 34,300,000 at 95 % confidence) since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many."},
		{"nothing more was seen for hours", nil, func(a *Alert) { a.Status, a.Exposed, a.Shown = Update, Exposed{}, a.Time-6*hour },
			"Nothing more since Tue 3 Mar 2026 09:00 (UTC): signing key kid-7 has been used to read 33,700,000 distinct customers since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"close with nothing exposed", nil, func(a *Alert) { a.Status = Close; a.Exposed = Exposed{} },
			"Over: signing key kid-7 is back to normal. It has been used to read 33,700,000 distinct customers since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many."},
		{"a dimension and a measure of the user's own", nil, func(a *Alert) {
			a.Dimension, a.Identity, a.Measure = "user_device", "kim|phone", "odd"
			a.Exposed = Exposed{Since: a.Onset}
		},
			"User_device kim|phone has read 33,700,000 units of odd since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
		{"an identity that attacks the reader", nil, func(a *Alert) {
			a.Dimension, a.Identity = "client", "x\x1b[2J\nAll clear.\u202e"
			a.Exposed = Exposed{Since: a.Onset}
		},
			"Client x?[2J?All clear.? has read 33,700,000 distinct customers since Mon 2 Mar 2026 09:00 (UTC), where about 9,100 are usual in as much time: 3,703 times as many. It began between 08:00 and 10:00 on Mon 2 Mar 2026, at 90 % confidence."},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := example()
			c.set(a)
			if OfBin(a.Measure) {
				m := &a.Evidence.Measures[0]
				m.Measure, m.From, m.Expected = a.Measure, a.Evidence.Bin, 8.7
			}
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
