package timeform

import (
	"strings"
	"time"
)

// fields are the parts of a time as it was written.
type fields struct {
	year, month, day     int
	yearless             bool // no year is written
	hour, minute, second int
	millisecond          int
	zone                 zone
}

// instant reads a whole text by read, as Unix milliseconds.
func instant(s string, read func(c *cursor) (fields, bool), beside Beside) (int64, Outcome) {
	c := cursor{rest: s}
	f, ok := read(&c)
	if !ok || c.rest != "" {
		return 0, Unreadable
	}
	if !f.yearless {
		return f.at(beside.Zone)
	}
	f.year = leapYear
	if !f.valid() {
		return 0, Unreadable
	}
	if beside.Until == 0 {
		return 0, NoYear
	}
	last := time.UnixMilli(beside.Until).UTC().Year() + 1 // it may have begun already where the time was written
	for f.year = last; f.year > last-10; f.year-- {
		if ms, outcome := f.at(beside.Zone); outcome == NoZone || outcome == OK && ms < beside.Until {
			return ms, outcome
		}
	}
	return 0, Unreadable
}

// leapYear is a year that has all days there are.
const leapYear = 2000

// at returns the Unix milliseconds of a time with a year. zone is that of one that has
// none written.
func (f *fields) at(zone *time.Location) (int64, Outcome) {
	if !f.valid() {
		return 0, Unreadable
	}
	if f.zone.known {
		minutes := (daysSince1970(f.year, f.month, f.day)*24+int64(f.hour))*60 + int64(f.minute-f.zone.minutes)
		return (minutes*60+int64(f.second))*1000 + int64(f.millisecond), OK
	}
	if f.zone.region != nil {
		zone = f.zone.region
	}
	if zone == nil {
		return 0, NoZone
	}
	t := time.Date(f.year, time.Month(f.month), f.day, f.hour, f.minute, f.second, f.millisecond*1e6, zone)
	if name, _ := t.Zone(); f.zone.name != "" && f.zone.name != name {
		return 0, NoZone
	}
	return t.UnixMilli(), OK
}

// valid reports whether the fields are a date and a time of day.
func (f *fields) valid() bool {
	return f.month >= 1 && f.month <= 12 && f.day >= 1 && f.day <= monthDays(f.year, f.month) &&
		(f.hour >= 0 && f.hour <= 23 && f.minute >= 0 && f.minute <= 59 && f.second >= 0 && f.second <= 60 ||
			f.hour == 24 && f.minute == 0 && f.second == 0 && f.millisecond == 0) // the end of the day
}

// cursor reads a text from left to right.
type cursor struct{ rest string }

// take takes a literal; false if it is not next.
func (c *cursor) take(literal string) bool {
	rest, ok := strings.CutPrefix(c.rest, literal)
	if ok {
		c.rest = rest
	}
	return ok
}

// any takes one byte out of a set, and returns it; 0 if none is next.
func (c *cursor) any(set string) byte {
	if c.rest == "" || strings.IndexByte(set, c.rest[0]) < 0 {
		return 0
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	return b
}

// number takes between least and most digits; -1 if there are fewer.
func (c *cursor) number(least, most int) int {
	n, v := 0, 0
	for n < most && n < len(c.rest) && c.rest[n]-'0' < 10 {
		v = v*10 + int(c.rest[n]-'0')
		n++
	}
	if n < least {
		return -1
	}
	c.rest = c.rest[n:]
	return v
}

// fraction takes the digits of a fraction of a second, and returns milliseconds;
// -1 if there are none.
func (c *cursor) fraction() int {
	ms, n := 0, 0
	for unit := 100; n < len(c.rest) && c.rest[n]-'0' < 10; n++ {
		ms += int(c.rest[n]-'0') * unit
		unit /= 10
	}
	if n == 0 {
		return -1
	}
	c.rest = c.rest[n:]
	return ms
}

// letters takes a word of ASCII letters.
func (c *cursor) letters() string {
	n := 0
	for n < len(c.rest) && c.rest[n]|0x20 >= 'a' && c.rest[n]|0x20 <= 'z' {
		n++
	}
	word := c.rest[:n]
	c.rest = c.rest[n:]
	return word
}

var months = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// named returns which of the names, in English, a word is or begins with, from 1;
// 0 if none.
func named(word string, names []string) int {
	if len(word) < 3 {
		return 0
	}
	for i, name := range names {
		if strings.EqualFold(word[:3], name) {
			return i + 1
		}
	}
	return 0
}

// clock takes hours and minutes, seconds with a fraction where they are there, and
// AM or PM.
func (c *cursor) clock(f *fields) bool {
	f.hour = c.number(1, 2)
	sep := c.any(":.") // Oracle prints points
	if f.hour < 0 || sep == 0 {
		return false
	}
	if f.minute = c.number(2, 2); f.minute < 0 {
		return false
	}
	if c.take(string(sep)) {
		if f.second = c.number(2, 2); f.second < 0 || !c.decimals(f) {
			return false
		}
	}
	return c.half(f)
}

// half takes AM or PM, if it is there; false if the hour is none of a half day.
func (c *cursor) half(f *fields) bool {
	rest := cursor{strings.TrimPrefix(strings.TrimPrefix(c.rest, " "), "\u202f")} // what Java and browsers print
	word := strings.ToUpper(rest.letters())
	if word != "AM" && word != "PM" {
		return true
	}
	c.rest = rest.rest
	if f.hour < 1 || f.hour > 12 {
		return false
	}
	f.hour %= 12 // twelve is the first hour of its half
	if word == "PM" {
		f.hour += 12
	}
	return true
}

// decimals takes a fraction of a second after a point or comma, if there is one.
func (c *cursor) decimals(f *fields) bool {
	if c.any(".,") == 0 {
		return true
	}
	f.millisecond = c.fraction()
	return f.millisecond >= 0
}
