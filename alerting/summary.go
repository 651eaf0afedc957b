package alerting

import (
	"cmp"
	"math"
	"strings"
	"time"

	"github.com/weirhq/weir/detectors/episode"
)

// Summarize writes the sentences that a tired analyst reads first: who, how many since
// when, how many are usual in such a time, how many of them are new, and in which hour
// it stood out. They depend on the alert alone, and not on its Summary, so that they
// can be recomputed. Times are shown in loc (nil: UTC), with the zone named.
//
// Each count names its unit: distinct customers, customers new to the identity
// (first touch), or rows, which may repeat customers.
func Summarize(a *Alert, loc *time.Location) string {
	if loc == nil {
		loc = time.UTC
	}
	s := sentence{a: a, loc: loc, who: actorOf(a.Dimension)}
	s.said()
	switch a.Kind {
	case KindFact:
		s.fact()
	case KindCampaign:
		s.campaign()
	default:
		s.statistical()
	}
	s.changes()
	s.returns()
	return s.b.String()
}

// statistical writes the sentences of an alert that rests on evidence.
func (s *sentence) statistical() {
	if s.a.Status == Close {
		s.closed()
		return
	}
	s.begin("Nothing more since", "Still going on", s.who.noun+" "+Printable(s.a.Identity, maxIdentity))
	s.found()
	s.onset()
	s.peak()
}

// agesAfter is how long ago something was seen last, in milliseconds, when a message says
// that nothing more was: as long as closes an ordinary episode.
const agesAfter = Time(episode.Quiet)

// shownAt returns when something of the episode was seen last.
func (a *Alert) shownAt() Time { return cmp.Or(a.Shown, a.Time) }

// begin writes how a message of what is not over begins: by when something was seen last
// where that is long ago, such as "Nothing more since Sat 7 Mar 2026 04:00 (UTC): user
// kim"; else, in an update, that it goes on; then whom it is about. It reports whether it
// has said when something was seen last.
func (s *sentence) begin(noMore, goesOn, whom string) (dated bool) {
	at := s.a.shownAt()
	switch dated = s.a.Time-at >= agesAfter; {
	case dated:
		s.write(noMore, " ", s.day(at), " (", s.loc.String(), "): ", whom)
	case s.a.Status == Update:
		s.write(goesOn, ": ", whom)
	default:
		s.write(capital(whom))
	}
	return dated
}

// changes says why a message does not say what those before it under its key said.
func (s *sentence) changes() {
	was := s.a.SeverityWas
	switch {
	case s.a.Status == Open && s.a.Reopened != 0:
		s.write(" It was over and has come back: its numbers tell of nothing before ", s.day(s.a.Onset))
		if was != 0 {
			s.write(", nor does its severity, which was ", was.String())
		}
		s.write(".")
	case was != 0:
		s.write(" Messages before ranked it ", was.String(), "; what came since makes it ", s.a.Severity.String(), ".")
	}
}

// returns says how often the episode has come back, if it ever has.
func (s *sentence) returns() {
	switch n := s.a.Returns; n {
	case 0:
	case 1:
		if s.a.Status == Open && s.a.Reopened != 0 {
			return // that is said already
		}
		s.write(" It has come back once after hours of silence.")
	default:
		s.write(" It has come back ", Group(n), " times after hours of silence.")
	}
}

// maxIdentity bounds an identity in a sentence, in bytes; the alert carries the
// whole identity.
const maxIdentity = 120

// actor holds the words for the identities of a dimension.
type actor struct {
	noun    string // "signing key" kid-7
	hasDone string // since Monday it "has been used to read" 40 customers
}

func actorOf(dimension string) actor {
	switch dimension {
	case "user":
		return actor{"user", "has read"}
	case "key":
		return actor{"signing key", "has been used to read"}
	case "network", "client":
		return actor{dimension, "has read"}
	case "endpoint":
		return actor{"endpoint", "has given out"}
	}
	return actor{Printable(dimension, maxIdentity), "has read"}
}

// unit holds the words for what a measure counts, as in "has read 40 customers new to
// it".
type unit struct {
	hasDone string // "has read"
	one     string // "customer"
	many    string // "customers"
	suffix  string // " new to it", or nothing
	exposes bool   // what is counted are the exposed records
	fresh   bool   // what is counted are first touches
}

