package config

import (
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
)

// Expected declares behaviour that is known and harmless. What it covers is
// told to nobody, counted, and listed by `weir suppressed`.
type Expected struct {
	Name      string
	Dimension string
	Identity  string   // '*' stands for any text
	Measures  []string // empty: every measure
	Facts     []string // empty: none
	From, To  Moment   // unset: no bound
	Weekly    []Weekly // empty: at any hour
	AtMost    int      // exposed records or rows; 0: no bound
	Owner     string
	Reason    string
	Expires   Moment
}

// Weekly is a window that comes back every week, by time.zone.
type Weekly struct {
	Days     []string // on which it begins, mon to sun; empty: every day
	From, To Clock    // to is on the next day if it is not later
}

// Weekdays returns the days on which the window begins, by time.Weekday.
func (w *Weekly) Weekdays() (days [7]bool) {
	for i := range days {
		days[i] = len(w.Days) == 0 || slices.Contains(w.Days, weekdays[i])
	}
	return days
}

// Moment is a time, or a day, which means its beginning by time.zone. The zero
// value is none.
type Moment struct {
	at  time.Time
	day bool // at is a date, and not yet in a zone
}

// IsZero reports whether there is none.
func (m Moment) IsZero() bool { return m.at.IsZero() }

// In returns the moment where days are those of a zone.
func (m Moment) In(loc *time.Location) time.Time {
	if !m.day {
		return m.at
	}
	y, month, d := m.at.Date()
	return time.Date(y, month, d, 0, 0, 0, 0, loc)
}

// String returns the form in which it is written.
func (m Moment) String() string {
	switch {
	case m.IsZero():
		return ""
	case m.day:
		return m.at.Format(time.DateOnly)
	}
	return m.at.Format(time.RFC3339)
}

// MarshalText returns String.
func (m Moment) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

func moment(into *Moment) value {
	return value{
		kind: "day or RFC 3339 time",
		parse: func(_ *parser, t string) error {
			if at, err := time.Parse(time.DateOnly, t); err == nil {
				*into = Moment{at, true}
				return nil
			}
			at, err := time.Parse(time.RFC3339, t)
			if err != nil {
				return errors.New("is no time; want a day such as 2026-12-31, or an RFC 3339 time such as 2026-12-31T18:00:00+09:00")
			}
			*into = Moment{at, false}
			return nil
		},
		show:   func() string { return into.String() },
		schema: map[string]any{"type": "string", "pattern": `^\d{4}-\d\d-\d\d(T.*)?$`},
	}
}

func expectedField(c *Config) field {
	return field{
		name: "expected",
		doc: "Behaviour that is known and harmless: a batch account, a night's export, a campaign. All of what an entry says must hold. " +
			"What it covers is told to nobody; it is counted, and `weir suppressed` lists it.",
		items: &items{
			reset: func() { c.Expected = nil },
			next: func() []field {
				c.Expected = append(c.Expected, Expected{})
				return expectedFields(&c.Expected[len(c.Expected)-1])
			},
			fields: expectedFields(new(Expected)),
			show:   none,
		}}
}

func expectedFields(x *Expected) []field {
	return []field{
		required(scalar("name", text(&x.Name, notEmpty, word), "Name under which it is counted and listed.", "nightly-export")),
		required(scalar("dimension", text(&x.Dimension, notEmpty), "Dimension of the identity; `campaign` for what weir itself has gathered into one (it covers each member that is within the entry by itself), `source` for a source topic.", "user")),
		required(scalar("identity", text(&x.Identity, notEmpty), "The identity; `*` stands for any text. With fewer than three other characters, or of campaigns, `*` needs at_most.", "svc-export-*")),
		{name: "measures", doc: "Measures that are expected (" + strings.Join(alerting.Measures(), ", ") + "); without it, all. Every measure that makes a case by itself must be among them.", example: "[rows, rows_in_bin, distinct, distinct_in_bin]",
			list: texts(&x.Measures, none, measureWord)},
		{name: "facts", doc: "Facts that are expected (" + strings.Join(factWords(), ", ") + "); without it, none: a fact is told.", example: "[overage_key]",
			list: texts(&x.Facts, none, factWord)},
		scalar("from", moment(&x.From), "When it begins, in event time; a day is its beginning by time.zone.", "2026-11-20"),
		scalar("to", moment(&x.To), "When it ends.", "2026-11-28"),
		{name: "weekly", doc: "Hours of the week, by time.zone, in which it is expected; without it, at any.",
			items: &items{
				reset: func() { x.Weekly = nil },
				next: func() []field {
					x.Weekly = append(x.Weekly, Weekly{})
					return weeklyFields(&x.Weekly[len(x.Weekly)-1])
				},
				fields: weeklyFields(new(Weekly)),
				show:   none,
			}},
		scalar("at_most", integer(&x.AtMost, 0, math.MaxInt), "Exposed records, or rows, up to which it is expected; beyond it, it is told. 0: no limit.", "250000"),
		required(scalar("owner", text(&x.Owner, notEmpty), "Who answers for it.", "data-platform@example.com")),
		required(scalar("reason", text(&x.Reason, notEmpty), "Why it is harmless.", "exports to the warehouse every night")),
		required(scalar("expires", moment(&x.Expires), "When it holds no longer, in event time: nothing is expected for ever. `weir run` takes at most 90 days from its start, or from `from` where that is later. Look at the entry then, and move the day.", "2027-02-15")),
	}
}

