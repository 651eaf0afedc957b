// Package recount holds every number of an alert against the raw events, with sets of
// record ids and none of what weir counts with. Tests of the operators on files and of
// deployments on a real Kafka share it.
package recount

import (
	"iter"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/sketches"
)

// Durations, in ms.
const (
	minute = int64(60_000)
	day    = 24 * 60 * minute
)

// Log is a log by identity.
type Log struct {
	grace  int64 // of a token's login, ms
	dims   map[string]event.Dimension
	by     map[string][]*event.Event // accesses, by dimension and identity
	issued map[string]bool           // tokens that were ever issued
	began  map[string]int64          // when a token first read
	logins []int64                   // and issues, sorted
	first  int64                     // time of the first event
}

// New returns a log of events, in the order of time. grace is how long the join waits for
// the login of a token, in ms.
func New(dimensions []event.Dimension, grace int64, events []event.Event) *Log {
	r := &Log{grace: grace, dims: map[string]event.Dimension{}, by: map[string][]*event.Event{}, issued: map[string]bool{}, began: map[string]int64{}}
	for _, d := range dimensions {
		r.dims[d.Name] = d
	}
	for i := range events {
		ev := &events[i]
		if i == 0 {
			r.first = ev.Time
		}
		switch {
		case ev.Action == event.Login, ev.Action == event.Issue && ev.Session != "":
			r.issued[ev.Session] = true
			r.logins = append(r.logins, ev.Time)
		case ev.Action.Access():
			if _, known := r.began[ev.Session]; !known {
				r.began[ev.Session] = ev.Time
			}
			for name := range r.dims {
				if id := r.identity(name, ev); id != "" {
					r.by[name+" "+id] = append(r.by[name+" "+id], ev)
				}
			}
		}
	}
	return r
}

func (r *Log) identity(dimension string, ev *event.Event) string {
	id, _ := r.dims[dimension].AppendIdentity(nil, ev, event.FixedHasher())
	return string(id)
}

// judgedUpTo returns until when, at a time, tokens that read have been judged for certain.
// The join waits for their logins, and judges nobody while nobody signs in for a quarter
// of an hour, nor until a quarter of such a gap after it.
func (r *Log) judgedUpTo(end int64) int64 {
	upTo := end - 3*r.grace
	for i, at := range r.logins {
		next := end
		if i+1 < len(r.logins) {
			next = min(r.logins[i+1], end)
		}
		if gap := next - at; at < end && gap > 10*minute && next+r.grace+gap/4+10*minute > end {
			upTo = min(upTo, at-10*minute)
		}
	}
	return upTo
}

// counts of an identity from a time to another.
type counts struct {
	records, fresh map[string]bool
	through        map[string]bool // read through tokens that were never issued
	tokens         map[string]bool // that were never issued
	rows           float64
	destroyed      map[[2]string]bool // record and hour
	first, last    int64
}

func (r *Log) count(a *alerting.Alert, from, to int64) *counts {
	c := &counts{records: map[string]bool{}, fresh: map[string]bool{}, through: map[string]bool{}, tokens: map[string]bool{}, destroyed: map[[2]string]bool{}}
	before := map[string]int64{} // when a record was last touched
	for _, ev := range r.by[a.Dimension+" "+a.Identity] {
		if ev.Time >= to {
			continue
		}
		if c.first == 0 {
			c.first = ev.Time
		}
		c.last = ev.Time
		for _, record := range ev.Records {
			was, known := before[record]
			before[record] = ev.Time
			if ev.Time < from {
				continue
			}
			c.records[record] = true
			if !known || ev.Time-was > 30*day {
				c.fresh[record] = true
			}
			if ev.Session != "" && !r.issued[ev.Session] && r.began[ev.Session] >= from {
				c.through[record], c.tokens[ev.Session] = true, true
			}
			if ev.Action == event.Delete || ev.Action == event.Update {
				c.destroyed[[2]string{record, time.UnixMilli(ev.Time).Format("2006-01-02 15")}] = true
			}
		}
		if ev.Time >= from && float64(ev.Rows) > float64(len(ev.Records)) {
			c.rows += float64(ev.Rows) - float64(len(ev.Records))
		}
	}
	return c
}