func unitOf(measure string, who actor) unit {
	switch measure {
	case "distinct", "distinct_in_bin":
		return unit{hasDone: who.hasDone, one: "distinct customer", many: "distinct customers", exposes: true}
	case "first_touch", "first_touch_in_bin", newShare:
		return unit{hasDone: who.hasDone, one: "customer", many: "customers", suffix: newToIt, fresh: true}
	case "rows", "rows_in_bin":
		return unit{hasDone: who.hasDone, one: "row", many: "rows"}
	case "off_hours":
		return unit{hasDone: who.hasDone, one: "customer", many: "customers", suffix: " outside its usual hours" + anew}
	case "destructive":
		did := "has changed or deleted"
		if who.noun == "signing key" {
			did = "has been used to change or delete"
		}
		return unit{hasDone: did, one: "customer's records", many: "customers' records", suffix: anew}
	case "unissued":
		return unit{hasDone: who.hasDone + " customers through", one: "token that nobody issued", many: "tokens that nobody issued"}
	}
	return unit{hasDone: who.hasDone, one: "unit", many: "units", suffix: " of " + Printable(measure, maxIdentity)}
}

// newToIt says of customers that the identity had not touched them for as long as weir
// remembers, which memory tells.
const newToIt = " new to it"

// memory says for how long before nothing new was touched, such as " (not touched in the
// 30 days before)"; empty where that is less than a day.
func (a *Alert) memory() string {
	switch n := a.MemoryDays; {
	case n <= 0:
		return ""
	case n == 1:
		return " (not touched in the day before)"
	default:
		return " (not touched in the " + Group(n) + " days before)"
	}
}

// anew says of a count that a customer who comes in two hours is in it twice.
const anew = " (counted anew each hour)"

// sentence builds the summary of an alert.
type sentence struct {
	b   strings.Builder
	a   *Alert
	loc *time.Location
	who actor
}

func (s *sentence) write(parts ...string) {
	for _, p := range parts {
		s.b.WriteString(p)
	}
}

// found writes what was found, such as " has read 480 distinct customers since Mon 2
// Mar 2026 09:00 (UTC), where about 12 are usual in as much time: 40 times as many; 471
// of them new to it (not touched in the 30 days before)." after the name.
func (s *sentence) found() {
	a := s.a
	u := unitOf(a.Measure, s.who)
	s.write(" ", u.hasDone, " ", observed(a, u), u.suffix)
	if u.fresh {
		s.write(a.memory())
	}
	s.write(" since ", s.day(a.Onset), " (", s.loc.String(), "), ")
	s.write(usual(a, true), factor(a.Observed, a.Expected))
	e := &a.Exposed
	switch fresh := a.newRecords(); {
	case u.exposes && fresh > 0 && fresh == e.Records:
		s.write("; all of them", newToIt, a.memory(), ".")
	case u.exposes && fresh > 0:
		s.write("; ", Group(fresh), " of them", newToIt, a.memory(), ".")
	case u.exposes, a.Measure == newShare, e.Records == 0 && (e.Rows == 0 || CountsRows(a.Measure)):
		s.write(".")
	default:
		s.write("; ", exposed(e, true), " in all.")
	}
}

// observed says how many, with the bars where the number is an estimate.
func observed(a *Alert, u unit) string {
	e := &a.Exposed
	if u.exposes && e.Low != e.High {
		return "about " + count(a.Observed, u) + interval(e)
	}
	if m := a.measure(); u.fresh && m.Low != m.High {
		return "about " + count(a.Observed, u)
	}
	return count(a.Observed, u)
}

// newRecords returns how many of the exposed records were new to the identity.
func (a *Alert) newRecords() int64 {
	if a.ShareNew == nil {
		return 0
	}
	return whole(*a.ShareNew * float64(a.Exposed.Records))
}

// Began returns from the start of the first bin in which the drift may have begun to the
// end of the last, and whether those are several bins.
func (a *Alert) Began() (from, to Time, vague bool) {
	return a.OnsetEarliest, a.OnsetLatest + Time(a.BinWidth().Milliseconds()), a.OnsetEarliest != 0 && a.OnsetEarliest < a.OnsetLatest
}

// onset says between when it began, where that is not known to the bin.
func (s *sentence) onset() {
	if from, to, vague := s.a.Began(); vague {
		s.write(" It began ", between(s.local(from), s.local(to)), ", at 90 % confidence.")
	}
	s.dated()
}