func weeklyFields(w *Weekly) []field {
	return []field{
		{name: "days", doc: "Days on which the window begins, mon to sun; without it, every day.", example: "[mon, tue, wed, thu, fri]",
			list: texts(&w.Days, none, weekday)},
		required(scalar("from", clock(&w.From), "When it begins.", "22:00")),
		required(scalar("to", clock(&w.To), "When it ends; not later than from means on the next day.", "06:00")),
	}
}

func measureWord(s string) error {
	if slices.Contains(alerting.Measures(), s) {
		return nil
	}
	return errors.New("is no measure; " + suggest(s, alerting.Measures()))
}

func factWord(s string) error {
	if slices.Contains(factWords(), s) {
		return nil
	}
	return errors.New("is no fact; " + suggest(s, factWords()))
}

// sourceDimension is the dimension of facts about source topics.
const sourceDimension = "source"

// checkExpected holds what is expected against the dimensions, and its times
// against each other.
func (p *parser) checkExpected(c *Config) {
	first := map[string]int{}
	names := append(dimensionNames(c), sourceDimension)
	for i := range c.Expected {
		x, at := &c.Expected[i], itemPath("expected", i)
		if j, ok := first[x.Name]; ok && x.Name != "" {
			p.faultAt(at+".name", "%s is the name of another one, on line %d; want another", x.Name, p.lines[itemPath("expected", j)+".name"])
		}
		first[x.Name] = i
		if x.Dimension != "" && !slices.Contains(names, x.Dimension) {
			p.faultAt(at+".dimension", "%s is no dimension; %s", x.Dimension, suggest(x.Dimension, names))
		}
		if x.AtMost == 0 && isBroad(x) {
			p.faultAt(at+".identity", "is almost every identity, and so would hide any leak; name some, or set at_most")
		}
		p.checkMoments(c, x, at)
		for j, w := range x.Weekly {
			if w.From.set && w.To.set && w.From.since == w.To.since {
				p.faultAt(itemPath(at+".weekly", j)+".to", "is when it begins; want another time (a whole day is 00:00 to 24:00)")
			}
		}
	}
}

// narrow is how many bytes of a pattern must be text for it to name some and not all.
const narrow = 3

// isBroad reports whether an entry could cover anybody: its pattern has hardly any
// text, or stands for campaigns, whose members are not known beforehand.
func isBroad(x *Expected) bool {
	texts := strings.ReplaceAll(x.Identity, "*", "")
	return texts != x.Identity && (len(texts) < narrow || x.Dimension == alerting.CampaignDimension)
}

func (p *parser) checkMoments(c *Config, x *Expected, at string) {
	from, to, expires := x.From.In(c.Time.Zone), x.To.In(c.Time.Zone), x.Expires.In(c.Time.Zone)
	if !x.From.IsZero() && !x.To.IsZero() && !from.Before(to) {
		p.faultAt(at+".to", "%s is not after from, %s", x.To, x.From)
	}
	if !x.From.IsZero() && !x.Expires.IsZero() && !from.Before(expires) {
		p.faultAt(at+".expires", "%s is not after from, %s: it would never hold", x.Expires, x.From)
	}
}

// expectedAtMost is how long something may be expected at a time.
const expectedAtMost = 90 * day

// CheckExpiry reports what is expected for longer than weir run takes at the time now. It
// returns nil or Faults.
func (c *Config) CheckExpiry(now time.Time) error {
	var f Faults
	for i := range c.Expected {
		x := &c.Expected[i]
		from, expires := x.From.In(c.Time.Zone), x.Expires.In(c.Time.Zone)
		if from.Before(now) {
			from = now
		}
		if latest := from.Add(expectedAtMost + day); expires.After(latest) { // a day, since a date is a whole one
			f = append(f, c.fault(itemPath("expected", i)+".expires", x.Expires.String()+
				" is more than 90 days ahead: nothing is expected for ever. Want at most "+from.Add(expectedAtMost).In(c.Time.Zone).Format(time.DateOnly)+", and look at it again then"))
		}
	}
	return f.orNil()
}
