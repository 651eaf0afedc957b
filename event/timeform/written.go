package timeform

import (
	"strings"
	"time"
)

// readISO reads what begins with the year: ISO 8601 in its long and short form, with
// the month and day, the week and its day or the day of the year, and what databases and
// programs print that is like it.
func readISO(c *cursor) (f fields, ok bool) {
	if f.year = c.number(4, 4); f.year < 0 {
		return f, false
	}
	sep := c.any("-/.")
	if strings.HasPrefix(c.rest, "W") {
		ok = c.week(&f, sep)
	} else {
		ok = c.dayOfYear(&f, sep) || c.monthAndDay(&f, sep)
	}
	if !ok {
		return f, false
	}
	split := c.any("Tt _:-")
	if split == 0 && sep != 0 || split == ':' && sep == 0 || split == '-' && sep != '-' {
		return f, false
	}
	if split == '-' { // DB2
		if f.hour = c.number(2, 2); !c.take(".") {
			return f, false
		}
		if f.minute = c.number(2, 2); !c.take(".") {
			return f, false
		}
		f.second = c.number(2, 2)
		ok = c.decimals(&f) && c.zone(&f)
		return f, ok
	}
	if len(c.rest) > 2 && (c.rest[1] == ':' || c.rest[2] == ':' || c.rest[2] == '.') {
		ok = c.clock(&f) && c.zone(&f)
		return f, ok
	}
	f.hour, f.minute = c.number(2, 2), c.number(2, 2)
	if f.hour < 0 || f.minute < 0 {
		return f, false
	}
	if c.rest != "" && c.rest[0]-'0' < 10 {
		if f.second = c.number(2, 2); f.second < 0 || !c.decimals(&f) {
			return f, false
		}
	}
	ok = c.zone(&f)
	return f, ok
}

// dayOfYear takes the day of the year, three digits before a T; false if the date has a
// month.
func (c *cursor) dayOfYear(f *fields, sep byte) bool {
	if sep != '-' && sep != 0 || len(c.rest) < 4 || c.rest[3]|0x20 != 't' {
		return false
	}
	n := c.number(3, 3)
	if n >= 0 {
		f.setDayOfYear(n)
	}
	return n >= 0
}

// week takes the week of the year and the day in it, such as W10-1. The first week is that of the fourth of January.
func (c *cursor) week(f *fields, sep byte) bool {
	if sep != '-' && sep != 0 || !c.take("W") {
		return false
	}
	week := c.number(2, 2)
	if sep == '-' && !c.take("-") {
		return false
	}
	day := c.number(1, 1)
	fourth := time.Date(f.year, 1, 4, 0, 0, 0, 0, time.UTC)
	monday := 4 - (int(fourth.Weekday())+6)%7
	t := time.Date(f.year, 1, monday+(week-1)*7+day-1, 0, 0, 0, 0, time.UTC)
	if y, w := t.ISOWeek(); y != f.year || w != week || day < 1 || day > 7 {
		return false // the year has no such week, or the week no such day
	}
	f.year, f.month, f.day = t.Year(), int(t.Month()), t.Day()
	return true
}

// monthAndDay takes the month and the day, with the separator that stood before them.
func (c *cursor) monthAndDay(f *fields, sep byte) bool {
	least := 1
	if sep == 0 {
		least = 2
	}
	if f.month = c.number(least, 2); sep != 0 && c.any(string(sep)) == 0 {
		return false
	}
	f.day = c.number(least, 2)
	return f.month >= 0 && f.day >= 0
}

// readApache reads what Apache and nginx print: 02/Mar/2026:10:15:27 +0100, in
// brackets or not.
func readApache(c *cursor) (f fields, ok bool) {
	bracket := c.take("[")
	f.day = c.number(1, 2)
	if f.day < 0 || !c.take("/") {
		return f, false
	}
	f.month = named(c.letters(), months)
	if f.month == 0 || !c.take("/") {
		return f, false
	}
	if f.year = c.number(4, 4); f.year < 0 || c.any(": ") == 0 {
		return f, false
	}
	ok = c.clock(&f) && c.zone(&f)
	return f, ok && (!bracket || c.take("]"))
}

// readMail reads the forms of mail and HTTP: RFC 1123, 2822 and 850.
func readMail(c *cursor) (f fields, ok bool) {
	if word := c.letters(); word != "" {
		if named(word, weekdays) == 0 || !c.take(",") {
			return f, false
		}
		c.take(" ")
	}
	f.day = c.number(1, 2)
	sep := c.any(" -")
	if f.day < 0 || sep == 0 {
		return f, false
	}
	f.month = named(c.letters(), months)
	if f.month == 0 || c.any(string(sep)) == 0 {
		return f, false
	}
	if f.year = c.number(4, 4); f.year < 0 {
		f.year = century(c.number(2, 2))
	}
	if f.year < 0 || !c.take(" ") {
		return f, false
	}
	ok = c.clock(&f) && c.zone(&f)
	return f, ok
}

