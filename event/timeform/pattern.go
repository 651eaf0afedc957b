package timeform

import (
	"strings"
	"time"
)

// pattern is a form in the letters of strftime: literals, and conversions of one
// letter each.
type pattern []token

// token is a conversion, or a literal where letter is zero.
type token struct {
	letter  byte
	literal string
}

// aliases are conversions that stand for several.
var aliases = strings.NewReplacer("%%", "%%", "%F", "%Y-%m-%d", "%T", "%H:%M:%S", "%R", "%H:%M", "%D", "%m/%d/%y",
	"%r", "%I:%M:%S %p", "%h", "%b", "%B", "%b", "%A", "%a", "%e", "%d", "%k", "%H", "%l", "%I", "%L", "%f")

// compilePattern reads a pattern; false if it has an unknown conversion, or lacks
// the month or day.
func compilePattern(s string) (pattern, bool) {
	s = aliases.Replace(s)
	var p pattern
	seen := ""
	for s != "" {
		i := strings.IndexByte(s, '%')
		switch {
		case i < 0:
			i = len(s)
			fallthrough
		case i > 0:
			p = append(p, token{literal: s[:i]})
			s = s[i:]
			continue
		case len(s) < 2:
			return nil, false
		}
		letter := s[1]
		s = s[2:]
		switch {
		case letter == '%':
			p = append(p, token{literal: "%"})
		case strings.IndexByte("YymdbHIMSfpzZajs", letter) < 0:
			return nil, false
		default:
			p, seen = append(p, token{letter: letter}), seen+string(letter)
		}
	}
	date := strings.ContainsAny(seen, "mb") && strings.Contains(seen, "d") || strings.Contains(seen, "j") && strings.ContainsAny(seen, "Yy")
	return p, date || strings.Contains(seen, "s")
}

// read reads a text by the pattern.
func (p pattern) read(c *cursor) (f fields, ok bool) {
	f.month, f.day, f.yearless = 1, 1, true
	dayOfYear, half := 0, cursor{}
	for _, t := range p {
		ok := true
		switch t.letter {
		case 0:
			ok = c.take(t.literal)
		case 'Y':
			f.year, f.yearless = c.number(4, 4), false
			ok = f.year >= 0
		case 'y':
			f.year, f.yearless = century(c.number(2, 2)), false
			ok = f.year >= 0
		case 'm':
			f.month = c.number(1, 2)
		case 'd':
			c.take(" ")
			f.day = c.number(1, 2)
		case 'b':
			f.month = named(c.letters(), months)
		case 'a':
			ok = named(c.letters(), weekdays) > 0
		case 'j':
			dayOfYear = c.number(1, 3)
			ok = dayOfYear >= 1 && dayOfYear <= 366
		case 'H', 'I':
			c.take(" ")
			f.hour = c.number(1, 2)
			ok = t.letter == 'H' || f.hour >= 1 && f.hour <= 12
		case 'M':
			f.minute = c.number(1, 2)
		case 'S':
			f.second = c.number(1, 2)
		case 'f':
			f.millisecond = c.fraction()
			ok = f.millisecond >= 0
		case 'p':
			half.rest = c.letters()
			ok = len(half.rest) == 2
		case 'z', 'Z':
			ok = c.zone(&f)
		case 's':
			f = civil(int64(c.number(1, 12)) * 1000)
		}
		if !ok {
			return f, false
		}
	}
	if half.rest != "" && (!half.half(&f) || half.rest != "") {
		return f, false
	}
	if dayOfYear > 0 {
		f.setDayOfYear(dayOfYear)
	}
	return f, true
}

// setDayOfYear sets the month and day, by the number of a day in the year from 1 to 366.
func (f *fields) setDayOfYear(n int) {
	t := time.Date(f.year, 1, n, 0, 0, 0, 0, time.UTC)
	if f.month, f.day = int(t.Month()), t.Day(); t.Year() != f.year {
		f.day = 0 // the year has no such day
	}
}

// civil returns the parts of Unix milliseconds, in UTC.
func civil(ms int64) fields {
	t := time.UnixMilli(ms).UTC()
	return fields{
		year: t.Year(), month: int(t.Month()), day: t.Day(), hour: t.Hour(), minute: t.Minute(), second: t.Second(),
		millisecond: t.Nanosecond() / 1e6, zone: zone{known: true},
	}
}
