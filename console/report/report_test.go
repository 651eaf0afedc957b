package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/stream/correlate"
)

// Weeks are those of ISO 8601, in a zone.
func TestWeeks(t *testing.T) {
	seoul := time.FixedZone("Asia/Seoul", 9*3600)
	for _, c := range []struct {
		text, from string
	}{
		{"2026-W10", "2026-03-02"}, {"2026-W01", "2025-12-29"}, {"2026-W53", "2026-12-28"}, {"2020-W53", "2020-12-28"},
		{"2021-W01", "2021-01-04"}, {"", "2026-03-02"}, {"2025-W53", ""}, {"2026-W00", ""}, {"2026-W1", ""}, {"2026-10", ""}, {"W10", ""}, {"2026-W10x", ""},
	} {
		from, err := ParseWeek(c.text, time.Date(2026, 3, 8, 16, 0, 0, 0, seoul), seoul)
		if got := from.Format(time.DateOnly); (c.from == "") != (err != nil) || err == nil && got != c.from {
			t.Errorf("%q: %s, %v, want %s", c.text, got, err, c.from)
		}
		if err == nil && c.text != "" && Name(from) != c.text {
			t.Errorf("%s is called %s", c.text, Name(from))
		}
	}
}

// A week adds up: what opened in it, who was sent it, what people said of it, and
// what was held back in it.
func TestReport(t *testing.T) {
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	at := func(hours int) alerting.Time {
		return alerting.Time(monday.Add(time.Duration(hours) * time.Hour).UnixMilli())
	}
	f := model.NewFold()
	alert := func(name string, hours int) *alerting.Alert {
		a := alertingtest.Full()
		a.Identity, a.Time, a.DedupKey = name, at(hours), alerting.DedupKey("key", name, 1)
		return a
	}
	say := func(name string, hours int, kind correlate.VerdictKind) {
		f.Verdict(&correlate.Verdict{ID: name, Time: at(hours), Kind: kind, DedupKey: alerting.DedupKey("key", name, 1), Author: "ana", Reason: "because"})
	}
	f.Alert(alert("before", -1))
	f.Alert(alert("leak", 0))
	back := alert("leak", 1) // it comes back, and is less grave
	back.Severity = episode.Low
	f.Alert(back)
	say("leak", 2, correlate.Confirmed)
	f.Alert(alert("harmless", 30))
	say("harmless", 31, correlate.Expected)
	f.Verdict(&correlate.Verdict{ID: "later", Time: at(32), Kind: correlate.Assigned, DedupKey: alerting.DedupKey("key", "harmless", 1), Author: "lee"}) // says nothing of what it was
	f.Alert(alert("open", 40))
	f.Suppressed(&correlate.Suppressed{By: correlate.SuppressedBy{Kind: correlate.ByConfig, Name: "nightly", Reason: "export"}, Alert: *alert("held", 50)})
	f.Alert(alert("after", 24*7))
	f.Judged(at(24 * 10))
	r := Of(f.Snapshot(), monday)
	if r.Week != "2026-W10" || r.Opened != 4 || r.Sent != 3 || r.Open != 4 || r.Unjudged != 1 || r.Answered != 2 || r.ToAnswer != 2*3600 {
		t.Errorf("%+v", r)
	}
	if len(r.Severity) != 1 || r.Severity["high"] != 3 {
		t.Errorf("severities %v", r.Severity)
	}
	if r.Judged["confirmed"] != 1 || r.Judged["expected"] != 1 || len(r.Reasons) != 2 || r.Budget != 2 || r.Used != 0.43 {
		t.Errorf("verdicts %v, reasons %v, used %v of %v", r.Judged, r.Reasons, r.Used, r.Budget)
	}
	if len(r.HeldBack) != 1 || r.HeldBack[0].Messages != 1 || r.HeldBack[0].Name != "nightly" {
		t.Errorf("held back: %+v", r.HeldBack)
	}
	if len(r.Confirmed) != 1 || r.Confirmed[0].Key != alerting.DedupKey("key", "leak", 1) || r.Exposed != 33_700_000 {
		t.Errorf("confirmed: %+v", r.Confirmed)
	}
	for by, rates := range r.Rates {
		if len(rates) != 1 || rates[0].Sent != 3 || rates[0].Judged != 2 || rates[0].Harmless != 1 {
			t.Errorf("by %s: %+v", by, rates)
		}
	}
	var text strings.Builder
	if err := r.Print(&text, time.UTC); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"week 2026-W10", "opened: 4, of them still open: 4", "answered: 2 of 3, median 2h0m0s", "1 confirmed, 1 expected", "| key | 3 | 2 | 1 |", "because (ana)", "1 messages: config nightly export"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, &text)
		}
	}
	if empty := Of(model.NewFold().Snapshot(), monday); empty.Opened != 0 || empty.Used != 0 || len(empty.Rates) != 3 {
		t.Errorf("an empty week: %+v", empty)
	}
}

// A page of a week stays one page, and says how many leaks it leaves out; severities come
// gravest first.
func TestReportIsBounded(t *testing.T) {
	monday, f := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), model.NewFold()
	for i := range maxConfirmed + 7 {
		a := alertingtest.Full()
		a.Time, a.DedupKey, a.Severity = alerting.Time(monday.UnixMilli())+alerting.Time(i+1), fmt.Sprint("weir-", i), episode.Severity(1+i%4)
		f.Alert(a)
		f.Verdict(&correlate.Verdict{ID: fmt.Sprint(i), Kind: correlate.Confirmed, DedupKey: a.DedupKey, Author: "ana", Reason: "because"})
	}
	r, text := Of(f.Snapshot(), monday), strings.Builder{}
	if err := r.Print(&text, time.UTC); err != nil {
		t.Fatal(err)
	}
	if len(r.Confirmed) != maxConfirmed || r.Leaks != maxConfirmed+7 || !strings.Contains(text.String(), "- and 7 more") || !strings.Contains(text.String(), "57 (14 critical, 14 high, 14 medium, 15 low)") {
		t.Errorf("%d of %d leaks: %s", len(r.Confirmed), r.Leaks, text.String()[:400])
	}
}
