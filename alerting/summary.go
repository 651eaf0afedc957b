package alerting

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Summarize writes the sentences that a tired analyst reads first: who, how
// many, when, how many are normal, since when, and how much is exposed so far,
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
		return s.b.String()
	case KindCampaign:
		s.campaign()
		return s.b.String()
	}
	switch a.Status {
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
	return s.b.String()
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
	case "distinct":
		return unit{who.did, "distinct customer", "distinct customers", ""}
	case "first_touch":
		return unit{who.did, "customer", "customers", " " + who.firstTouch}
	case "rows":
		return unit{who.did, "row", "rows", ""}
	case "destructive":
		did := "changed or deleted"
		if who.noun == "signing key" {
			did = "was used to change or delete"
		}
		return unit{did, "customer's records", "customers' records", ""}
	case "unissued":
		return unit{who.did, "customer", "customers", " through tokens that nobody issued"}
	case "subjects":
		return unit{"was used by", "distinct account", "distinct accounts", ""}
	case "off_hours":
		return unit{who.did, "customer", "customers", " outside its usual hours"}
	case "newcomer":
		return unit{who.did, "customer", "customers", " in all since it is new, the latest"}
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
// between 14:00 and 15:00 on Tue 3 Mar 2026 (UTC), where about 12 are normal: 40
// times as many." first says that a sentence begins with it.
func (s *sentence) found(first bool) {
	a := s.a
	noun := s.who.noun
	if first {
		noun = capital(noun)
	}
	u := unitOf(a.Measure, s.who)
	s.write(noun, " ", Printable(a.Identity, maxIdentity), " ", u.did, " ", count(a.Observed, u), u.suffix, " ")
	partial := s.span()
	s.write(", ", normal(a.Expected))
	switch {
	case a.Measure == "newcomer":
		s.write(" in the first two days of a newcomer among its peers")
	case partial:
		s.write(" for the whole ", s.width())
	}
	s.write(factor(a.Observed, a.Expected), ".")
}

// span writes the interval that was counted, and reports whether the interval is
// only the first part of a bin, which was scored before its end.
func (s *sentence) span() (partial bool) {
	from, to := s.a.Evidence.Bin, s.a.Time
	width, err := time.ParseDuration(s.a.Evidence.BinWidth)
	if err == nil && width > 0 {
		// A bin that is scored again for late events ends where it ended.
		end := from + Time(width.Milliseconds())
		partial = to < end
		to = min(to, end)
	}
	f, t := s.local(from), s.local(to)
	if sameDay(f, t) {
		s.write("between ", f.Format("15:04"), " and ", t.Format("15:04"), " on ", t.Format(dayLayout), " (", s.loc.String(), ")")
	} else {
		s.write("between ", f.Format(dayTimeLayout), " and ", t.Format(dayTimeLayout), " (", s.loc.String(), ")")
	}
	return partial
}

// width returns the word for the length of a bin.
func (s *sentence) width() string {
	switch s.a.Evidence.BinWidth {
	case "1h0m0s", "1h":
		return "hour"
	case "24h0m0s", "24h":
		return "day"
	}
	return "interval"
}

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

// normal says how many the baseline expects.
func normal(expected float64) string {
	switch {
	case expected < 0.05 || math.IsNaN(expected):
		return "where none is normal"
	case expected < 1.05:
		return "where about " + small(expected) + " is normal"
	case expected < 9.95:
		return "where about " + small(expected) + " are normal"
	}
	return "where about " + Group(whole(expected)) + " are normal"
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
