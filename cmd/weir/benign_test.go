package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/explain"
)

// office is the log of ten clerks who each sign in anew every hour from 8 to 16
// o'clock and read a dozen customers, half of them known to them, for three weeks.
type office struct{ lines []officeLine }

// officeLine is one event, when it happens and when it comes.
type officeLine struct {
	at, comes time.Time
	action    string
	clerk     int
	session   string
	client    string
	record    int
}

func newOffice() *office {
	o := &office{}
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for day := range 21 {
		for hour := 8; hour < 16; hour++ {
			for clerk := range 10 {
				at := start.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
				session := fmt.Sprintf("t%d-%d-%d", day, hour, clerk)
				add := func(minute int, action string, record int) {
					when := at.Add(time.Duration(minute)*time.Minute + time.Duration(clerk)*time.Second)
					client := "crm-web/4.1.0"
					if minute%4 == 1 && minute < 17 { // each has some of its own
						client = "tool-" + string(rune('a'+clerk)) + string(rune('a'+minute/4))
					}
					o.lines = append(o.lines, officeLine{when, when, action, clerk, session, client, record})
				}
				add(0, "login", 0)
				for i := range 10 + (day+hour+clerk)%5 {
					record := clerk*100_000 + i // known
					if i%2 > 0 {
						record += (day*24 + hour) * 20
					}
					add(1+4*i, "read", record)
				}
			}
		}
	}
	return o
}

// opened runs a backtest over the log as it comes and returns what opened since
// a time.
func (o *office) opened(t *testing.T, since time.Time, args ...string) (out []string) {
	t.Helper()
	slices.SortStableFunc(o.lines, func(a, b officeLine) int { return a.comes.Compare(b.comes) })
	var b strings.Builder
	for _, l := range o.lines {
		fmt.Fprintf(&b, `{"time":%q,"action":%q,"actor":"clerk%d","session":%q,"key_id":"sso-1","ip":"10.0.%d.9","client":%q,"endpoint":"/customers/{id}"`,
			l.at.Format(time.RFC3339), l.action, l.clerk, l.session, l.clerk/5, l.client)
		if l.action == "read" {
			fmt.Fprintf(&b, `,"records":[%d]`, l.record)
		}
		b.WriteString("}\n")
	}
	if err := os.WriteFile("office.ndjson", []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := weir(t, append(append([]string{"backtest", "-o", "json"}, args...), "office.ndjson")...)
	var summary backtest.Summary
	if err := json.Unmarshal([]byte(stderr[strings.LastIndexByte(strings.TrimSpace(stderr), '\n')+1:]), &summary); code != 0 || err != nil || summary.Counted+summary.Late < 20_000 {
		t.Fatalf("exit %d, %v: %s", code, err, stderr)
	}
	for line := range strings.Lines(stdout) {
		a, err := alerting.ParseAlert([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if a.Status == alerting.Open && a.Time.Std().After(since) {
			out = append(out, fmt.Sprintf("%s %s %s%s at %s", a.Dimension, a.Identity, a.Measure, a.Fact, a.Time))
		}
	}
	return out
}

// A log that fails for three hours and then brings what happened in them, within
// three quarters of an hour, between newer events and logins 25 minutes after the
// reads that they stand behind, opens nothing. Were its events counted when they come, they would.
func TestOutageOpensNothing(t *testing.T) {
	alone(t)
	t.Chdir(t.TempDir())
	o := newOffice()
	from := time.Date(2026, 3, 18, 10, 0, 0, 0, time.UTC)
	to := from.Add(3 * time.Hour)
	held := 0
	for i := range o.lines {
		l := &o.lines[i]
		if l.at.Before(from) || !l.at.Before(to) {
			continue
		}
		held++
		l.comes = to.Add(l.at.Sub(from) / 10)
		if l.action == "login" {
			l.comes = l.comes.Add(25 * time.Minute)
		}
	}
	if held < 300 {
		t.Fatalf("only %d events are of the outage", held)
	}
	if got := o.opened(t, from); len(got) > 0 {
		t.Errorf("the backlog opens %v", got)
	}
	for i := range o.lines {
		o.lines[i].at = o.lines[i].comes
	}
	if got := o.opened(t, from); len(got) == 0 {
		t.Error("what would be a burst opens nothing, so that nothing is shown")
	}
}

// A release that changes the client string of everybody opens nothing, since a
// client goes by its family: it is expected to do what it did. By the string
// itself it is a newcomer.
func TestReleaseOpensNothing(t *testing.T) {
	alone(t)
	t.Chdir(t.TempDir())
	o := newOffice()
	from := time.Date(2026, 3, 17, 9, 0, 0, 0, time.UTC)
	for i := range o.lines {
		if l := &o.lines[i]; l.client == "crm-web/4.1.0" && !l.at.Before(from) {
			l.client = "crm-web/4.2.0"
		}
	}
	if got := o.opened(t, from); len(got) > 0 {
		t.Errorf("the release opens %v", got)
	}
	share := func(client string, args ...string) float64 {
		args = append([]string{"explain", "--identity", "client:" + client, "--bin", from.Format(time.RFC3339), "--input", "office.ndjson", "-o", "json"}, args...)
		code, stdout, stderr := weir(t, args...)
		var x explain.Explanation
		if err := json.Unmarshal([]byte(stdout), &x); err != nil || code != 0 {
			t.Fatalf("exit %d, %v: %s%s", code, err, stdout, stderr)
		}
		for _, n := range x.Numbers {
			var observed, expected float64
			if n.Name != "ratio of distinct_in_bin" {
				continue
			}
			if _, err := fmt.Sscanf(n.From, "log of the mean likelihood ratio of %g under 1.5 to 10 times the expected %g", &observed, &expected); err != nil {
				t.Fatalf("%q: %v", n.From, err)
			}
			return expected / observed
		}
		return 0 // of a newcomer nothing is expected yet
	}
	conf := "dimensions: {user: [actor], key: [key_id], network: [network], client: [client], endpoint: [endpoint]}\n"
	if err := os.WriteFile("weir.yaml", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	family, alone := share("crm-web"), share("crm-web/4.2.0", "-c", "weir.yaml")
	t.Logf("of what the new version reads in its first hour %.0f %% were expected of its family, %.0f %% of a newcomer", 100*family, 100*alone)
	if family < 0.7 || alone > 0.5 {
		t.Errorf("of what the new version reads in its first hour %.2f were expected, %.2f by the string itself", family, alone)
	}
}
