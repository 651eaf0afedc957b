package explain

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/detectors/score"
)

// monday is Monday, 2 March 2026, 00:00 UTC, in hours since the epoch.
const monday = int64(1772409600 / 3600)

// told returns the alert that the engine's evidence makes.
func told(ev *score.Evidence, bin int64) *alerting.Alert {
	a := &alerting.Alert{
		Dimension: "user", Identity: "kim", Time: alerting.Time((bin + 1) * 3600_000), Measure: ev.Stat.String(),
		Evidence: alerting.Evidence{
			Bin: alerting.Time(bin * 3600_000), BinWidth: "1h0m0s", Group: ev.Group.String(), LogValue: ev.Log, Threshold: ev.Threshold, Budget: 2,
		},
	}
	for st := range score.NumStats {
		s := &ev.Stats[st]
		m := alerting.MeasureEvidence{
			Measure: st.String(), LogValue: s.Log, Observed: s.Observed, Low: s.Observed, High: s.Observed, Expected: s.Expected,
			Mode: s.Mode, Dispersion: s.K, Ratio: s.Ratio, Allowed: s.Allowed,
		}
		for i, v := range s.Rates {
			rate := score.Rates[i]
			if st == score.DayShare {
				rate = score.Shares[i]
			}
			m.Rates = append(m.Rates, alerting.RateEvidence{Rate: rate, LogValue: v})
		}
		a.Evidence.Measures = append(a.Evidence.Measures, m)
	}
	read, err := alerting.ParseAlert(withKeys(a).AppendJSON(nil)) // rounded
	if err != nil {
		panic(err)
	}
	return read
}

func withKeys(a *alerting.Alert) *alerting.Alert {
	a.Schema, a.DedupKey, a.Status, a.Severity = alerting.Schema, "weir-0000000000000000", alerting.Open, 1
	return a
}

// working returns the state of somebody who has worked from nine to five on so many
// days, and the bin of the next day's midnight.
func working(e *score.Engine, days int, c score.Counts, p *score.Parameters) (*score.State, int64) {
	s, at := new(score.State), monday
	var ev score.Evidence
	for range days {
		for h := int64(9); h < 17; h++ {
			e.Close(s, 0, at+h, &c, p, &ev, nil)
		}
		at += 24
	}
	return s, at
}

// What the engine says is what Recompute finds, for every group of statistics, early
// and late.
func TestRecomputeIsTheEngine(t *testing.T) {
	e := score.NewEngine(time.Hour, time.UTC, score.DefaultTuning())
	p := score.Defaults(1, 8)
	p.Dimensions[0].Known = 100_000
	p.Dimensions[0].Classes[0].Mode[0] = 1
	for st := range score.NumStats {
		p.Dimensions[0].Classes[0].Tail[st] = score.Tail{At: 1.5, LogOver: -4.6, Scale: 0.8, Shape: 0.2}
	}
	usual := score.Counts{score.Distinct: 5, score.FirstTouch: 1}
	groups := map[score.Group]bool{}
	for _, c := range []struct {
		name   string
		hour   int64
		counts score.Counts
		want   score.Group
	}{
		{"many records", 10, score.Counts{score.Distinct: 400, score.FirstTouch: 70}, score.Volume},
		{"new ones", 10, score.Counts{score.Distinct: 40, score.FirstTouch: 40}, score.Novelty},
		{"rows", 10, score.Counts{score.Distinct: 5, score.FirstTouch: 1, score.Rows: 90_000}, score.Volume},
		{"deletes", 10, score.Counts{score.Distinct: 30, score.FirstTouch: 5, score.Destructive: 30}, score.Rare},
		{"unissued tokens", 10, score.Counts{score.Distinct: 30, score.FirstTouch: 5, score.Unissued: 30}, score.Rare},
		{"at night", 2, score.Counts{score.Distinct: 20, score.FirstTouch: 4}, score.Hours},
		{"an ordinary hour", 10, usual, score.Volume},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, at := working(e, 20, usual, p)
			late := s.Clone()
			var ev score.Evidence
			e.Explain(s, 0, at+c.hour, &c.counts, p, &ev)
			groups[ev.Group] = true
			check(t, told(&ev, at+c.hour))
			if c.want == score.Hours || c.name == "an ordinary hour" {
				return
			}
			if ev.Group != c.want {
				t.Logf("the group is %s", ev.Group)
			}
			if !e.Late(&late, 0, at-24+10, &c.counts, p, &ev) || !ev.Candidate() {
				t.Fatalf("late, it is no candidate: %+v", ev)
			}
			check(t, told(&ev, at-24+10))
		})
	}
	t.Log(groups)
}

// check reports each number that does not agree, and that those of all kinds are
// there.
func check(t *testing.T, a *alerting.Alert) {
	t.Helper()
	numbers := Recompute(a)
	for _, n := range numbers {
		if !n.Agrees {
			t.Errorf("%s: told %g, again %g from %s", n.Name, n.Told, n.Again, n.From)
		}
	}
	for _, want := range []string{"evidence", "evidence of " + a.Measure, "allowed of " + a.Measure} {
		if !slices.ContainsFunc(numbers, func(n Number) bool { return n.Name == want }) {
			t.Errorf("nothing is said of %q in %+v", want, numbers)
		}
	}
}
