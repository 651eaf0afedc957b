package explain

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
)

const hourMillis = int64(3600_000)

// midnight is Tuesday, 3 March 2026, 00:00 in Seoul.
const midnight = int64(1772463600_000)

// log is what kim did: each event at so many minutes after midnight in Seoul.
type logged struct {
	id      string
	minutes int64
	action  event.Action
	records string // by spaces
	rows    int64
}

func recount(t *testing.T, a *alerting.Alert, list []logged) *Recount {
	t.Helper()
	hasher := event.NewHasher([16]byte{1})
	dim, err := event.ParseDimension("user", []string{"actor"})
	if err != nil {
		t.Fatal(err)
	}
	c := NewRecount(a, dim, hasher, 30*24*hourMillis, time.FixedZone("KST", 9*3600))
	for _, l := range list {
		for _, actor := range []string{"kim", "lee"} { // lee's events count for nothing
			c.Observe(&event.Event{ID: l.id, Time: midnight + l.minutes*60_000, Actor: actor, Action: l.action, Records: strings.Fields(l.records), Rows: l.rows})
		}
	}
	return c
}

// Each kind of measure is counted in its own interval: those of the day from its
// midnight, those of the bin in the bin, an event that is told twice once.
func TestRecount(t *testing.T) {
	log := []logged{
		{"a", -60, event.Read, "1 2 3", 0},                // the day before
		{"b", 9 * 60, event.Read, "1 4", 0},               // 4 is new
		{"c", 9*60 + 5, event.Update, "4 5", 0},           // 5 is new; two are gone
		{"c", 9*60 + 5, event.Update, "4 5", 0},           // told twice
		{"d", 10 * 60, event.Delete, "4", 0},              // gone once more, in another bin
		{"e", 14 * 60, event.List, "6 7 4 2", 50},         // 6 and 7 are new; 46 rows without ids
		{"e", 14 * 60, event.List, "6 7 4 2", 50},         // told twice
		{"", 14*60 + 5, event.Export, "", 100},            // without an id
		{"", 14*60 + 5, event.Export, "", 100},            // another one
		{"f", 14*60 + 9, event.Login, "", 0},              // no access
		{"g", 14*60 + 10, event.Read, "8 9 10 11 12", 90}, // after the alert
	}
	a := &alerting.Alert{
		Dimension: "user", Identity: "kim", Time: alerting.Time(midnight + 14*hourMillis + 10*60_000),
		Exposed:  alerting.Exposed{Records: 7, Low: 7, High: 7, Since: alerting.Time(midnight - hourMillis)},
		Evidence: alerting.Evidence{Bin: alerting.Time(midnight + 14*hourMillis), BinWidth: "1h0m0s"},
	}
	counts := map[string]float64{
		"distinct": 6, "first_touch": 4, "new_share": 4, "rows": 246, "destructive": 3,
		"distinct_in_bin": 4, "first_touch_in_bin": 2, "rows_in_bin": 246,
	}
	for _, name := range alerting.Measures() {
		m := alerting.MeasureEvidence{Measure: name, From: alerting.Time(midnight), Observed: counts[name], Low: counts[name], High: counts[name], Expected: 1, Dispersion: 1}
		if alerting.OfBin(name) {
			m.From = a.Evidence.Bin
		}
		a.Evidence.Measures = append(a.Evidence.Measures, m)
	}
	a.Evidence.Measures = append(a.Evidence.Measures, alerting.MeasureEvidence{Measure: "rows"}) // not judged: nothing was counted
	c := recount(t, a, log)
	seen := map[string]bool{}
	for _, n := range c.Numbers() {
		if !n.Agrees {
			t.Errorf("%s: told %g, again %g from %s", n.Name, n.Stated, n.Again, n.From)
		}
		seen[n.Name] = true
	}
	for name := range counts {
		if !seen["observed "+name] {
			t.Errorf("%s is not counted again", name)
		}
	}
	if !seen["exposed"] || len(seen) != len(counts)+1 {
		t.Errorf("counted %v", seen)
	}
	text := strings.Join(c.Remarks(), "\n")
	for _, want := range []string{
		"from 7 events", "From 2026-03-02T15:00:00.000Z to 2026-03-03T05:10:00.000Z the events have 6 distinct records, 4 of them touched for the first time, and 246 rows without ids.",
		"From 2026-03-03T05:00:00.000Z to 2026-03-03T05:10:00.000Z the events have 4 distinct",
		"unissued is not counted again", "off_hours is not counted again",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no word of %q in\n%s", want, text)
		}
	}
	for i := range a.Evidence.Measures {
		a.Evidence.Measures[i].Observed++
		a.Evidence.Measures[i].Low, a.Evidence.Measures[i].High = a.Evidence.Measures[i].Observed, a.Evidence.Measures[i].Observed
	}
	for _, n := range recount(t, a, log).Numbers() {
		if n.Agrees != (n.Name == "exposed") {
			t.Errorf("%s, forged: told %g, again %g, agrees %v", n.Name, n.Stated, n.Again, n.Agrees)
		}
	}
}

// A later message tells the case as it was when it was made.
func TestRecountUntil(t *testing.T) {
	var log []logged
	for i := range int64(20) {
		log = append(log, logged{"", i * 60, event.Read, strconv.FormatInt(i, 10), 0})
	}
	a := &alerting.Alert{
		Dimension: "user", Identity: "kim", Status: alerting.Update, Time: alerting.Time(midnight + 40*hourMillis),
		Evidence: alerting.Evidence{
			Bin: alerting.Time(midnight + 14*hourMillis), BinWidth: "1h0m0s", Until: alerting.Time(midnight + 14*hourMillis + 600_000),
			Measures: []alerting.MeasureEvidence{{Measure: "distinct", Observed: 15, Low: 15, High: 15, Dispersion: 1}}, // the day is that of the bin
		},
	}
	for observed, agrees := range map[float64]bool{15: true, 14: false, 20: false} {
		a.Evidence.Measures[0].Observed, a.Evidence.Measures[0].Low, a.Evidence.Measures[0].High = observed, observed, observed
		if n := recount(t, a, log).Numbers(); len(n) != 1 || n[0].Agrees != agrees {
			t.Errorf("told %g: %+v, want it to agree: %v", observed, n, agrees)
		}
	}
	a.Evidence.Until = a.Time // raised when the day was over, before all had come
	for observed, agrees := range map[float64]bool{20: true, 18: true, 21: false} {
		a.Evidence.Measures[0].Observed, a.Evidence.Measures[0].Low, a.Evidence.Measures[0].High = observed, observed, observed
		if n := recount(t, a, log).Numbers(); len(n) != 1 || n[0].Agrees != agrees {
			t.Errorf("told %g of a day that is over: %+v, want it to agree: %v", observed, n, agrees)
		}
	}
}
