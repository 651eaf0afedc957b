package alerting

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Summarize writes the sentences that a tired analyst reads first: who, how
// many, when, how many are usual, since when, and how much is exposed so far,
// with its interval. They depend on the alert alone, and not on its Summary, so
// that they can be recomputed. Times are shown in loc (nil: UTC), with the zone
// named.
//
// Each count names its unit: distinct customers, customers never read before
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
	s.returns()
	return s.b.String()
}

// statistical writes the sentences of an alert that rests on evidence.
func (s *sentence) statistical() {
	switch a := s.a; a.Status {
	case Close:
		s.closed()
	case Update:
		if a.Observed > a.Expected {
			s.write("Still going on: ")
		} else {
			s.write("Still open, though quiet now: ")
		}
		s.found(false)
		s.exposure()
	default:
		s.found(true)
		s.exposure()
	}
}

// returns says how often the episode has come back, if it ever has.
func (s *sentence) returns() {
	switch n := s.a.Returns; n {
	case 0:
	case 1:
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
	noun       string // "signing key" kid-7
	did        string // "was used to read" 40 customers
	hasDone    string // since Monday it "has been used to read" 40 customers
	firstTouch string // 40 customers "it had never been used to read before"
}

func actorOf(dimension string) actor {
	switch dimension {
	case "user":
		return actor{"user", "read", "has read", "it had never read before"}
	case "key":
		return actor{"signing key", "was used to read", "has been used to read", "it had never been used to read before"}
	case "network", "client":
		return actor{dimension, "read", "has read", "it had never read before"}
	case "endpoint":
		return actor{"endpoint", "gave out", "has given out", "it had never given out before"}
	}
	return actor{Printable(dimension, maxIdentity), "read", "has read", "it had never read before"}
}

// unit holds the words for what a measure counts, as in "read 40 customers it had
// never read before".
type unit struct {
	did    string // "read"
	one    string // "customer"
	many   string // "customers"
	suffix string // " it had never read before", or nothing
}

func unitOf(measure string, who actor) unit {
	switch measure {
	case "distinct", "distinct_in_bin":
		return unit{who.did, "distinct customer", "distinct customers", ""}
	case "first_touch", "first_touch_in_bin", "new_share":
		return unit{who.did, "customer", "customers", " " + who.firstTouch}
	case "rows", "rows_in_bin":
		return unit{who.did, "row", "rows", ""}
	case "destructive":
		did := "changed or deleted"
		if who.noun == "signing key" {
			did = "was used to change or delete"
		}
		return unit{did, "customer's records", "customers' records", ""}
	case "unissued":
		return unit{who.did, "customer", "customers", " through tokens that nobody issued"}
	case "off_hours":
		return unit{who.did, "customer", "customers", " outside its usual hours"}
	}
	return unit{who.did, "unit", "units", " of " + Printable(measure, maxIdentity)}
}

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

// found writes what was found, such as "User kim read 480 distinct customers
// between 00:00 and 15:10 on Tue 3 Mar 2026 (UTC), where about 12 are usual on a
// whole working day: 40 times as many." first says that a sentence begins with it.
func (s *sentence) found(first bool) {
	a := s.a
	noun := s.who.noun
	if first {
		noun = capital(noun)
	}
	u := unitOf(a.Measure, s.who)
	s.write(noun, " ", Printable(a.Identity, maxIdentity), " ", u.did, " ", count(a.Observed, u), u.suffix, " ")
	s.span()
	s.write(", ", usual(a, s.who), factor(a.Observed, a.Expected), ".")
}

// span writes the interval that was counted.
func (s *sentence) span() {
	from, to := s.a.Interval(s.a.measure(), s.loc)
	f, t := s.local(from), s.local(to)
	switch {
	case sameDay(f, t):
		s.write("between ", f.Format("15:04"), " and ", t.Format("15:04"), " on ", t.Format(dayLayout))
	case isMidnight(f) && f.AddDate(0, 0, 1).Equal(t):
		s.write("on ", f.Format(dayLayout))
	default:
		s.write("between ", f.Format(dayTimeLayout), " and ", t.Format(dayTimeLayout))
	}
	s.write(" (", s.loc.String(), ")")
}

func isMidnight(t time.Time) bool { return t.Hour()+t.Minute()+t.Second()+t.Nanosecond() == 0 }

// exposure writes since when and how many, such as "It began about Mon 2 Mar 2026
// 09:00; since then it has read about 33,700,000 distinct customers in all
// (33,100,000 to 34,300,000 at 95 % confidence)."
func (s *sentence) exposure() {
	a := s.a
	s.write(" It began about ", s.day(a.Onset))
	e := &a.Exposed
	if e.Records == 0 && e.Rows == 0 {
		s.write(".")
		return
	}
	if e.Since == a.Onset {
		s.write("; since then it ")
	} else {
		s.write("; since ", s.day(e.Since), " it ")
	}
	s.write(s.who.hasDone, " ", exposed(e), " in all", interval(e), ".")
}

// closed writes that the episode is over, such as "Over: user kim is back to
// normal. Between … and … it read … in all."
func (s *sentence) closed() {
	a := s.a
	s.write("Over: ", s.who.noun, " ", Printable(a.Identity, maxIdentity), " is back to normal.")
	e := &a.Exposed
	if e.Records == 0 && e.Rows == 0 {
		s.write(" It had begun about ", s.day(a.Onset), ".")
		return
	}
	s.write(" Between ", s.day(e.Since), " and ", s.day(a.Time), " (", s.loc.String(), ") it ", s.who.did, " ", exposed(e), " in all", interval(e), ".")
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
// number is an estimate.
func exposed(e *Exposed) string {
	var parts []string
	if e.Records > 0 {
		about := ""
		if e.Low != e.High {
			about = "about "
		}
		parts = append(parts, about+plural(e.Records, "distinct customer", "distinct customers"))
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

// usual says how many are usual, and in what, such as "where about 12 are usual on
// a whole working day".
func usual(a *Alert, who actor) string {
	return "where " + aboutUsual(a.Expected) + " usual " + usualIn(a, who)
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

// usualIn says what the usual number is of: a day, a bin, or as many records as
// were read.
func usualIn(a *Alert, who actor) string {
	m := a.measure()
	switch {
	case m.Measure == newShare:
		for i := range a.Evidence.Measures {
			if n := &a.Evidence.Measures[i]; n.Measure == "distinct" && n.From == m.From {
				return "among the " + Group(whole(n.Observed)) + " that it " + who.did
			}
		}
		return "among as many"
	case OfBin(m.Measure):
		return "in " + widthText(a.BinWidth()) + " with work"
	}
	return "on a whole working day"
}

// widthText says how long a bin is.
func widthText(d time.Duration) string {
	switch {
	case d == time.Hour:
		return "an hour"
	case d == 24*time.Hour:
		return "a day"
	case d%time.Hour == 0:
		return Group(int64(d/time.Hour)) + " hours"
	case d%time.Minute == 0:
		return Group(int64(d/time.Minute)) + " minutes"
	}
	return d.String()
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

// small shows a number below ten, with one decimal unless that is zero.
func small(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

func count(v float64, u unit) string { return plural(whole(v), u.one, u.many) }

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Group(n) + " " + many
}

// whole rounds to the nearest whole number, within what an int64 holds; NaN is 0.
func whole(v float64) int64 {
	const limit = 1 << 62
	switch {
	case math.IsNaN(v):
		return 0
	case v >= limit:
		return limit
	case v <= -limit:
		return -limit
	}
	return int64(math.Round(v))
}

// Group writes n with a comma between groups of three digits: 33,700,000.
func Group(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// capital makes the first letter of an ASCII word upper case.
func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
