package lab

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
)

// long reports whether the lab's long form is asked for: make
func long() bool { return os.Getenv("WEIR_LAB") != "" }

// Seeds on which the engine may be looked at while it is built, and those that
// only judge.
var (
	developmentSeeds = []uint64{1}
	judgingSeeds     = []uint64{1001, 1002}
)

// labScale is the size of the companies: some 40 staff, 50,000 customers.
const labScale = 0.25

// labScaleOf is the size of those that it would not do for: a leak is made smaller
// with its company, and a probe of six forged tokens an hour would be one and a
// half; months are long enough in a smaller one.
var labScaleOf = map[string]float64{"forged-key": 1, "slow": 0.1, "dormant, asleep 48 days": 0.1}

// labRow is a line of the table of companies.
type labRow struct {
	name string
	opt  simulate.Options
}

// labRows are all scenarios, and what can be told of some in another form.
func labRows() (rows []labRow) {
	for _, sc := range simulate.Scenarios() {
		if sc.Name != "demo" && sc.Name != "concealed" {
			rows = append(rows, labRow{sc.Name, simulate.Options{Scenario: sc.Name}})
		}
	}
	rows = append(rows,
		labRow{"dormant, asleep 48 days", simulate.Options{Scenario: "dormant", Days: 75}},
		labRow{"calm, outage of the log", simulate.Options{Scenario: "calm", Backlog: true}})
	for i, row := range rows {
		rows[i].opt.Scale = labScale
		if scale, ok := labScaleOf[row.name]; ok {
			rows[i].opt.Scale = scale
		}
	}
	return rows
}

// companyRun is one simulated company, read by weir.
type companyRun struct {
	truth       simulate.Truth
	alerts      []alerting.Alert
	taken       [][]int64 // by leak: times of its accesses, rising
	days        float64
	leak        []companyLeak
	falseAlerts []alerting.Alert
}

// companyLeak is what became of one leak.
type companyLeak struct {
	caught bool
	delay  float64 // hours from the first access
	gone   float64 // share of its accesses before the alert
	by     string
}

// runCompany reads a scenario through the operators of weir backtest.
func runCompany(t *testing.T, opt simulate.Options) *companyRun {
	t.Helper()
	s, err := settings.New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	company, err := simulate.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	r := &companyRun{}
	bt := backtest.NewRun(s, &backtest.Files{Names: []string{"simulated"}}, &progress.Line{})
	bt.Alert = func(a *alerting.Alert) error {
		r.alerts = append(r.alerts, *a)
		return nil
	}
	src := stream.Source{Topic: backtest.FilesTopic}
	var ev event.Event
	for n := 1; company.Next(&ev); n++ {
		bt.Event(src, &ev)
		if i := company.Leak(); i >= 0 && ev.Action.Access() {
			for len(r.taken) <= i {
				r.taken = append(r.taken, nil)
			}
			r.taken[i] = append(r.taken[i], ev.Time)
		}
		if n%backtest.BatchEvents == 0 {
			if err := bt.Flush(false); err != nil {
				t.Fatal(err)
			}
		}
	}
	bt.End(src)
	if err := bt.Flush(true); err != nil {
		t.Fatal(err)
	}
	r.truth = company.Truth()
	r.days = r.truth.End.Sub(r.truth.Start).Hours() / 24
	r.judge()
	return r
}

// judge tells alerts of leaks from false ones. An alert counts if it opens, or
// tells a fact of what lay open for another reason. It is of a leak if that is at
// an identity that the truth names for it, from its start to a day after its
// end; a fact or a campaign counts wherever the leak goes through.
func (r *companyRun) judge() {
	r.leak = make([]companyLeak, len(r.truth.Leaks))
	fact := map[string]fact.Name{} // by dedup key, as of what counted last
	for i := range r.alerts {
		a := &r.alerts[i]
		joins := a.Status == alerting.Update && a.Fact != "" && a.Fact != fact[a.DedupKey]
		if a.Status != alerting.Open && !joins {
			continue
		}
		fact[a.DedupKey] = a.Fact
		of := -1
		for j := range r.truth.Leaks {
			if r.belongs(a, &r.truth.Leaks[j]) {
				of = j
				break
			}
		}
		if of < 0 {
			r.falseAlerts = append(r.falseAlerts, *a)
			continue
		}
		if l := &r.leak[of]; !l.caught {
			l.caught = true
			l.by = strings.TrimSpace(fmt.Sprintf("%s %s %s%s", a.Dimension, a.Identity, a.Measure, a.Fact))
			l.delay = a.Time.Std().Sub(r.truth.Leaks[of].Start).Hours()
			taken := r.taken[of]
			before := sort.Search(len(taken), func(k int) bool { return taken[k] >= int64(a.Time) })
			l.gone = float64(before) / float64(max(len(taken), 1))
		}
	}
}