// Identities yields all dimensions and names of the log.
func (r *Log) Identities() iter.Seq[[2]string] {
	return func(yield func([2]string) bool) {
		for key := range r.by {
			dimension, name, _ := strings.Cut(key, " ")
			if !yield([2]string{dimension, name}) {
				return
			}
		}
	}
}

// Counts returns what an identity did from a time to another: the distinct records, those
// of them that it had not touched for a month, and rows without record ids.
func (r *Log) Counts(dimension, identity string, from, to int64) (records, fresh, rows float64) {
	c := r.count(&alerting.Alert{Dimension: dimension, Identity: identity}, from, to)
	return float64(len(c.records)), float64(len(c.fresh)), c.rows
}

// Check holds an alert against the log.
func (r *Log) Check(t testing.TB, a *alerting.Alert) {
	t.Helper()
	if _, known := r.dims[a.Dimension]; !known {
		return // a campaign's members are recounted each for itself
	}
	end := int64(a.Time)
	if a.Status == alerting.Close {
		return // it says again what was said while it lasted
	}
	c := r.count(a, int64(a.Exposed.Since), end)
	n := float64(len(c.records))
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance {
			t.Errorf("%s %s at %s (%s, since %s): %s is %g, counted %g", a.Dimension, a.Identity, a.Time, a.RestsOn(), a.Exposed.Since, what, got, want)
		}
	}
	bars := float64(a.Exposed.High-a.Exposed.Low) / 2
	blur := r.blur(a, float64(len(c.fresh)))
	near("exposed", float64(a.Exposed.Records), n, 2*bars)
	near("rows", float64(a.Exposed.Rows), c.rows, 0)
	if a.Kind == alerting.Statistical {
		near("exposed.since less onset", float64(a.Exposed.Since-a.Onset), 0, 0)
		switch a.Measure {
		case "distinct", "distinct_in_bin":
			near("observed", a.Observed, float64(a.Exposed.Records), 0)
		case "first_touch", "first_touch_in_bin", "new_share":
			near("observed", a.Observed, float64(len(c.fresh)), 2*bars+blur)
		case "rows", "rows_in_bin":
			near("observed", a.Observed, c.rows, 0)
		case "destructive":
			near("observed", a.Observed, float64(len(c.destroyed)), 0)
		case "unissued": // found out when the join has waited for their logins
			least, most := r.count(a, int64(a.Onset), r.judgedUpTo(end)), r.count(a, int64(a.Onset)-day, end)
			if n := int(a.Observed); n < len(least.tokens) || n > len(most.tokens) {
				t.Errorf("%s %s at %s: %d unissued tokens since %s, counted %d to %d", a.Dimension, a.Identity, a.Time, n, a.Onset, len(least.tokens), len(most.tokens))
			}
		case "off_hours":
			if a.Observed > 0 && a.Observed > n*float64(2+(end-int64(a.Onset))/day) {
				near("observed", a.Observed, n, 0)
			}
		}
	}
	r.checkEvidence(t, a)
	if a.Observed > 0 && a.Through.IsZero() {
		want := math.Max(0, math.Round(a.Observed-a.Expected))
		if !alerting.CountsRows(a.Measure) {
			want = math.Min(want, float64(a.Exposed.Records)) // what is counted anew in each hour is at most all that is exposed
		}
		near("excess", float64(a.Excess.Records), want, 1)
	}
	if a.ShareNew != nil && n > 0 {
		near("share_new", *a.ShareNew, float64(len(c.fresh))/n, 0.001+(2*bars+blur)/n)
	}
	if a.MemoryDays > 0 || a.ShareNew != nil {
		watched := min(30, (int64(a.Onset)-r.first)/day)
		if a.MemoryDays > watched || a.MemoryDays < watched-2 {
			near("memory_days", float64(a.MemoryDays), float64(watched), 0)
		}
	}
	if a.Fact == "unissued_token" {
		// The join waits for their logins first.
		all, early := r.count(a, int64(a.ThroughSince), end), r.count(a, int64(a.ThroughSince), r.judgedUpTo(end))
		bars := a.Through.High - a.Through.Low
		if a.Through.High+bars < int64(len(early.through)) || a.Through.Low-bars > int64(len(all.through)) {
			near("through", float64(a.Through.Records), float64(len(all.through)), 0)
		}
		tokens, err := strconv.Atoi(strings.TrimPrefix(a.Detail["tokens"], "about "))
		if least, most := float64(len(early.tokens))*0.95, float64(len(all.tokens))*1.05; err != nil || float64(tokens) < least || float64(tokens) > most {
			t.Errorf("%s %s at %s: %s tokens that nobody issued, counted %g to %g", a.Dimension, a.Identity, a.Time, a.Detail["tokens"], least, most)
		}
	} else if a.Fact.Covers() && a.Fact != "" && a.Through.Records > 0 {
		near("through", float64(a.Through.Records), float64(len(r.count(a, int64(a.ThroughSince), end).records)), 2*bars)
	}
	if a.FirstSeen != 0 {
		near("first_seen", float64(a.FirstSeen), float64(c.first-c.first%(5*minute)), 0)
		near("last_seen", float64(a.LastSeen), float64(c.last-c.last%(5*minute)+5*minute), 0)
	}
	r.checkTop(t, a)
	if !strings.Contains(a.Summary, alerting.Group(int64(math.Round(a.Observed)))) && a.Kind == alerting.Statistical {
		t.Errorf("%s does not say %g", a.Summary, a.Observed)
	}
}

