package simulate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/weirhq/weir/event"
)

// Truth is what really happened in the events that Next has given so far: whole
// once Next has returned false. Its JSON is described in docs/simulate.md.
type Truth struct {
	Scenario string    `json:"scenario"`
	Seed     uint64    `json:"seed"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"` // of the stream, or the last event so far
	Scale    float64   `json:"scale"`
	Events   int64     `json:"events"`
	Leaks    []Leak    `json:"leaks"`
	Benign   []Benign  `json:"benign"`
}

// Leak is one theft of customer records.
type Leak struct {
	Kind string `json:"kind"` // the scenario that describes it
	// Identities are, for each dimension in which the leak should be visible,
	// the identities it comes through, as weir writes them.
	Identities map[string][]string `json:"identities"`
	Start      time.Time           `json:"start"`   // first event, or the plan if there was none
	End        time.Time           `json:"end"`     // last event, or the plan if there was none
	Events     int64               `json:"events"`  // accesses
	Records    int64               `json:"records"` // distinct customers in them
	Rows       int64               `json:"rows"`    // rows whose customers the log does not name
	Deletes    int64               `json:"deletes"` // of Events, those that deleted
}

// Benign is a happening that may look like a leak and is none.
type Benign struct {
	Kind       string              `json:"kind"`
	Identities map[string][]string `json:"identities,omitempty"`
	Start      time.Time           `json:"start"`
	End        time.Time           `json:"end"`
	Note       string              `json:"note"`
}

// leak counts one theft while it is given out.
type leak struct {
	kind        string
	index       int
	identities  map[string][]string
	planned     int64
	first, last int64
	events      int64
	rows        int64
	deletes     int64
	seen        []uint64 // a bit for each customer
	victims     int64
}

// newLeak registers a theft that begins with the scenario's leak.
func (c *Company) newLeak(kind string, identities map[string][]string) *leak {
	l := &leak{kind: kind, index: len(c.leaks), identities: identities, planned: c.leakFrom}
	l.seen = make([]uint64, (c.customers.n+63)/64)
	c.leaks = append(c.leaks, l)
	return l
}

// count takes in one access of the leak.
func (l *leak) count(e *event.Event, rec int32, many []int32) {
	if !e.Action.Access() {
		return
	}
	if l.events == 0 {
		l.first = e.Time
	}
	l.last = e.Time
	l.events++
	l.rows += e.Rows
	if e.Action == event.Delete {
		l.deletes++
	}
	if rec != noRecord {
		l.mark(rec)
	}
	for _, r := range many {
		l.mark(r)
	}
}

func (l *leak) mark(r int32) {
	w, bit := &l.seen[r>>6], uint64(1)<<(r&63)
	l.victims += int64(bits.OnesCount64(bit &^ *w))
	*w |= bit
}

// Truth returns what is true of the events given so far.
func (c *Company) Truth() Truth {
	start, end := utc(c.start), utc(c.reached)
	t := Truth{Scenario: c.scenario.Name, Seed: c.opt.Seed, Start: start, End: end, Scale: c.opt.Scale, Events: c.emitted, Leaks: []Leak{}, Benign: []Benign{}}
	for _, l := range c.leaks {
		if l.events == 0 {
			l.first, l.last = l.planned, l.planned
		}
		t.Leaks = append(t.Leaks, Leak{
			Kind: l.kind, Identities: l.identities, Start: utc(l.first), End: utc(l.last),
			Events: l.events, Records: l.victims, Rows: l.rows, Deletes: l.deletes,
		})
	}
	for _, h := range c.happenings() {
		t.Benign = append(t.Benign, Benign{Kind: h.kind, Identities: h.identities, Start: utc(h.start), End: utc(h.end), Note: h.note})
	}
	return t
}

func utc(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// happenings returns the benign happenings that have begun so far, in the order
// of their start: the calendar's, people's comings, goings and time off, and
// incidents.
func (c *Company) happenings() []happening {
	all := append(slices.Clone(c.calendar.events), c.incidents...)
	for i := range c.staff {
		p := &c.staff[i]
		who := accounts(p.name)
		if p.joins > 0 {
			all = append(all, happening{kind: "join", start: p.joins, end: p.joins + day, identities: who, note: "a new colleague"})
		}
		if p.leaves > 0 {
			all = append(all, happening{kind: "leave", start: p.leaves, end: p.leaves, identities: who, note: "leaves the company"})
		}
		for n := p.vacation; p.vacation >= 0 && n < int64(c.calendar.days); n += 60 {
			from := c.calendar.origin + n*day
			all = append(all, happening{kind: "vacation", start: from, end: from + p.daysOff*day, identities: who, note: "away, then back"})
		}
	}
	all = slices.DeleteFunc(all, func(h happening) bool { return h.start >= c.reached || h.end < c.start })
	slices.SortStableFunc(all, func(a, b happening) int { return cmp.Compare(a.start, b.start) })
	return all
}

// JSON returns the truth as indented JSON with a line end.
func (t Truth) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the truth: %w", err)
	}
	return append(b, '\n'), nil
}
