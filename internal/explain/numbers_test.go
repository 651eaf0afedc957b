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
	"github.com/weirhq/weir/stream/correlate"
)

// monday is Monday, 2 March 2026, 00:00 UTC, in hours since the epoch.
const monday = int64(1772409600 / 3600)

// stated returns the alert that the engine's evidence makes.
func stated(ev *score.Evidence, bin int64) *alerting.Alert {
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
	usual := score.Counts{score.Distinct: 5, score.FirstTouch: 1}
	for _, c := range []struct {
		name   string
		group  score.Group
		hour   int64
		counts score.Counts
		late   bool // the same late for the open day and for one that is closed
	}{
		{"many records", score.Volume, 10, score.Counts{score.Distinct: 400, score.FirstTouch: 70}, true},
		{"rows", score.Volume, 10, score.Counts{score.Distinct: 5, score.FirstTouch: 1, score.Rows: 90_000}, true},
		{"new ones", score.Novelty, 10, score.Counts{score.Distinct: 40, score.FirstTouch: 40}, true},
		{"at once", score.Burst, 10, score.Counts{score.Distinct: 400, score.FirstTouch: 70}, true},
		{"rows at once", score.Burst, 10, score.Counts{score.Distinct: 5, score.FirstTouch: 1, score.Rows: 90_000}, true},
		{"deletes", score.Rare, 10, score.Counts{score.Distinct: 30, score.FirstTouch: 5, score.Destructive: 30}, true},
		{"unissued tokens", score.Rare, 10, score.Counts{score.Distinct: 30, score.FirstTouch: 5, score.Unissued: 30}, true},
		{"an ordinary hour", score.Volume, 10, usual, false},
		{"at night", score.Hours, 2, score.Counts{score.Distinct: 90, score.FirstTouch: 4}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := fleetOf(c.group)
			s, at := working(e, 20, usual, p)
			open, closed := s.Clone(), s.Clone()
			var ev score.Evidence
			if c.group == score.Hours { // an unusual hour counts when it is over
				e.Close(s, 0, at+c.hour, &c.counts, p, &ev, nil)
				p.Bin = at + c.hour
				c.hour, c.counts = c.hour+1, score.Counts{}
			}
			e.Explain(s, 0, at+c.hour, &c.counts, p, &ev)
			check(t, stated(&ev, at+c.hour), c.group)
			if !c.late {
				return
			}
			for _, l := range []struct {
				name string
				s    *score.State
				bin  int64
			}{{"open day", &open, at - 24 + 12}, {"closed day", &closed, at - 48 + 12}} {
				if !e.Late(l.s, 0, l.bin, &c.counts, p, &ev) || !ev.Candidate() {
					t.Errorf("late for the %s it is no candidate: %.3g nats of group %s", l.name, ev.Log, ev.Group)
					continue
				}
				check(t, stated(&ev, l.bin), c.group)
			}
		})
	}
}

// fleetOf returns the parameters of a fleet whose tails take something off, and in
// which one group alone opens anything.
func fleetOf(g score.Group) *score.Parameters {
	p := score.Defaults(1, 70)
	d := &p.Dimensions[0]
	d.Known, d.Threshold[g] = 100_000, 0
	for st := range score.NumStats {
		d.Classes[0].Tail[st] = score.Tail{At: 1.5, LogOver: -4.6, Scale: 0.8, Shape: 0.2}
	}
	return p
}

// check reports each number that does not agree, and which kinds are not there.
func check(t *testing.T, a *alerting.Alert, g score.Group) {
	t.Helper()
	if a.Evidence.Group != g.String() {
		t.Errorf("the group is %s, want %s", a.Evidence.Group, g)
	}
	numbers := Recompute(a)
	for _, n := range numbers {
		if !n.Agrees {
			t.Errorf("%s: stated %g, again %g from %s", n.Name, n.Stated, n.Again, n.From)
		}
	}
	want := []string{"evidence", "evidence of " + a.Measure}
	for i := range a.Evidence.Measures {
		if m := &a.Evidence.Measures[i]; judged(m) {
			want = append(want, "allowed of "+m.Measure)
		}
	}
	for _, name := range want {
		if !slices.ContainsFunc(numbers, func(n Number) bool { return n.Name == name }) {
			t.Errorf("nothing is said of %q in %+v", name, numbers)
		}
	}
}