// readNamedUS reads what begins with the name of the month, after that of the day of the
// week or not: Mar 2, 2026, 9:15:27 AM.
func readNamedUS(c *cursor) (f fields, ok bool) {
	word := c.letters()
	if named(word, weekdays) > 0 && c.take(", ") {
		word = c.letters()
	}
	if f.month = named(word, months); f.month == 0 || !c.take(" ") {
		return f, false
	}
	c.take(" ")
	if f.day = c.number(1, 2); f.day < 0 || !c.take(", ") {
		return f, false
	}
	f.year = c.number(4, 4)
	c.take(",")
	if f.year < 0 || !c.take(" ") {
		return f, false
	}
	if !c.take("at ") {
		c.take("@ ") // as Kibana prints
	}
	ok = c.clock(&f) && c.zone(&f)
	return f, ok
}

// readSyslog reads what syslog and the formats of security devices write: Mar  2
// 09:15:27, with a fraction or not, a year before or after the time of day or none, and a
// zone or none.
func readSyslog(c *cursor) (f fields, ok bool) {
	if f.month = named(c.letters(), months); f.month == 0 || !c.take(" ") {
		return f, false
	}
	c.take(" ")
	if f.day = c.number(1, 2); f.day < 0 || !c.take(" ") {
		return f, false
	}
	if f.year = c.number(4, 4); f.year >= 0 {
		c.take(" ")
	}
	if !c.clock(&f) {
		return f, false
	}
	if y := (cursor{strings.TrimPrefix(c.rest, " ")}); f.year < 0 {
		if f.year = y.number(4, 4); f.year >= 0 {
			c.rest = y.rest
		}
	}
	f.yearless = f.year < 0
	return f, c.zone(&f)
}

// readUS reads a date with the month first, in figures or by name.
func readUS(c *cursor) (fields, bool) {
	if c.rest != "" && c.rest[0] > '9' {
		return readNamedUS(c)
	}
	return readFigures(c, true)
}

// readEU reads a date in figures with the day first.
func readEU(c *cursor) (fields, bool) { return readFigures(c, false) }

// readFigures reads a date in figures with the year last, and a time of day after it.
func readFigures(c *cursor, monthFirst bool) (f fields, ok bool) {
	first := c.number(1, 2)
	sep := c.any("/.-")
	second := c.number(1, 2)
	if first < 0 || sep == 0 || second < 0 || c.any(string(sep)) == 0 {
		return f, false
	}
	if f.year = c.number(4, 4); f.year < 0 {
		f.year = century(c.number(2, 2))
	}
	if f.month, f.day = first, second; !monthFirst {
		f.month, f.day = second, first
	}
	c.take(",")
	if f.year < 0 || c.any(" T") == 0 {
		return f, false
	}
	ok = c.clock(&f) && c.zone(&f)
	return f, ok
}

// century returns the year of two digits, as POSIX has it: from 69 on they are of
// the last century. Negative stays negative.
func century(year int) int {
	switch {
	case year < 0:
		return year
	case year >= 69:
		return 1900 + year
	}
	return 2000 + year
}

// readC reads what C's asctime and the command date print: Mon Mar  2 09:15:27
// 2026, with the zone before the year or not; and what JavaScript prints: Mon Mar 02 2026
// 10:15:27 GMT+0100 (Central European Standard Time).
func readC(c *cursor) (f fields, ok bool) {
	if named(c.letters(), weekdays) == 0 || !c.take(" ") {
		return f, false
	}
	f.month = named(c.letters(), months)
	if f.month == 0 || !c.take(" ") {
		return f, false
	}
	c.take(" ")
	f.day = c.number(1, 2)
	if f.day < 0 || !c.take(" ") {
		return f, false
	}
	if f.year = c.number(4, 4); f.year >= 0 {
		ok = c.take(" ") && c.clock(&f) && c.zone(&f)
		return f, ok
	}
	if !c.clock(&f) || !c.take(" ") {
		return f, false
	}
	if c.rest != "" && c.rest[0]-'0' > 9 {
		if !c.zone(&f) || !c.take(" ") {
			return f, false
		}
	}
	f.year = c.number(4, 4)
	return f, f.year >= 0
}

// readDotNet reads /Date(1772442927123)/, milliseconds since 1970.
func readDotNet(c *cursor) (f fields, ok bool) {
	if !c.take("/Date(") {
		return f, false
	}
	digits, rest, _ := strings.Cut(c.rest, ")/")
	if i := strings.IndexAny(digits, "+-"); i > 0 {
		digits = digits[:i] // the zone in which it was shown; the number is of UTC
	}
	ms, ok := epoch(digits, 0)
	c.rest = rest
	return civil(ms), ok && ms >= 0
}

// The years from which others count, in milliseconds before 1970.
const (
	since1601 = 11_644_473_600_000
	since1    = 62_135_596_800_000
)

// readFileTime reads what Windows counts: tenths of microseconds since 1601.
func readFileTime(c *cursor) (fields, bool) { return readCount(c, -4, since1601) }

// readTicks reads what .NET counts: tenths of microseconds since the year 1.
func readTicks(c *cursor) (fields, bool) { return readCount(c, -4, since1) }

// readWebKit reads what Chrome counts: microseconds since 1601.
func readWebKit(c *cursor) (fields, bool) { return readCount(c, -3, since1601) }

// readCount reads a number of 10^unit milliseconds since a year before 1970.
func readCount(c *cursor, unit int, to1970 int64) (fields, bool) {
	ms, ok := epoch(c.rest, unit)
	c.rest = ""
	return civil(ms - to1970), ok && ms >= to1970
}
