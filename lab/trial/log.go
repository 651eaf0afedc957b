package trial

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/lab/exact"
	"github.com/weirhq/weir/simulate"
)

// Log is a log in memory, counted by user.
type Log struct {
	Name    string
	Names   []exact.Identity
	Hours   []Hour
	touches []touch // in the order of time
	records int
	actors  []actor // by identity
	first   []int64 // hour of a record's first touch, by record; records are numbered by it
}

// Hour is one hour with work.
type Hour struct {
	Hour int64
	Rows []exact.Row
}

// touch is one access of a record.
type touch struct {
	hour          int64
	actor, record int32
}

// actor is what leaks are drawn from: the days with work of one user.
type actor struct {
	days  []workday
	known map[int32]int64 // hour of its first touch of a record
}

// workday is a day with work.
type workday struct {
	day      int64
	distinct float64
	touches  []touch
}

var userOnly = event.DefaultDimensions()[:1]

// ReadLog reads a file of native events.
func ReadLog(name, path string) (*Log, error) {
	file, err := files.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	defer file.Close()
	format, err := files.LoadFormat("native")
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	lines, dec := files.NewReader(file, format), format.NewDecoder()
	var fault error
	l := newLog(name, func(ev *event.Event) bool {
		for {
			line, _, err := lines.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					fault = err
				}
				return false
			}
			got := false
			dec.Decode(line, func(e *event.Event, _ *event.Reject) {
				if e != nil {
					*ev, got = *e, true
				}
			})
			if got {
				return true
			}
		}
	})
	if fault != nil {
		return nil, fmt.Errorf("reading the log %s: %w", path, fault)
	}
	return l, nil
}

// Simulated returns the log of a company in which nothing is stolen. Customers,
// who read their own records, are left out: nobody steals as one here.
func Simulated(name string, opt simulate.Options) (*Log, error) {
	opt.Scenario = "calm"
	c, err := simulate.New(opt)
	if err != nil {
		return nil, fmt.Errorf("making the company: %w", err)
	}
	return newLog(name, func(ev *event.Event) bool {
		for c.Next(ev) {
			if !customer(ev.Actor) {
				return true
			}
		}
		return false
	}), nil
}

// customer reports whether an account of the simulated company is a customer's.
func customer(name string) bool {
	return len(name) > 1 && name[0] == 'u' && name[1] >= '0' && name[1] <= '9'
}

// newLog counts the events that next gives.
func newLog(name string, next func(*event.Event) bool) *Log {
	l := &Log{Name: name}
	counter, hasher := exact.New(userOnly, nil), event.FixedHasher()
	records, users := map[uint64]int32{}, map[string]int32{}
	counter.Run(func(ev *event.Event) bool {
		if !next(ev) {
			return false
		}
		if !ev.Action.Access() || ev.Actor == "" {
			return true
		}
		u, ok := users[ev.Actor]
		if !ok {
			u = int32(len(users))
			users[string([]byte(ev.Actor))] = u
		}
		hour := eventtime.HourOf(ev.Time)
		if n := len(l.touches); n > 0 {
			hour = max(hour, l.touches[n-1].hour)
		}
		for _, r := range ev.Records {
			h := hasher.Hash(r)
			at, ok := records[h]
			if !ok {
				at = int32(len(records))
				records[h] = at
				l.first = append(l.first, hour)
			}
			l.touches = append(l.touches, touch{hour, u, at})
		}
		return true
	}, func(hour int64, rows []exact.Row) {
		l.Hours = append(l.Hours, Hour{hour, append([]exact.Row(nil), rows...)})
	})
	l.Names, l.records = counter.Names, len(records)
	l.index()
	return l
}

// index gathers the days of each actor.
func (l *Log) index() {
	l.actors = make([]actor, len(l.Names))
	for i := range l.actors {
		l.actors[i].known = map[int32]int64{}
	}
	for _, t := range l.touches {
		a := &l.actors[t.actor]
		if _, ok := a.known[t.record]; !ok {
			a.known[t.record] = t.hour
		}
		if n := len(a.days); n == 0 || a.days[n-1].day != t.hour/24 {
			a.days = append(a.days, workday{day: t.hour / 24})
		}
		d := &a.days[len(a.days)-1]
		d.touches = append(d.touches, t)
	}
	for i := range l.actors {
		for j := range l.actors[i].days {
			d := &l.actors[i].days[j]
			seen := map[int32]bool{}
			for _, t := range d.touches {
				seen[t.record] = true
			}
			d.distinct = float64(len(seen))
		}
	}
}

// at returns the hour at a share of the log's time.
func (l *Log) at(share float64) int64 {
	from, to := l.Hours[0].Hour, l.Hours[len(l.Hours)-1].Hour
	return from + int64(share*float64(to-from))
}

// between returns the touches of the hours from..to-1.
func (l *Log) between(from, to int64) []touch {
	i := sort.Search(len(l.touches), func(i int) bool { return l.touches[i].hour >= from })
	j := sort.Search(len(l.touches), func(i int) bool { return l.touches[i].hour >= to })
	return l.touches[i:max(i, j)]
}
