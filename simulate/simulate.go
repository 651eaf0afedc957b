// Package simulate makes the traffic of a company whose truth is known: staff,
// services and customers who read customer records, the ordinary upheavals of
// their life, and, if the scenario has one, a leak.
//
// It is what tests, the demonstration and the docker-compose example feed weir
// with. A stream depends on the options alone, byte for byte, on every machine:
// chance comes from seeded PCG generators, one for each actor, and all the
// arithmetic on it is in integers. A leak only ever adds: the events of any
// scenario, less those its leaks added, are the events of "calm" with the same
// seed, so that a detector can be held against the silent twin of every leak.
package simulate

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// Times are in Unix milliseconds, durations in milliseconds.
const (
	second int64 = 1000
	minute       = eventtime.Minute
	hour         = eventtime.Hour
	day          = eventtime.Day
)

// Limits of the options.
const (
	MaxDays  = 3660
	MinScale = 0.05
	MaxScale = 100
)

// DefaultStart is the Monday on which a company begins unless told otherwise.
var DefaultStart = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// Options say which company, for how long, and what befalls it. The zero value
// of every field but Scenario has a default.
type Options struct {
	Scenario string    // one of Scenarios
	Seed     uint64    // another seed is another company
	Days     int       // length of the stream; 0: the scenario's own
	Start    time.Time // first instant; zero: DefaultStart. Office hours are in UTC.

	// Scale is the size of the company: 0 is the scenario's own, 1 means 150
	// staff, 200,000 customers and about 35,000 events a working day. What one
	// person does in an hour does not depend on it.
	Scale float64

	LeakStart  time.Time // when the leak begins; zero: the scenario's own
	LeakFactor float64   // multiplies the leak's rate; 0: 1

	// Backlog makes the outage one of the log instead of the shop: its events
	// happen, but come after it, in one burst, behind later ones. It is the
	// only way in which a stream leaves the order of time.
	Backlog bool
}

// Company is one running simulation. It is for one goroutine.
type Company struct {
	opt      Options
	scenario *scenario
	start    int64 // first instant of the stream
	end      int64 // first instant after it
	slot     int64 // start of the hour that is made next
	leakFrom int64
	leakMul  int64 // fixed point

	customers customers
	names     []string // actors and subjects that are not customers
	keys      []string
	clients   []string
	calendar  calendar
	staff     []person
	services  []service
	crowd     crowd
	incidents []happening // engineers' bursts so far
	leaks     []*leak
	extras    []func(*Company) // what the scenario adds, hour by hour

	hr, keyManager int32 // names of the systems that report facts

	slate   slate
	now     weather   // what holds in the hour being made
	ids     [2]serial // of the calm company, of what the scenario adds
	tokens  [2]serial // likewise
	emitted int64
	reached int64 // time up to which Next has given everything, but for a backlog
	last    int   // leak of the event that Next gave last, or -1
}

// New returns the company that the options describe. The error names the valid
// scenarios or the range that an option must be in.
func New(opt Options) (*Company, error) {
	sc := findScenario(opt.Scenario)
	if sc == nil {
		return nil, fmt.Errorf("choosing the scenario: no scenario %q, choose one of: %s", opt.Scenario, strings.Join(scenarioNames(), ", "))
	}
	if opt.Days == 0 {
		opt.Days = sc.Days
	}
	if opt.Days < 1 || opt.Days > MaxDays {
		return nil, fmt.Errorf("setting the days: %d is not in 1..%d", opt.Days, MaxDays)
	}
	if opt.Scale == 0 {
		opt.Scale = sc.Scale
	}
	if !(opt.Scale >= MinScale && opt.Scale <= MaxScale) {
		return nil, fmt.Errorf("setting the scale: %v is not in %v..%v", opt.Scale, MinScale, MaxScale)
	}
	if opt.LeakFactor == 0 {
		opt.LeakFactor = 1
	}
	if !(opt.LeakFactor > 0 && opt.LeakFactor <= 1000) {
		return nil, fmt.Errorf("setting the leak factor: %v is not above 0 and at most 1000", opt.LeakFactor)
	}
	if opt.Start.IsZero() {
		opt.Start = DefaultStart
	}
	if s := opt.Start.UnixMilli(); s < event.MinTime || s >= event.MaxTime-int64(opt.Days)*day {
		return nil, fmt.Errorf("setting the start: %d days from %s are not in %s..%s", opt.Days,
			opt.Start.UTC().Format(time.DateOnly), utc(event.MinTime).Format(time.DateOnly), utc(event.MaxTime).Format(time.DateOnly))
	}
	c := &Company{opt: opt, scenario: sc, last: -1}
	c.build()
	return c, nil
}

