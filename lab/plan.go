package lab

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// Plan is a leak of one identity in one log: the events to be added, in the
// order of time. Feed it the log's own events with Observe, and it tells which
// of its events come before each. It is for one run over the log.
type Plan struct {
	Leak     Leak
	Identity string  // whose; of Newcomer the account it is like, of Mules the first
	From, To int64   // event time, ms: the leak lies within
	Usual    float64 // its mean of distinct records on an active day before
	Role     string  // what the log says that it is; empty: nothing
	Work     string  // the endpoint through which it mostly works; empty: none

	events []event.Event // without records until they are due
	next   int
	known  map[string]bool // records that the thieves have touched
	who    map[string]bool // the thieves: identities of the leak's dimension
	rng    *rand.Rand
	pool   *pool
	dims   []event.Dimension
	dim    event.Dimension
	hasher event.Hasher
	marks  map[mark]*tally
	taken  []int64 // times of records taken, rising
	rows   int64
	buf    []byte
}

// mark is an identity that the leak goes through.
type mark struct {
	dim  int
	name string
}

// tally counts the accesses of an identity within the leak's time.
type tally struct{ own, stolen int }

// Plan lays out the leak for one identity that Choose returned. dims are the
// dimensions in which alerts will come.
func (p *Profile) Plan(l *Leak, identity string, dims []event.Dimension) (*Plan, error) {
	from, to, err := p.Window(l)
	if err != nil {
		return nil, err
	}
	h := p.identities[identity]
	if h == nil || len(p.pool.list) == 0 {
		return nil, fmt.Errorf("planning the leak: the log has no %s %q that touches records", l.Dimension, identity)
	}
	plan := &Plan{
		Leak: *l, Identity: identity, From: from, To: to, known: map[string]bool{}, who: map[string]bool{identity: true},
		rng: rand.New(rand.NewPCG(l.Seed, mix(p.hasher.Hash(identity)))), pool: &p.pool, dims: dims, dim: p.dim, hasher: p.hasher, marks: map[mark]*tally{},
	}
	plan.Usual, _ = h.mean(from)
	plan.Role, plan.Work = h.role, h.work()
	switch l.Kind {
	case Mules:
		plan.mules(p, h)
	case Newcomer:
		plan.newcomer(h)
	default:
		plan.work(h, 1, func(*event.Event) {})
	}
	slices.SortStableFunc(plan.events, func(a, b event.Event) int { return cmp.Compare(a.Time, b.Time) })
	plan.touch()
	return plan, nil
}

// perDay returns how much is stolen on the n-th day by an identity that usually
// touches so many records a day.
func (l *Leak) perDay(n int64, usual float64) float64 {
	switch {
	case l.Rate.Growth > 0:
		return usual * (math.Pow(1+l.Rate.Growth, float64(n+1)) - 1)
	case l.Rate.Times > 0 && l.Kind == Newcomer:
		return usual * l.Rate.Times // there is no work of its own
	case l.Rate.Times > 0:
		return usual * (l.Rate.Times - 1)
	}
	return l.Rate.PerDay
}

// work adds what one identity steals, in the hours in which the log has it at
// work: share of the rate, in events like its own that change then alters.
func (p *Plan) work(h *habits, share float64, change func(*event.Event)) {
	usual, _ := h.mean(p.From)
	hours := h.activeIn(p.From, p.To)
	for len(hours) > 0 {
		day := hours[0] / 24
		end := 0
		for end < len(hours) && hours[end]/24 == day {
			end++
		}
		n := poisson(p.rng, share*p.Leak.perDay((hours[0]*eventtime.Hour-p.From)/eventtime.Day, usual))
		if p.Leak.Kind == Report {
			n = 1
		}
		for range n {
			at := hours[p.rng.IntN(end)]*eventtime.Hour + p.rng.Int64N(eventtime.Hour)
			p.add(h, at, change)
		}
		hours = hours[end:]
	}
}

func (p *Plan) add(h *habits, at int64, change func(*event.Event)) {
	ev := *h.templates[p.rng.IntN(len(h.templates))]
	ev.Time, ev.ID, ev.Records, ev.Rows, ev.Notes = at, "", nil, 0, 0
	switch p.Leak.Kind {
	case Report:
		ev.Action, ev.Rows = event.Export, int64(math.Round(p.Leak.Rate.PerDay))
	case Forged:
		ev.Action = event.Read
		ev.Session = fmt.Sprintf("forged-%016x", p.rng.Uint64())
		ev.IP = fmt.Sprintf("198.%d.%d.%d", 18+p.rng.IntN(2), p.rng.IntN(256), 1+p.rng.IntN(250)) // RFC 2544: nobody's own
	default:
		if ev.Action == event.Update || ev.Action == event.Delete {
			ev.Action = event.Read
		}
	}
	change(&ev)
	p.events = append(p.events, ev)
}

