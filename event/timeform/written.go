package timeform

import (
	"strings"
)

// readISO reads what begins with the year: ISO 8601 in its long and short form,
// and what databases and programs print that is like it.
func readISO(c *cursor) (f fields, ok bool) {
	if f.year = c.number(4, 4); f.year < 0 {
		return f, false
	}
	sep := c.any("-/.")
	f.month = c.number(2, 2)
	if sep != 0 && c.any(string(sep)) == 0 {
		return f, false
	}
	if f.day = c.number(2, 2); f.month < 0 || f.day < 0 {
		return f, false
	}
	split := c.any("Tt _:")
	if split == 0 && sep != 0 || split == ':' && sep == 0 {
		return f, false
	}
	if len(c.rest) > 2 && c.rest[2] == ':' {
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
	if f.year = c.number(4, 4); f.year < 0 || !c.take(":") {
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
// 2026, with the zone before the year or not.
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
	if f.day < 0 || !c.take(" ") || !c.clock(&f) || !c.take(" ") {
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

// readFileTime reads what Windows counts: tenths of microseconds since 1601.
func readFileTime(c *cursor) (f fields, ok bool) {
	const to1970 = 11_644_473_600_000 // milliseconds
	ms, ok := epoch(c.rest, -4)
	c.rest = ""
	return civil(ms - to1970), ok && ms >= to1970
}