// The alerts that the documentation and tests show are such as weir could raise.
func TestShownAlertsAgree(t *testing.T) {
	doc, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "```json\n")
	text, _, _ = strings.Cut(text, "```")
	documented, err := alerting.ParseAlert([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	check(t, documented, score.Volume)
	check(t, alertingtest.Full(), score.Volume)
}

// A number that does not follow from its parts is found.
func TestRecomputeFindsForgedNumbers(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(e *alerting.Evidence)
		want []string
	}{
		{"nothing", func(*alerting.Evidence) {}, nil},
		{"more expected", func(e *alerting.Evidence) { e.Measures[0].Expected += 1 }, []string{"ratio of distinct"}},
		{"more observed", func(e *alerting.Evidence) { e.Measures[0].Observed += 5 }, []string{"ratio of distinct"}},
		{"the tail adds", func(e *alerting.Evidence) { e.Measures[0].Allowed = 7.1 }, []string{"allowed of distinct"}},
		{"a drift says more", func(e *alerting.Evidence) { e.Measures[0].Rates[3].LogValue += 0.3 }, []string{"evidence of distinct"}},
		{"a measure says more", func(e *alerting.Evidence) { e.Measures[0].LogValue += 0.1 }, []string{"evidence of distinct", "evidence"}},
		{"another group", func(e *alerting.Evidence) { e.Group = "novelty" }, []string{"evidence"}},
		{"a measure is left out", func(e *alerting.Evidence) { e.Measures[0].Measure = "distinct_in_bin" }, []string{"evidence"}},
	} {
		a := alertingtest.Full()
		c.set(&a.Evidence)
		var got []string
		for _, n := range Recompute(a) {
			if !n.Agrees {
				got = append(got, n.Name)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q differ, want %q", c.name, got, c.want)
		}
	}
}

// The measures that alerts name are the statistics of the engine, and alerting knows
// which of them count a bin.
func TestMeasuresAreTheEngines(t *testing.T) {
	var names []string
	for st := range score.NumStats {
		names = append(names, st.String())
		if alerting.OfBin(st.String()) != !st.Daily() {
			t.Errorf("%s: OfBin is %v", st, alerting.OfBin(st.String()))
		}
	}
	want := alerting.Measures()
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("the engine has %q, alerts name %q", names, want)
	}
}

// The chance of a count under the negative binomial, beside a sum by hand: for
// k = 1 it is geometric, P(N >= n) = (m/(1+m))^n.
func TestUpperTail(t *testing.T) {
	for _, n := range []float64{0, 1, 10, 100} {
		if got, want := upperTail(n, 4, 1), math.Pow(0.8, n); math.Abs(got-want) > 1e-6*want {
			t.Errorf("P(N >= %g) = %g, want %g", n, got, want)
		}
	}
}

// A number agrees if it is equal, as far as it is shown, or lies in the interval; what
// is off by less than can be explained says by what; all else differs.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		number Number // Agrees: it lies within its tolerance
		want   string
	}{
		{Number{Stated: 12, Again: 12, Agrees: true}, "agrees"},
		{Number{Stated: 0.333, Again: 0.33300001, Agrees: true}, "agrees"},
		{Number{Stated: 6.1, Again: 6.09, Agrees: true}, "within rounding"},
		{Number{Stated: 270, High: 290, Again: 281, Agrees: true}, "agrees"},
		{Number{Stated: 270, High: 290, Again: 294, Agrees: true, Within: bySketch}, "within the error of the sketch"},
		{Number{Stated: 270, High: 290, Again: 324, Within: bySketch}, "DIFFERS"},
	} {
		x := Explanation{Agrees: true}
		x.add([]Number{c.number}, nil)
		if got := x.Numbers[0].Verdict(); got != c.want || x.Agrees != (c.want != "DIFFERS") {
			t.Errorf("%+v: %s, all agree %v; want %s", c.number, got, x.Agrees, c.want)
		}
	}
	x := Explanation{}
	x.HeldBack(nil)
	x.HeldBack(&correlate.SuppressedBy{Kind: correlate.ByCampaign, Name: "weir-1"})
	if len(x.Notes) != 1 || x.Notes[0] != "Nobody was sent this alert: it is told in the message of weir-1." {
		t.Errorf("of one that was held back: %q", x.Notes)
	}
}

func TestRemarks(t *testing.T) {
	day := alerting.MeasureEvidence{Measure: "distinct", Observed: 3, Expected: 2, Mode: 1.5, Dispersion: 1, Ratio: 4, Allowed: 2.5}
	bin := alerting.MeasureEvidence{Measure: "rows_in_bin", Observed: 1, Expected: 4, Mode: 1, Dispersion: 1, Ratio: -1, Allowed: -1}
	share := alerting.MeasureEvidence{Measure: "new_share", Observed: 3, Expected: 2, Mode: 1.5, Dispersion: 20, Ratio: 1, Allowed: 1}
	silent := alerting.MeasureEvidence{Measure: "rows"}
	a := &alerting.Alert{Dimension: "user", Evidence: alerting.Evidence{
		Group: "volume", LogValue: 9, Threshold: 8, Budget: 2, Peers: "endpoint:GET /x",
		Measures: []alerting.MeasureEvidence{day, bin, share, silent},
	}}
	want := []string{
		"Its peers are those who work mostly with the endpoint GET /x: from them come how much counts scatter, how surprising their largest days and bins were, and what all of them did at the time. What is expected is its own mean, and in its first five days theirs.",
		"distinct: a count of 3 or more has chance 0.3 on a whole day with work of this identity (negative binomial, mean 2, k 1).",
		"distinct: its peers did 1.5 times their usual at the time, and so much more is expected of it.",
		"distinct: by itself this interval says 4 nats; since the largest ones of this fleet say as much without a leak, 2.5 of them count.",
		"new_share: the share of new records scatters like that of 20 independent ones (beta-binomial).",
		"The threshold is that of its group of measures, volume (distinct, first_touch, rows): the group may open so many a day, a part of what its dimension has of the budget of 2 a day.",
		"The evidence is 1 nats above its threshold, a factor of 2.72.",
	}
	if got := Remarks(a); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
