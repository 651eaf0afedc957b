package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/lab"
)

// clerks is a log of some weeks: five clerks who read a steady number of
// customers an hour by day, half of them new.
func clerks(days int) string {
	var b strings.Builder
	for day := range days {
		for hour := 8; hour < 16; hour++ {
			for clerk, perHour := range []int{8, 10, 12, 14, 16} {
				for i := range perHour + (day+hour+clerk)%5 {
					record := clerk*100_000 + (day*24+hour)*20 + i
					if i%2 == 0 {
						record = clerk*100_000 + i
					}
					fmt.Fprintf(&b, `{"time":"2026-03-%02dT%02d:%02d:00Z","actor":"clerk%d","ip":"10.0.%d.9","client":"crm","records":[%d]}`+"\n",
						day+1, hour, i%60, clerk, clerk, record)
				}
			}
		}
	}
	return b.String()
}

// A large leak in a steady log is caught, and told with its delay and with what
// chance would score.
func TestInject(t *testing.T) {
	alone(t)
	t.Chdir(t.TempDir())
	writeFile(t, "log.ndjson", clerks(21))
	code, stdout, stderr := weir(t, "backtest", "--inject", "RATE=10x,COUNT=2", "-o", "json", "log.ndjson")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var r lab.Result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if r.Kind != lab.Drift || r.Rate != "10x" || r.Tried != 2 || r.Comparable != 5 || len(r.Outcomes) != 2 {
		t.Errorf("got %+v", r)
	}
	for _, o := range r.Outcomes {
		if !o.Caught || o.Delay <= 0 || o.Delay > 24 || o.Gone >= o.Taken || !strings.HasSuffix(o.By, o.Identity) && o.By == "" {
			t.Errorf("ten times the usual: %+v", o)
		}
	}
	var s injectSummary
	if err := json.Unmarshal([]byte(stderr), &s); err != nil || s.Leaks != 1 || s.Tried != 2 || s.Caught != 2 || s.Error != "" {
		t.Errorf("summary %s (%v)", stderr, err)
	}
	_, table, _ := weir(t, "backtest", "--inject", "RATE=10x,COUNT=2", "log.ndjson")
	for _, want := range []string{"drift 10x from 2026-03-14 20:00 UTC for 7 days", "2 of 2 caught, median", "by chance 0 % (of 5 such users", "  by chance\n", "  no\n"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}

// Each row of the table says what is open without the leak, as -o json does.
func TestInjectTable(t *testing.T) {
	var b strings.Builder
	printInject(&b, &lab.Result{Kind: lab.Drift, Rate: "3x", Dimension: "user", Days: 7, Tried: 2, Caught: 1, Median: 6, Chance: 0.5, Comparable: 2, Outcomes: []lab.Outcome{
		{Identity: "ana", Role: "agent", Usual: 31.52, Caught: true, By: "user ana", Why: "distinct", Delay: 6, Gone: 27, Taken: 118},
		{Identity: "bob", Work: "GET /c/{id}", Usual: 4, Gone: 68, Taken: 68, ByLuck: true, Anyway: "key mobile-k1 (unissued_token)"},
	}})
	want := `drift 3x from 1970-01-01 00:00 UTC for 7 days
  user               usual a day  caught  after  gone by then  episode              by chance
  ana (agent)        31.5         yes     6.0 h  27 of 118     user ana (distinct)  no
  bob (GET /c/{id})  4.0          no             68 of 68      -                    yes: key mobile-k1 (unissued_token)
  1 of 2 caught, median 6.0 h; by chance 50 % (of 2 such users, in those days, without a leak)

`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

// A leak that is far too small is missed, and --exit-code says so.
func TestInjectMissed(t *testing.T) {
	alone(t)
	t.Chdir(t.TempDir())
	writeFile(t, "log.ndjson", clerks(15))
	code, stdout, _ := weir(t, "backtest", "--exit-code", "--inject", "RATE=1.01x", "log.ndjson")
	if code != 3 || !strings.Contains(stdout, "0 of 1 caught; by chance") {
		t.Errorf("exit %d, want 3:\n%s", code, stdout)
	}
}

// Wrong leaks are told, with what would be right.
func TestInjectFaults(t *testing.T) {
	alone(t)
	t.Chdir(t.TempDir())
	writeFile(t, "log.ndjson", clerks(15))
	for _, c := range []struct {
		leak, file string
		code       int
		says       string
	}{
		{"KIND=theft", "log.ndjson", 2, "want drift, slow"},
		{"RATE=3x", "-", 2, "reads the log several times"},
		{"IDENTITY=city:rome", "log.ndjson", 2, `the dimension "city"`},
		{"IDENTITY=zoe", "log.ndjson", 1, `no user "zoe"`},
		{"KIND=forged", "log.ndjson", 1, "no key of the log"},
		{"START=2027-01-01", "log.ndjson", 1, "the log goes from 2026-03-01"},
	} {
		code, _, stderr := weir(t, "backtest", "--inject", c.leak, c.file)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: exit %d, want %d with %q: %s", c.leak, code, c.code, c.says, stderr)
		}
	}
}
