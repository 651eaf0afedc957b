package simulate

import (
	"fmt"
	"time"

	"github.com/weirhq/weir/event"
)

// happening is a stretch of benign life that a detector may stumble over.
type happening struct {
	kind       string
	start, end int64
	note       string
	identities map[string][]string
}

// The kinds of happenings that the calendar plans.
const (
	release  = "release"
	rotation = "key-rotation"
	campaign = "campaign"
	outage   = "outage"
)

// calendar holds what happens to the whole company. It repeats after at most
// four weeks and is squeezed into shorter runs, so that two weeks has it all.
// The campaign is over when leaks usually begin: a leak that starts on a day on
// which everything triples would test little else.
type calendar struct {
	origin int64
	days   int
	cycle  int // days
	quiet  bool
	events []happening
}

// newCalendar plans the company's life. A quiet one has people's own ups and
// downs only.
func newCalendar(origin int64, days int, quiet bool) calendar {
	c := calendar{origin: origin, days: days, cycle: min(max(days, 7), 28), quiet: quiet}
	if quiet {
		return c
	}
	for base, n := 0, 1; base < days; base, n = base+c.cycle, n+1 {
		at := func(share int, ofDay int64) int64 { return c.workday(base+c.cycle*share/100) + ofDay }
		c.add(release, at(15, 6*hour), 7*day, fmt.Sprintf("release %d of web, mobile and services", n))
		c.add(rotation, at(33, 4*hour), day, fmt.Sprintf("signing key web-k%d gives way to web-k%d", n, n+1))
		c.add(campaign, at(50, 0), day, "campaign day: three times the customers")
		c.add(outage, at(78, 13*hour), 3*hour, "the shop and its services stand still")
	}
	return c
}

// add plans a happening if it begins within the run.
func (c *calendar) add(kind string, start, length int64, note string) {
	if start < c.origin+int64(c.days)*day {
		c.events = append(c.events, happening{kind: kind, start: start, end: start + length, note: note})
	}
}

// workday returns the midnight of the first weekday from the n-th day on.
func (c *calendar) workday(n int) int64 {
	t := c.origin + int64(n)*day
	for weekend(t) {
		t += day
	}
	return t
}

// versions returns how many versions of each application the run sees.
func (c *calendar) versions() int { return 1 + c.count(release) }

func (c *calendar) count(kind string) int {
	n := 0
	for i := range c.events {
		if c.events[i].kind == kind {
			n++
		}
	}
	return n
}

// weather is what holds for the whole company in one hour.
type weather struct {
	campaign  bool
	outage    bool
	weekend   bool
	hourOfDay int
	version   int   // index of the newest application version
	released  int64 // when it came out; 0 if before the run
	webKey    int   // index of the web signing key that signs new tokens
	rotated   int64 // when it took over; 0 if before the run
}

// weather returns the state of the company's world in the hour that begins at t.
func (c *calendar) weather(t int64) weather {
	w := weather{weekend: weekend(t), hourOfDay: int(t % day / hour), webKey: keyWeb}
	for i := range c.events {
		h := &c.events[i]
		if t < h.start {
			continue
		}
		inside := t < h.end
		switch h.kind {
		case release:
			w.version, w.released = w.version+1, h.start
		case rotation:
			w.webKey, w.rotated = w.webKey+1, h.start
		case campaign:
			w.campaign = w.campaign || inside
		case outage:
			w.outage = w.outage || inside
		}
	}
	return w
}

// Signing keys by index; the web keys are last since they rotate.
const (
	keyNone = iota
	keyStaff
	keyService
	keyMobile // old, never rotated: long-lived tokens of the mobile app
	keyWeb
)

// keyNames returns the names of the signing keys.
func (c *calendar) keyNames() []string {
	names := []string{"", "sso-k1", "svc-k1", "mobile-k1"}
	for i := range c.count(rotation) + 1 {
		names = append(names, fmt.Sprintf("web-k%d", i+1))
	}
	return names
}

// calendarHour reports the facts of the key register: the new web key when it
// takes over, the old one's retirement a day later.
func (c *Company) calendarHour() {
	for i := range c.calendar.events {
		h := &c.calendar.events[i]
		if h.kind != rotation {
			continue
		}
		if h.start == c.slot {
			c.keyFact(event.Issue, c.now.webKey, c.slot)
		}
		if h.end == c.slot {
			c.keyFact(event.Retire, c.now.webKey-1, c.slot)
		}
	}
}

func (c *Company) keyFact(a event.Action, key int, at int64) {
	c.slate.add(item{at: at, action: a, actor: c.keyManager, subject: nobody, aboutKey: true, key: int16(key), rec: noRecord})
}

// weekend reports whether the day of t is a Saturday or Sunday.
func weekend(t int64) bool {
	d := time.UnixMilli(t).UTC().Weekday()
	return d == time.Saturday || d == time.Sunday
}

// weekday returns the day of the week of t, Monday 0.
func weekday(t int64) int {
	return int(time.UnixMilli(t).UTC().Weekday()+6) % 7
}

// outageAt returns the outage that the hour at t lies in, which there must be.
func (c *calendar) outageAt(t int64) *happening {
	for i := range c.events {
		if h := &c.events[i]; h.kind == outage && h.start <= t && t < h.end {
			return h
		}
	}
	return nil
}
