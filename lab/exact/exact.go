// Package exact counts without any sketch: for every identity and hour the
// distinct records, first touches, rows and deletions, in sets that hold each
// record. It is what the lab's detectors are fed with, so that a comparison of
// detectors is not one of counters. It keeps all it has seen, so it is for logs
// that fit in memory.
package exact

import (
	"math"
	"slices"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// Measure is what is counted.
type Measure int

// The measures.
const (
	Distinct   Measure = iota // distinct records
	FirstTouch                // those that the identity had never touched
	Rows                      // rows of reports whose records the log does not name
	Deletes                   // distinct records deleted
	NumMeasures
)

// Counts are those of one identity in one hour.
type Counts struct {
	Hour [NumMeasures]float64 // of the hour alone
	Day  [NumMeasures]float64 // of its UTC day so far, the hour included
	Seen float64              // records that the identity had touched before this day
	Pool float64              // records that anybody has touched by now
}

// Row is one identity's hour. Only hours with an access have one.
type Row struct {
	ID    int    // index of the identity
	Group string // names its peers: what most of its accesses of the hour went through
	Counts
}

// Identity names one value of one dimension.
type Identity struct {
	Dim  int // index of the dimension
	Name string
}

// Counter counts a log whose events come in the order of time; one that comes
// late counts in the hour that is open.
type Counter struct {
	Names []Identity // by index

	dims   []event.Dimension
	peers  []int // by dimension the one that names the groups of its identities, or -1
	hasher event.Hasher
	index  map[Identity]int
	sets   []*sets
	pool   map[uint64]struct{}
	hour   int64
	open   bool
	active []int // of this hour
	buf    []byte
}

// sets is what is known of one identity.
type sets struct {
	seen, today, hour, deleted map[uint64]struct{}
	day                        int64
	known                      float64
	active                     bool
	through                    map[string]int // accesses of the hour by what names the group
	now                        Counts
}

// New returns a counter of the given dimensions. peers names, for each, the dimension
// whose identities name its groups, -1 for none; nil is none for all.
func New(dims []event.Dimension, peers []int) *Counter {
	return &Counter{dims: dims, peers: peers, hasher: event.FixedHasher(), index: map[Identity]int{}, pool: map[uint64]struct{}{}}
}

// Run counts the whole log and hands over each hour that has an access, in the
// order of time, with its rows in the order in which the identities were first
// seen. The rows are overwritten by the next hour.
func (c *Counter) Run(next func(*event.Event) bool, each func(hour int64, rows []Row)) {
	var ev event.Event
	var rows []Row
	for next(&ev) {
		if !ev.Action.Access() {
			continue
		}
		if at := eventtime.HourOf(ev.Time); c.open && at > c.hour {
			rows = c.end(rows[:0])
			each(c.hour, rows)
		}
		c.Observe(&ev)
	}
	if c.open {
		each(c.hour, c.end(rows[:0]))
	}
}

// Observe takes in one access.
func (c *Counter) Observe(ev *event.Event) {
	if at := eventtime.HourOf(ev.Time); !c.open || at > c.hour {
		c.hour, c.open = at, true
	}
	records := make([]uint64, len(ev.Records))
	for i, r := range ev.Records {
		records[i] = c.hasher.Hash(r)
		c.pool[records[i]] = struct{}{}
	}
	rows := math.Max(0, float64(ev.Rows)-float64(len(records)))
	names := make([]string, len(c.dims))
	for d := range c.dims {
		name, ok := c.dims[d].AppendIdentity(c.buf[:0], ev, c.hasher)
		c.buf = name[:0]
		if ok {
			names[d] = string(name)
		}
	}
	for d, name := range names {
		if name == "" {
			continue
		}
		s := c.identity(d, name)
		s.observe(c.hour/24, ev.Action, records, rows)
		if c.peers != nil && c.peers[d] >= 0 && names[c.peers[d]] != "" {
			s.through[names[c.peers[d]]]++
		}
	}
}

// identity returns the sets of an identity and notes that it is active.
func (c *Counter) identity(dim int, name string) *sets {
	id := Identity{dim, name}
	i, ok := c.index[id]
	if !ok {
		i = len(c.Names)
		c.index[id] = i
		c.Names = append(c.Names, id)
		c.sets = append(c.sets, &sets{day: -1, through: map[string]int{}, seen: map[uint64]struct{}{}, today: map[uint64]struct{}{}, hour: map[uint64]struct{}{}, deleted: map[uint64]struct{}{}})
	}
	s := c.sets[i]
	if !s.active {
		s.active = true
		c.active = append(c.active, i)
	}
	return s
}

func (s *sets) observe(day int64, action event.Action, records []uint64, rows float64) {
	if s.day != day {
		clear(s.today)
		clear(s.deleted)
		s.day, s.now.Day, s.known = day, [NumMeasures]float64{}, float64(len(s.seen))
	}
	for _, r := range records {
		s.add(Distinct, s.hour, s.today, r)
		if _, known := s.seen[r]; !known {
			s.seen[r] = struct{}{}
			s.now.Hour[FirstTouch]++
			s.now.Day[FirstTouch]++
		}
		if action == event.Delete {
			s.add(Deletes, nil, s.deleted, r)
		}
	}
	s.now.Hour[Rows] += rows
	s.now.Day[Rows] += rows
}

// add counts a record once in the hour and once in the day; without a set of
// the hour, once in the day altogether.
func (s *sets) add(m Measure, hour, day map[uint64]struct{}, r uint64) {
	_, today := day[r]
	if !today {
		day[r] = struct{}{}
		s.now.Day[m]++
	}
	if hour == nil {
		if !today {
			s.now.Hour[m]++
		}
	} else if _, had := hour[r]; !had {
		hour[r] = struct{}{}
		s.now.Hour[m]++
	}
}

// group returns what most accesses of the hour went through, the first by name of several.
func (s *sets) group() (name string) {
	for n, k := range s.through {
		if most := s.through[name]; k > most || k == most && n < name {
			name = n
		}
	}
	return name
}

// end closes the hour and appends its rows.
func (c *Counter) end(rows []Row) []Row {
	slices.Sort(c.active)
	for _, i := range c.active {
		s := c.sets[i]
		s.now.Seen, s.now.Pool = s.known, float64(len(c.pool))
		rows = append(rows, Row{i, s.group(), s.now})
		clear(s.through)
		s.active, s.now.Hour = false, [NumMeasures]float64{}
		clear(s.hour)
	}
	c.active = c.active[:0]
	return rows
}