// dated says what earlier messages said of when it began, if that was later.
func (s *sentence) dated() {
	if was := s.a.OnsetWas; was != 0 {
		s.write(" What came since dates it earlier: messages before said ", s.day(was), ".")
	}
}

// peak writes in which bin it stood out, if it did in one, such as " It stood out
// between 14:00 and 14:20 on Tue 3 Mar 2026, with 46 of them."
func (s *sentence) peak() {
	m := s.a.measure()
	if !OfBin(m.Measure) || len(m.Rates) == 0 {
		return
	}
	from, to := s.a.Interval(m, s.loc)
	s.write(" It stood out ", between(s.local(from), s.local(to)), ", with ", Group(whole(m.Observed)), " of them.")
}

// between says an interval, such as "between 14:00 and 15:00 on Tue 3 Mar 2026".
func between(f, t time.Time) string {
	switch {
	case sameDay(f, t):
		return "between " + f.Format("15:04") + " and " + t.Format("15:04") + " on " + t.Format(dayLayout)
	case isMidnight(f) && f.AddDate(0, 0, 1).Equal(t):
		return "on " + f.Format(dayLayout)
	}
	return "between " + f.Format(dayTimeLayout) + " and " + t.Format(dayTimeLayout)
}

func isMidnight(t time.Time) bool { return t.Hour()+t.Minute()+t.Second()+t.Nanosecond() == 0 }

// closed writes that the episode is over, such as "Over: user kim is back to normal.
// It has read … since …, where … are usual in as much time."
func (s *sentence) closed() {
	a := s.a
	s.write("Over: ", s.who.noun, " ", Printable(a.Identity, maxIdentity), " is back to normal. It")
	s.found()
	s.dated()
}

const (
	dayLayout     = "Mon 2 Jan 2006"
	dayTimeLayout = "Mon 2 Jan 2006 15:04"
)

func (s *sentence) local(t Time) time.Time { return t.Std().In(s.loc) }

func (s *sentence) day(t Time) string { return s.local(t).Format(dayTimeLayout) }

// sameDay reports whether two times are of one day. An interval that ends at
// midnight is not of one day: "00:00" on the day it began would read wrong.
func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}

// exposed says how many customers and rows were touched, with "about" where the
// number is an estimate, and with its interval if that is wanted.
func exposed(e *Exposed, bars bool) string {
	var parts []string
	if e.Records > 0 {
		about := ""
		if e.Low != e.High {
			about = "about "
		}
		text := about + plural(e.Records, "distinct customer", "distinct customers")
		if bars {
			text += interval(e)
		}
		parts = append(parts, text)
	}
	if e.Rows > 0 {
		rows := plural(e.Rows, "row", "rows")
		if e.Records > 0 {
			rows += " without customer ids"
		}
		parts = append(parts, rows)
	}
	return strings.Join(parts, " and ")
}

// interval shows the 95 % interval of an estimate; it is empty for an exact
// number.
func interval(e *Exposed) string {
	if e.Records == 0 || e.Low == e.High {
		return ""
	}
	return " (" + Group(e.Low) + " to " + Group(e.High) + " at 95 % confidence)"
}

// usual says how many are usual, such as "where about 12 are usual in as much time"; of what
// is new of what was read, among as many, with their interval if that is wanted.
func usual(a *Alert, bars bool) string {
	if a.Measure == newShare && a.Exposed.Records > 0 {
		return "where " + aboutUsual(a.Expected) + " usual among " + exposed(&a.Exposed, bars)
	}
	return "where " + aboutUsual(a.Expected) + " usual in as much time"
}

// aboutUsual says how many, with the verb.
func aboutUsual(expected float64) string {
	switch {
	case expected < 0.05 || math.IsNaN(expected):
		return "none is"
	case expected < 1.05:
		return "about " + small(expected) + " is"
	case expected < 9.95:
		return "about " + small(expected) + " are"
	}
	return "about " + Group(whole(expected)) + " are"
}

// factor says how many times as many as expected were observed. It is empty where
// so few are expected that a ratio means nothing.
func factor(observed, expected float64) string {
	r := observed / expected
	switch {
	case expected < 0.95 || math.IsNaN(r) || r < 1.05:
		return ""
	case r < 9.95:
		return ": " + small(r) + " times as many"
	}
	return ": " + Group(whole(r)) + " times as many"
}

// capital makes the first letter of an ASCII word upper case.
func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

func count(v float64, u unit) string { return plural(whole(v), u.one, u.many) }