// build lays out everything that does not change while the stream runs.
func (c *Company) build() {
	c.start = c.opt.Start.UnixMilli()
	c.end = c.start + int64(c.opt.Days)*day
	origin := c.start - c.start%day
	c.slot, c.reached = origin, c.start
	c.leakMul = int64(math.Round(c.opt.LeakFactor * one))
	c.ids = [2]serial{newSerial(c.opt.Seed, calmIDs), newSerial(c.opt.Seed, extraIDs)}
	c.tokens = [2]serial{newSerial(c.opt.Seed, calmTokens), newSerial(c.opt.Seed, extraTokens)}
	c.calendar = newCalendar(origin, c.opt.Days, c.scenario.quiet)
	c.customers = newCustomers(min(max(c.scaled(200_000), 20_000), 5_000_000))
	c.keys = c.calendar.keyNames()
	c.clients = clientNames(c.calendar.versions())
	c.hr, c.keyManager = c.name("hr-sync"), c.name("key-manager")
	c.hireStaff()
	c.startServices()
	c.crowd = c.newCrowd()
	c.leakFrom = c.scenario.leakStart(origin, c.opt.Days)
	if !c.opt.LeakStart.IsZero() {
		c.leakFrom = c.opt.LeakStart.UnixMilli()
	}
	if c.scenario.plant != nil {
		c.scenario.plant(c)
	}
}

// Next puts the next event in ev and reports whether there was one. Events come
// in the order of time (but see Options.Backlog). Their strings stay valid; the
// slice of records is the company's own and must not be written to.
func (c *Company) Next(ev *event.Event) bool {
	for {
		for c.slate.pos == len(c.slate.out) {
			if c.slot >= c.end {
				c.reached = c.end
				return false
			}
			c.makeHour()
		}
		p := c.slate.pos
		c.slate.pos++
		e := &c.slate.out[p]
		if e.Time < c.start || e.Time >= c.end {
			continue
		}
		c.last = int(c.slate.leak[p])
		if c.last >= 0 {
			c.leaks[c.last].count(e, c.slate.items[p].rec, c.slate.recordsOf(p))
		}
		c.emitted++
		c.reached = max(c.reached, e.Time)
		*ev = *e
		return true
	}
}

// Leak returns the index in Truth().Leaks of the leak that the last event of
// Next belongs to, or -1 if it is benign.
func (c *Company) Leak() int { return c.last }

// Events returns how many events Next has given.
func (c *Company) Events() int64 { return c.emitted }

// Span returns the first instant of the stream and the first one after it.
func (c *Company) Span() (start, end time.Time) {
	return time.UnixMilli(c.start).UTC(), time.UnixMilli(c.end).UTC()
}

// makeHour plans one hour of everyone's life and renders it in order.
func (c *Company) makeHour() {
	c.slate.begin(c.slot, c.slot+hour)
	c.now = c.calendar.weather(c.slot)
	if c.slot%day == 0 {
		c.planStaffDay()
	}
	c.calendarHour()
	c.staffHour()
	c.servicesHour()
	c.crowdHour()
	c.slate.extra = true
	for _, act := range c.extras {
		act(c)
	}
	c.slate.extra = false
	c.slot += hour
	c.render()
}

// name adds an actor's name and returns its number.
func (c *Company) name(s string) int32 {
	c.names = append(c.names, s)
	return int32(len(c.names) - 1)
}

// scaled returns n times the scale, at least 1.
func (c *Company) scaled(n int) int {
	return max(1, int(math.Round(float64(n)*c.opt.Scale)))
}

// scaledRate returns a rate (see dice.gap) times the scale.
func (c *Company) scaledRate(perHour float64) int64 {
	return max(1, int64(math.Round(perHour*c.opt.Scale*1000)))
}
