package timeform

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the regions are the same on each host
)

// zone is what was written of the zone.
type zone struct {
	known   bool
	minutes int            // east of UTC, where known
	name    string         // an abbreviation that only a given zone can explain, such as KST
	region  *time.Location // where the time was written, if it says so
}

// zone takes what is written of the zone: Z, UTC, GMT, an offset with or without
// colon or minutes, an offset after UTC or GMT, an abbreviation, and a region, bare or in
// brackets. Nothing at all is a zone that is not known.
func (c *cursor) zone(f *fields) bool {
	c.take(" ")
	if c.region(f) {
		return true
	}
	word := c.letters()
	switch strings.ToUpper(word) {
	case "Z", "UTC", "GMT", "UT":
		f.zone.known = true
	case "":
	default:
		f.zone.name = word
		return len(word) <= 5 && c.tags(f)
	}
	if sign := c.any("+-"); sign != 0 {
		if strings.EqualFold(word, "Z") || !c.offset(f, sign) {
			return false
		}
		if len(c.rest) > 1 && c.rest[0] == ' ' && c.rest[1] >= 'A' {
			c.take(" ")
			c.letters() // its abbreviation, which says the same
		}
		if c.take(" m=") { // Go's monotonic clock
			c.any("+-")
			c.rest = strings.TrimLeft(c.rest, "0123456789.")
		}
	}
	return c.tags(f) && c.comment()
}

// comment takes a comment in parentheses, which names the zone once more, as mail and Java
// write it.
func (c *cursor) comment() bool {
	if !strings.HasPrefix(c.rest, " (") {
		return true
	}
	_, rest, closed := strings.Cut(c.rest, ")")
	c.rest = rest
	return closed
}

// maxTag is the longest tag of a time in bytes.
const maxTag = 40

// tags takes what RFC 9557 and Java write in brackets behind a time: the region of its
// zone, and others that do not change it. The region counts where no offset is known.
func (c *cursor) tags(f *fields) bool {
	for c.take("[") {
		tag, rest, closed := strings.Cut(c.rest, "]")
		if !closed || tag == "" || len(tag) > maxTag {
			return false
		}
		c.rest = rest
		if f.zone.known || f.zone.region != nil || strings.Contains(tag, "=") {
			continue
		}
		if f.zone.region = located(strings.TrimPrefix(tag, "!")); f.zone.region == nil {
			return false
		}
	}
	return true
}

// region takes the name of a region, such as Europe/Berlin; false, and nothing, if none is
// next.
func (c *cursor) region(f *fields) bool {
	slash := strings.IndexByte(c.rest, '/')
	if slash <= 0 || c.rest[0] < 'A' {
		return false
	}
	end := 0
	for end < len(c.rest) && (c.rest[end]|0x20 >= 'a' && c.rest[end]|0x20 <= 'z' || strings.IndexByte("/_-+0123456789", c.rest[end]) >= 0) {
		end++
	}
	if end < slash || end > maxTag {
		return false
	}
	if f.zone.region = located(c.rest[:end]); f.zone.region == nil {
		return false
	}
	c.rest = c.rest[end:]
	return true
}

// locations are the regions that were met, by name; there are some six hundred.
var locations sync.Map

// located returns the zone of a region; nil if there is none of that name.
func located(name string) *time.Location {
	if where, ok := locations.Load(name); ok {
		return where.(*time.Location)
	}
	where, err := time.LoadLocation(name)
	if err != nil || name == "Local" { // which is another on each host
		return nil
	}
	locations.Store(name, where)
	return where
}

// offset takes an offset from UTC, from after its sign.
func (c *cursor) offset(f *fields, sign byte) bool {
	h, m := c.number(2, 2), 0
	if h < 0 {
		h = c.number(1, 1)
	}
	if c.take(":") || c.rest != "" && c.rest[0]-'0' < 10 {
		m = c.number(2, 2)
	}
	if h < 0 || h > 23 || m < 0 || m > 59 {
		return false
	}
	f.zone.known, f.zone.minutes = true, h*60+m
	if sign == '-' {
		f.zone.minutes = -f.zone.minutes
	}
	return true
}
