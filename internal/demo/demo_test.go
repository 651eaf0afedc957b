package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
)

// demoTest runs a demonstration as fast as it can, to an end that only a hang
// reaches otherwise.
func demoTest(t *testing.T, o Options) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	o.AsFast, o.Speed = true, DefaultSpeed
	var out, diagnostics bytes.Buffer
	err = Run(ctx, &o, &out, &diagnostics)
	return out.String(), diagnostics.String(), err
}

func TestDemoOnceFindsTheLeak(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the whole demonstration, many seconds of work")
	}
	out, diagnostics, err := demoTest(t, Options{Once: true, Output: "json"})
	if err != nil {
		t.Fatalf("%v\n%s", err, diagnostics)
	}
	a, err := alerting.ParseAlert([]byte(strings.TrimSpace(out)))
	if err != nil {
		t.Fatalf("stdout is not one alert: %v\n%s", err, out)
	}
	var f finding
	if err := json.Unmarshal([]byte(diagnostics), &f); err != nil {
		t.Fatalf("stderr is not one finding: %v\n%s", err, diagnostics)
	}
	company, err := simulate.New(simulate.Options{Scenario: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	var before int64 // what the leak had taken when the alert was raised
	for ev := new(event.Event); company.Next(ev) && ev.Time < int64(a.Time); {
		if company.Leak() == 0 {
			before = company.Truth().Leaks[0].Records
		}
	}
	truth := company.Truth().Leaks[0]
	if got := truth.Identities[a.Dimension]; len(got) != 1 || got[0] != a.Identity {
		t.Errorf("the alert is about %s %s, the leak comes through %v", a.Dimension, a.Identity, truth.Identities)
	}
	if int64(f.Leaked) != before || f.Start.Std().Sub(truth.Start).Abs() > time.Millisecond {
		t.Errorf("the finding says %d since %s, the truth is %d since %s", f.Leaked, f.Start, before, truth.Start)
	}
	if delay := a.Time.Std().Sub(truth.Start); delay <= 0 || delay > 2*time.Hour {
		t.Errorf("found %s after the leak began", delay)
	}
	if perDay := float64(f.False) / f.Days; perDay > f.Budget {
		t.Errorf("%.1f false alarms a day, beyond the budget of %g", perDay, f.Budget)
	}
}

// small is a company too young for much to be learned of it: enough to see the
// demonstration run from its first line to its last.
var small = simulate.Options{Scenario: "demo", Days: 2, Scale: 0.05}

// The pace of the last day differs, not what is said in the end.
func TestDemoInPlainLines(t *testing.T) {
	t.Parallel()
	out, _, err := demoTest(t, Options{Company: small})
	if err != nil {
		t.Fatal(err)
	}
	company, err := simulate.New(small)
	if err != nil {
		t.Fatal(err)
	}
	for ev := new(event.Event); company.Next(ev); {
	}
	for _, want := range []string{"Tue 6 Jan 00:00  ", "\n" + alerting.Group(company.Events()) + " events of a simulated company", "Try next:"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if strings.ContainsAny(out, "\x1b\r") {
		t.Errorf("escape codes where there is no terminal:\n%q", out)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var paced bytes.Buffer
	if err := Run(ctx, &Options{Company: small, Speed: 50_000}, &paced, &paced); err != nil {
		t.Fatal(err)
	}
	_, fast, _ := strings.Cut(out, "\n\n")
	if _, slow, _ := strings.Cut(paced.String(), "\n\n"); fast != slow || fast == "" {
		t.Errorf("as fast as it can:\n%s\nat a pace:\n%s", fast, slow)
	}
}

func TestDemoOnceSaysWhenNothingIsFound(t *testing.T) {
	t.Parallel()
	calm := simulate.Options{Scenario: "calm", Days: 1, Scale: 0.05}
	out, _, err := demoTest(t, Options{Company: calm, Once: true, Output: "table"})
	if err == nil || !strings.HasPrefix(err.Error(), "the leak was not found: ") || out != "" {
		t.Errorf("got %v and %q", err, out)
	}
}

func TestDemoStopsWhenAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := Run(ctx, &Options{Company: small, Once: true, Output: "table", AsFast: true}, &out, &out); err == nil {
		t.Errorf("an interrupted search ended well:\n%s", out.String())
	}
}

func TestLeakOf(t *testing.T) {
	company, err := simulate.New(simulate.Options{Scenario: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	truth := newTruth(company.Truth())
	const hour, tick = 3_600_000, 300_000
	began := company.Truth().Leaks[0].Start.UnixMilli() // 10:20
	about := func(identity string, at int64, status alerting.Status) *alerting.Alert {
		return &alerting.Alert{
			Dimension: "key", Identity: identity, Status: status, Time: alerting.Time(at),
			Evidence: alerting.Evidence{Bin: alerting.Time((at - 1) / hour * hour), BinWidth: "1h0m0s"},
		}
	}
	if truth.leakOf(about("mobile-k1", began+hour, alerting.Open)) != -1 {
		t.Error("an alert is about a leak that has not begun")
	}
	ev := event.Event{Time: began, Records: []string{"7"}}
	truth.observe(&ev, 0)
	ev.Time += tick
	truth.observe(&ev, 0)
	ev.Records = []string{"8", "9", "8"}
	truth.observe(&ev, 0)
	for _, tt := range []struct {
		name string
		a    *alerting.Alert
		want int
	}{
		{"in the hour of the leak", about("mobile-k1", began+tick, alerting.Open), 0},
		{"an update", about("mobile-k1", began+2*hour, alerting.Update), 0},
		{"of an earlier tick of that hour", about("mobile-k1", began-tick, alerting.Open), -1},
		{"about another key", about("web-k1", began+hour, alerting.Open), -1},
		{"that it is over", about("mobile-k1", began+hour, alerting.Close), -1},
	} {
		if got := truth.leakOf(tt.a); got != tt.want {
			t.Errorf("%s: leak %d, want %d", tt.name, got, tt.want)
		}
	}
	for before, want := range map[int64]int{began: 0, began + 1: 1, began + tick: 1, began + tick + 1: 3} {
		if _, n := truth.leaked(0, before); n != want {
			t.Errorf("%d customers before %d, want %d", n, before, want)
		}
	}
}