// checkEvidence counts what the hour that tipped it shows, which is more than the usual.
func (r *Log) checkEvidence(t testing.TB, a *alerting.Alert) {
	t.Helper()
	for i := range a.Evidence.Measures {
		m := &a.Evidence.Measures[i]
		c := r.count(a, int64(m.From), int64(a.Evidence.Until))
		counted := map[string]float64{"distinct_in_bin": float64(len(c.records)), "rows_in_bin": c.rows}
		if n, known := counted[m.Measure]; known && math.Abs(n-m.Observed) > m.High-m.Low+0.01*n {
			t.Errorf("%s %s at %s: %s from %s to %s is %g, counted %g", a.Dimension, a.Identity, a.Time, m.Measure, m.From, a.Evidence.Until, m.Observed, n)
		}
		if i == 0 && (m.Observed == 0 || m.Observed <= m.Expected && strings.HasSuffix(m.Measure, "_in_bin")) {
			t.Errorf("%s %s at %s stands out by %g in an hour, where %g are usual", a.Dimension, a.Identity, a.Time, m.Observed, m.Expected)
		}
	}
}

// blur is by how much an estimate of first touches may be off: nothing while every
// record that the identity knows is listed, else three standard deviations.
func (r *Log) blur(a *alerting.Alert, fresh float64) float64 {
	known := map[string]bool{}
	for _, ev := range r.by[a.Dimension+" "+a.Identity] {
		for _, record := range ev.Records {
			known[record] = known[record] || ev.Time < int64(a.Time)
		}
	}
	if len(known) <= 1024 {
		return 0
	}
	return 3*math.Sqrt(fresh*float64(len(known))/(1<<sketches.StatePrecision)) + 0.1*fresh
}

// checkTop counts the accesses that went through each value that the alert names.
func (r *Log) checkTop(t testing.TB, a *alerting.Alert) {
	t.Helper()
	for dimension, list := range map[string][]alerting.Share{
		"endpoint": a.Top.Endpoints, "network": a.Top.Networks, "client": a.Top.Clients, "key": a.Top.Keys, "user": a.Top.Users,
	} {
		for i, s := range list {
			all, through := 0.0, 0.0
			for _, ev := range r.by[a.Dimension+" "+a.Identity] {
				if ev.Time < int64(a.Top.Since) || ev.Time >= int64(a.Time) {
					continue
				}
				all++
				if r.identity(dimension, ev) == s.Value {
					through++
				}
			}
			if all == 0 || math.Abs(through/all-s.Share) > 0.0006 {
				t.Errorf("%s %s at %s: %d. %s %s has %g of the accesses since %s, counted %g of %g", a.Dimension, a.Identity, a.Time, i+1, dimension, s.Value, s.Share, a.Top.Since, through, all)
			}
		}
	}
}