// newcomer works at the hours of the identity that it is like, through its network.
func (p *Plan) newcomer(h *habits) {
	name := "injected-newcomer"
	p.who = map[string]bool{name: true}
	session := fmt.Sprintf("injected-%016x", p.rng.Uint64())
	p.work(h, 1, func(ev *event.Event) { ev.Actor, ev.Session = name, session })
	if len(p.events) == 0 {
		return
	}
	first := slices.MinFunc(p.events, func(a, b event.Event) int { return cmp.Compare(a.Time, b.Time) })
	join := event.Event{Time: first.Time, Action: event.Join, Actor: "injected-hr", Subject: name}
	login := first
	login.Action = event.Login
	p.events = append([]event.Event{join, login}, p.events...)
}

// mules spreads the leak over accounts about the chosen one, through one network.
func (p *Plan) mules(prof *Profile, h *habits) {
	list := prof.qualifying(&p.Leak, p.From, p.To)
	at := slices.Index(list, h)
	n := min(p.Leak.Accounts, len(list))
	lo := min(max(at-n/2, 0), len(list)-n)
	p.who = map[string]bool{}
	share := 1.0
	if p.Leak.Rate.PerDay > 0 {
		share = 1 / float64(n)
	}
	for i, m := range list[lo : lo+n] {
		p.who[m.name] = true
		ip := fmt.Sprintf("198.18.77.%d", 1+i%250)
		p.work(m, share, func(ev *event.Event) { ev.IP = ip })
	}
}

// touch finds the identities that the leak goes through, in every dimension.
func (p *Plan) touch() {
	for i := range p.events {
		if !p.events[i].Action.Access() {
			continue
		}
		p.each(&p.events[i], func(m mark) {
			if p.marks[m] == nil {
				p.marks[m] = &tally{}
			}
		})
	}
}

func (p *Plan) each(ev *event.Event, yield func(mark)) {
	for i := range p.dims {
		id, ok := p.dims[i].AppendIdentity(p.buf[:0], ev, p.hasher)
		p.buf = id
		if ok {
			yield(mark{i, string(id)})
		}
	}
}

// Due returns the added events of times up to now, one at a time, and nil when
// the rest is later. The event is the caller's until the next call.
func (p *Plan) Due(now int64) *event.Event {
	if p.next == len(p.events) || p.events[p.next].Time > now {
		return nil
	}
	ev := &p.events[p.next]
	p.next++
	if !ev.Action.Access() {
		return ev
	}
	if p.Leak.Kind != Report {
		record, ok := p.pool.draw(p.rng, p.known)
		if !ok {
			return p.Due(now) // nothing is left that they do not know
		}
		p.known[record] = true
		ev.Records = []string{record}
		if p.Leak.Kind == Forged {
			ev.Actor = record // the token is the customer's
		}
		p.taken = append(p.taken, ev.Time)
	}
	p.rows += ev.Rows
	p.each(ev, func(m mark) {
		if t := p.marks[m]; t != nil {
			t.stolen++
		}
	})
	return ev
}

// Observe takes in an event of the log itself.
func (p *Plan) Observe(ev *event.Event) {
	if !ev.Action.Access() {
		return
	}
	if id, ok := p.dim.AppendIdentity(p.buf[:0], ev, p.hasher); ok {
		p.buf = id
		if p.who[string(id)] {
			for _, r := range ev.Records {
				if !p.known[r] {
					p.known[string([]byte(r))] = true
				}
			}
		}
	}
	if ev.Time < p.From || ev.Time >= p.To {
		return
	}
	p.each(ev, func(m mark) {
		if t := p.marks[m]; t != nil {
			t.own++
		}
	})
}

// Taken returns when each record was taken so far, event time in ms, rising.
func (p *Plan) Taken() []int64 { return p.taken }

// Over reports whether the log has gone so far past the leak that nothing of it
// can still be found in time.
func (p *Plan) Over(now int64) bool { return now > p.To+eventtime.Day }

// poisson draws a count: by multiplication where the mean is small (Knuth), else by the
// normal approximation.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 200 {
		return int(max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	n, p, limit := 0, 1.0, math.Exp(-mean)
	for {
		if p *= rng.Float64(); p <= limit {
			return n
		}
		n++
	}
}