func (r *companyRun) belongs(a *alerting.Alert, l *simulate.Leak) bool {
	at := a.Time.Std()
	if at.Before(l.Start) || at.After(l.End.Add(24*time.Hour)) {
		return false
	}
	if a.Kind == alerting.KindCampaign {
		dim, id, _ := strings.Cut(a.Identity, " ")
		if names(l, dim, id) {
			return true
		}
		for _, m := range members(a) {
			if names(l, m.Dimension, m.Identity) {
				return true
			}
		}
		return false
	}
	if l.Kind == "report" && a.Measure == "rows" {
		return true // whichever identity's exports the file stands out among
	}
	return names(l, a.Dimension, a.Identity) || a.Fact == fact.UnissuedToken
}

func members(a *alerting.Alert) []alerting.Member {
	if a.Members == nil {
		return nil
	}
	return a.Members.Top
}

// names reports whether the truth names the identity.
func names(l *simulate.Leak, dim, id string) bool { return slices.Contains(l.Identities[dim], id) }

// perDay returns false statistical alerts a day from the second week on, in the
// first week, and false facts in all.
func (r *companyRun) perDay() (after, first float64, facts int) {
	for i := range r.falseAlerts {
		switch a := &r.falseAlerts[i]; {
		case a.Kind == alerting.KindFact:
			facts++
		case a.Time.Std().Before(r.truth.Start.AddDate(0, 0, 7)):
			first++
		default:
			after++
		}
	}
	return after / max(r.days-7, 1), first / 7, facts
}

// TestLabCompanies reports, for each scenario of simulated companies, what was
// caught, how late, what share was gone, and the false alerts a day at a budget
// of two. The long form runs all scenarios on development and judging seeds; the
// short one only counts the false alerts of a small company.
func TestLabCompanies(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine alone")
	}
	if !long() {
		r := runCompany(t, simulate.Options{Scenario: "calm", Seed: developmentSeeds[0], Days: 12, Scale: 0.05})
		if after, _, _ := r.perDay(); after > 4 {
			t.Errorf("%.1f false alerts a day at a budget of two", after)
		}
		return
	}
	for _, set := range []struct {
		name  string
		seeds []uint64
	}{{"judging", judgingSeeds}, {"development", developmentSeeds}} {
		t.Run(set.name, func(t *testing.T) {
			t.Logf("seeds %v, budget 2 a day, scale %g, but %v", set.seeds, labScale, labScaleOf)
			t.Logf("| scenario | caught | delay | gone by then | false a day | in week 1 | facts | first by |")
			t.Logf("|---|---|---|---|---|---|---|---|")
			for _, row := range labRows() {
				t.Run(row.name, func(t *testing.T) { t.Log(row.line(t, set.seeds)) })
			}
		})
	}
}

// line runs the row's company with some seeds.
func (row *labRow) line(t *testing.T, seeds []uint64) string {
	var delays, gone []float64
	var after, first float64
	facts, leaks := 0, 0
	by := map[string]bool{}
	for _, seed := range seeds {
		opt := row.opt
		opt.Seed = seed
		r := runCompany(t, opt)
		a, f, n := r.perDay()
		after, first, facts = after+a, first+f, facts+n
		for _, l := range r.leak {
			leaks++
			if l.caught {
				delays, gone = append(delays, l.delay), append(gone, l.gone)
				by[l.by] = true
			}
		}
	}
	n := float64(len(seeds))
	if leaks == 0 {
		return fmt.Sprintf("| %s | no leak | | | %.2f | %.2f | %d | |", row.name, after/n, first/n, facts)
	}
	var who []string
	for k := range by {
		who = append(who, k)
	}
	sort.Strings(who)
	return fmt.Sprintf("| %s | %d of %d | %s | %.2g %% | %.2f | %.2f | %d | %s |", row.name, len(delays), leaks, delaySpan(delays),
		100*median(gone), after/n, first/n, facts, strings.Join(who, "; "))
}

// delaySpan writes the median and the largest of some delays.
func delaySpan(delays []float64) string {
	if len(delays) == 0 {
		return "-"
	}
	sort.Float64s(delays)
	return fmt.Sprintf("%s (at most %s)", FormatDelay(median(delays)), FormatDelay(delays[len(delays)-1]))
}