// FollowSent holds the messages that people were sent of each episode against those
// before: a severity is another only where the message says what it was, and numbers
// fall only where it says that the episode was over, and since when they count.
func FollowSent(t testing.TB, sent []alerting.Alert) {
	t.Helper()
	for a, was := range following(sent) {
		if was == nil {
			if a.SeverityWas != 0 {
				t.Errorf("%s %s at %s was %s before any message", a.Dimension, a.Identity, a.Time, a.SeverityWas)
			}
			continue
		}
		if changed := a.Severity != was.Severity; changed != (a.SeverityWas != 0) || changed && (a.SeverityWas != was.Severity || !strings.Contains(a.Summary, was.Severity.String())) {
			t.Errorf("%s %s was %s, and at %s %s: %s", a.Dimension, a.Identity, was.Severity, a.Time, a.Severity, a.Summary)
		}
		anew := strings.Contains(a.Summary, "its numbers tell of nothing before ")
		if fell := a.Onset > was.Onset || a.Severity < was.Severity || a.Exposed.Records < was.Exposed.Records; fell && !anew || anew && (a.Reopened <= was.Time || a.Exposed.Since < a.Onset) {
			t.Errorf("%s %s was %s with %d exposed since %s, and at %s %s with %d since %s: %s", a.Dimension, a.Identity,
				was.Severity, was.Exposed.Records, was.Onset, a.Time, a.Severity, a.Exposed.Records, a.Onset, a.Summary)
		}
	}
}

// following yields each message with the one before it under its key, nil for the first.
func following(alerts []alerting.Alert) iter.Seq2[*alerting.Alert, *alerting.Alert] {
	return func(yield func(a, was *alerting.Alert) bool) {
		last := map[string]*alerting.Alert{}
		for i := range alerts {
			a := &alerts[i]
			if !yield(a, last[a.DedupKey]) {
				return
			}
			last[a.DedupKey] = a
		}
	}
}

// FollowOnsets holds the messages of each episode against those before: the onset moves
// back only, and says so; what is exposed, what was read at unusual hours, what is usual
// in the time since, and the severity never fall; and no more is beyond the usual than is
// exposed.
func FollowOnsets(t testing.TB, alerts []alerting.Alert) {
	t.Helper()
	for a, was := range following(alerts) {
		if !alerting.CountsRows(a.Measure) && a.Exposed.Rows == 0 && a.Excess.Records > a.Exposed.Records {
			t.Errorf("%s %s at %s has %d records beyond the usual, of %d", a.Dimension, a.Identity, a.Time, a.Excess.Records, a.Exposed.Records)
		}
		if was == nil || was.Status == alerting.Close || a.Status == alerting.Open && was.Status != alerting.Open {
			continue
		}
		if a.Onset > was.Onset || a.Onset < was.Onset && a.OnsetWas == 0 && was.Campaign == "" && a.Campaign == "" {
			t.Errorf("%s %s began %s, and at %s %s without a word", a.Dimension, a.Identity, was.Onset, a.Time, a.Onset)
		}
		if a.Severity < was.Severity || a.Exposed.Records < was.Exposed.Records {
			t.Errorf("%s %s was %s with %d exposed, and at %s is %s with %d", a.Dimension, a.Identity, was.Severity, was.Exposed.Records, a.Time, a.Severity, a.Exposed.Records)
		}
		if a.Measure == was.Measure && a.Kind == alerting.Statistical && a.Expected < was.Expected {
			t.Errorf("of %s %s %g %s were usual up to %s, and %g up to %s", a.Dimension, a.Identity, was.Expected, a.Measure, was.Time, a.Expected, a.Time)
		}
		if a.Measure == was.Measure && a.Measure == "off_hours" && a.Onset == was.Onset && a.Observed < was.Observed {
			t.Errorf("%s %s had %g off_hours at %s, and %g at %s", a.Dimension, a.Identity, was.Observed, was.Time, a.Observed, a.Time)
		}
		if a.OnsetEarliest > a.Onset || a.OnsetLatest < a.Onset {
			t.Errorf("%s %s began %s, not between %s and %s", a.Dimension, a.Identity, a.Onset, a.OnsetEarliest, a.OnsetLatest)
		}
	}
}
