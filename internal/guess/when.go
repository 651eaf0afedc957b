package guess

import (
	"strings"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/timeform"
)

// time finds the time of an event, and with it the list of events.
func (d *draft) time(l *leaves) {
	when := d.pick(l, "time", func(f *leaf) bool { _, o := formOf(f.texts); return o != timeform.Unreadable })
	if when == nil {
		d.splitTime(l)
		if d.date != "" {
			return
		}
		if when = d.pick(l, "time", func(f *leaf) bool { return !f.number && all(f, hasDigit) }); when == nil {
			return
		}
		d.unknown = when.texts[0]
	}
	d.outcome(formOf(when.texts))
	if i := strings.LastIndex(when.path, "[]."); i >= 0 {
		d.explode = when.path[:i+2]
		if d.under = l.within(d.explode); len(d.under) > 0 {
			d.explode = below(d.explode, d.under[len(d.under)-1])
		}
	}
	d.fields["time"] = d.relative(when.path)
}

// splitTime finds a date and a time of the day that stand apart.
func (d *draft) splitTime(l *leaves) {
	clock := d.pick(l, "time", func(f *leaf) bool { return all(f, isClock) })
	if clock == nil {
		return
	}
	for _, f := range l.all {
		if f == clock || len(f.texts) == 0 || strings.Contains(f.path+clock.path, "[]") || !all(f, isDate) {
			continue
		}
		var whole []string
		for _, s := range f.texts {
			whole = append(whole, s+" "+clock.texts[0])
		}
		if form, o := formOf(whole); o != timeform.Unreadable {
			d.outcome(form, o)
			d.date, d.fields["time"] = f.path, clock.path
			return
		}
	}
}

// outcome keeps what must be said of the times.
func (d *draft) outcome(form string, o timeform.Outcome) {
	d.form, d.noZone, d.yearless = form, o == timeform.NoZone || o == timeform.NoYear, o == timeform.NoYear
}

// dayFirst and the other are the forms of dates in figures, which are not guessed one by
// one: of many, one of both may be the only one that fits.
const dayFirst, monthFirst = "eu", "us"

// formOf returns whether texts are times, and the form that must be named for it; "" if
// each can be guessed.
func formOf(texts []string) (form string, outcome timeform.Outcome) {
	read := func(one func(string) timeform.Outcome) timeform.Outcome {
		worst := timeform.OK
		f := &leaf{texts: texts}
		fits := all(f, func(s string) bool {
			o := one(s)
			if o != timeform.Unreadable {
				worst = min(worst, o)
			}
			return o != timeform.Unreadable
		})
		if !fits {
			return timeform.Unreadable
		}
		return worst
	}
	if o := read(func(s string) timeform.Outcome {
		_, o := timeform.Guess(s, timeform.Beside{}, event.MinTime, event.MaxTime)
		return o
	}); o != timeform.Unreadable {
		return "", o
	}
	named := func(name string) timeform.Outcome {
		f, _ := timeform.Named(name)
		return read(func(s string) timeform.Outcome { _, o := f.Read(s, timeform.Beside{}); return o })
	}
	eu, us := named(dayFirst), named(monthFirst)
	switch {
	case eu != timeform.Unreadable && (us == timeform.Unreadable || strings.Count(texts[0], ".") >= 2): // nobody puts points after a month
		return dayFirst, eu
	case us != timeform.Unreadable && eu == timeform.Unreadable:
		return monthFirst, us
	}
	return "", timeform.Unreadable
}

// isClock reports whether a text is a time of the day.
func isClock(s string) bool {
	for _, layout := range []string{"15:04:05", "15:04", "150405", "3:04:05 PM", "3:04 PM"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

// isDateTime reports whether a text is a date in figures and a time of the day.
func isDateTime(s string) bool {
	date, clock, _ := strings.Cut(s, " ")
	return isDate(date) && isClock(clock)
}

// isDate reports whether a text is a date without a time of the day.
func isDate(s string) bool { return dateForm(s) != "" }

// dateForm returns the form of a date without a time of the day; "" if it is none.
func dateForm(s string) string {
	if len(s) < len("2.3.26") || len(s) > len("2006-01-02") {
		return ""
	}
	for _, name := range []string{"iso8601", dayFirst, monthFirst} {
		f, _ := timeform.Named(name)
		if _, o := f.Read(s+" 00:00", timeform.Beside{}); o != timeform.Unreadable {
			return name
		}
	}
	return ""
}

// untilLine returns the line of a field map for times without a year, of a file that was
// last written at a time. There the day may be a later one than in UTC.
func untilLine(last time.Time) string {
	return "until: " + last.UTC().Add(14*time.Hour).Format(time.DateOnly) + "  # the times have no year: is this the last day?\n"
}
