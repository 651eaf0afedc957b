package lab

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// Profile is what a log tells of the identities of one dimension: how much each
// does on a day, at which hours, by what means. It takes the log's events in
// about the order of time, and is what leaks are planned from.
type Profile struct {
	dim         event.Dimension
	hasher      event.Hasher
	seed        uint64
	identities  map[string]*habits
	pool        pool
	first, last int64 // event time, ms
	buf         []byte
}

// habits are those of one identity.
type habits struct {
	name      string
	today     int64 // day number that records belongs to
	records   []uint64
	days      []activeDay
	hours     []int64 // hours since 1970 in which it was active, rising
	templates []*event.Event
	seen      int    // accesses
	role      string // what the log says last that it is; empty: nothing
}

// activeDay is one day on which an identity touched records.
type activeDay struct {
	day      int64 // since 1970
	distinct float64
}

// templatesKept is how many of an identity's events are kept as patterns for
// what is added.
const templatesKept = 8

// NewProfile returns an empty profile of the identities of a dimension.
func NewProfile(dim event.Dimension, hasher event.Hasher, seed uint64) *Profile {
	return &Profile{dim: dim, hasher: hasher, seed: seed, identities: map[string]*habits{}}
}

// Observe takes in one event of the log. It keeps no reference to ev.
func (p *Profile) Observe(ev *event.Event) {
	if p.first == 0 || ev.Time < p.first {
		p.first = ev.Time
	}
	p.last = max(p.last, ev.Time)
	if !ev.Action.Access() {
		return
	}
	for _, r := range ev.Records {
		p.pool.add(p.hasher.Hash(r), r)
	}
	id, ok := p.dim.AppendIdentity(p.buf[:0], ev, p.hasher)
	p.buf = id
	if !ok || len(ev.Records) == 0 {
		return
	}
	h := p.identities[string(id)]
	if h == nil {
		h = &habits{name: string(id)}
		p.identities[h.name] = h
	}
	h.observe(ev, p.hasher, p.seed)
}

func (h *habits) observe(ev *event.Event, hasher event.Hasher, seed uint64) {
	if day := eventtime.DayOf(ev.Time); day > h.today {
		h.endDay()
		h.today = day
	}
	for _, r := range ev.Records {
		h.records = append(h.records, hasher.Hash(r))
	}
	if len(h.records) > 4096 {
		h.records = unique(h.records)
	}
	if hour := eventtime.HourOf(ev.Time); len(h.hours) == 0 || hour > h.hours[len(h.hours)-1] {
		h.hours = append(h.hours, hour)
	}
	if ev.Role != "" {
		h.role = string([]byte(ev.Role))
	}
	// A uniform sample of its events (Vitter 1985, algorithm R).
	h.seen++
	if len(h.templates) < templatesKept {
		h.templates = append(h.templates, ev.Clone())
	} else if at := mix(seed^uint64(h.seen)) % uint64(h.seen); at < templatesKept {
		h.templates[at] = ev.Clone()
	}
}

func (h *habits) endDay() {
	if len(h.records) > 0 {
		h.days = append(h.days, activeDay{h.today, float64(len(unique(h.records)))})
		h.records = h.records[:0]
	}
}

func unique(list []uint64) []uint64 {
	slices.Sort(list)
	return slices.Compact(list)
}

// mix is the finisher of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// End closes the last day. Nothing may be observed after it.
func (p *Profile) End() {
	for _, h := range p.identities {
		h.endDay()
	}
	p.pool.settle()
}

// mean returns the identity's mean of distinct records on its active days
// before a time, and on how many days it rests.
func (h *habits) mean(before int64) (mean float64, days int) {
	for _, d := range h.days {
		if (d.day+1)*eventtime.Day <= before {
			mean += d.distinct
			days++
		}
	}
	return mean / max(float64(days), 1), days
}

// activeIn returns the hours within [from, to) in which the identity worked.
func (h *habits) activeIn(from, to int64) []int64 {
	lo, _ := slices.BinarySearch(h.hours, (from+eventtime.Hour-1)/eventtime.Hour)
	hi, _ := slices.BinarySearch(h.hours, eventtime.HourOf(to))
	return h.hours[lo:max(lo, hi)]
}

// What an identity needs for a leak of it to be a fair test.
const (
	daysBefore = 5 // active days to learn from
	daysWithin = 2 // active days within the leak
	// ownRecords is up to how many distinct records on an active day are taken for
	// one's own: customers who look at themselves.
	ownRecords = 1.5
)

// work returns the endpoint through which the identity mostly works, by a sample of
// its events; empty: they name none.
func (h *habits) work() (most string) {
	n := map[string]int{}
	for _, ev := range h.templates {
		if ev.Endpoint == "" {
			continue
		}
		n[ev.Endpoint]++
		if c := n[ev.Endpoint]; c > n[most] || c == n[most] && ev.Endpoint < most {
			most = ev.Endpoint
		}
	}
	return most
}

// qualifying returns the identities that a leak can be tried with, by mean of an
// active day and then by name: those of the leak's role and work and, where it asks
// for neither, those who do not only read their own record, if there are any.
func (p *Profile) qualifying(l *Leak, from, to int64) []*habits {
	type sized struct {
		h    *habits
		mean float64
	}
	var list []sized
	for _, h := range p.identities {
		mean, days := h.mean(from)
		asked := (l.Role == "" || h.role == l.Role) && (l.Work == "" || h.work() == l.Work)
		if asked && days >= daysBefore && activeDays(h.activeIn(from, to)) >= daysWithin {
			list = append(list, sized{h, mean})
		}
	}
	others := slices.ContainsFunc(list, func(s sized) bool { return s.mean > ownRecords })
	if l.Role == "" && l.Work == "" && others {
		list = slices.DeleteFunc(list, func(s sized) bool { return s.mean <= ownRecords })
	}
	slices.SortFunc(list, func(a, b sized) int {
		return cmp.Or(cmp.Compare(a.mean, b.mean), cmp.Compare(a.h.name, b.h.name))
	})
	out := make([]*habits, len(list))
	for i := range list {
		out[i] = list[i].h
	}
	return out
}

func activeDays(hours []int64) int {
	n, last := 0, int64(-1)
	for _, h := range hours {
		if h/24 != last {
			n, last = n+1, h/24
		}
	}
	return n
}

// Window returns the leak's first and last instant in this log, in ms.
func (p *Profile) Window(l *Leak) (from, to int64, err error) {
	from = l.Start.UnixMilli()
	if l.Start.IsZero() {
		from = p.first + (p.last-p.first)*2/3
		from -= from % eventtime.Hour
	}
	if p.last == 0 || from <= p.first || from >= p.last {
		return 0, 0, fmt.Errorf("placing the leak: it would start at %s, and the log goes from %s to %s; give START a time well within it",
			utc(from), utc(p.first), utc(p.last))
	}
	return from, min(from+l.Length.Milliseconds(), p.last+1), nil
}

func utc(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// Choose returns the identities that the leak is tried with, one after the
// other: the one that it names, or as many as its Count, spread evenly over
// those that can be tried when these are ordered by how much they do. One alone
// is the median: an average identity.
func (p *Profile) Choose(l *Leak) ([]string, error) {
	from, to, err := p.Window(l)
	if err != nil {
		return nil, err
	}
	if l.Identity != "" {
		h := p.identities[l.Identity]
		if h == nil {
			return nil, fmt.Errorf("choosing the leak's identity: the log has no %s %q that touches records", l.Dimension, l.Identity)
		}
		if _, days := h.mean(from); days == 0 || len(h.activeIn(from, to)) == 0 {
			return nil, fmt.Errorf("choosing the leak's identity: %s %q is not active both before %s and in the days after it", l.Dimension, l.Identity, utc(from))
		}
		return []string{l.Identity}, nil
	}
	list := p.qualifying(l, from, to)
	if len(list) == 0 {
		return nil, fmt.Errorf("choosing the leak's identity: no %s of the log%s is active on %d days before %s and %d days after it; the log is too short, or START too early",
			l.Dimension, l.asked(), daysBefore, utc(from), daysWithin)
	}
	n := min(l.Count, len(list))
	out := make([]string, n)
	for i := range out {
		out[i] = list[(2*i+1)*len(list)/(2*n)].name
	}
	return out, nil
}

// Qualifying returns the names of all identities that the leak could be tried
// with; what they do without any leak is what chance would score.
func (p *Profile) Qualifying(l *Leak) []string {
	from, to, err := p.Window(l)
	if err != nil {
		return nil
	}
	var out []string
	for _, h := range p.qualifying(l, from, to) {
		out = append(out, h.name)
	}
	return out
}

// pool keeps records of the log to steal from: those of smallest hash, so that
// it is a function of the set.
type pool struct {
	limit uint64 // hashes above it are not kept; 0: none yet
	seen  map[uint64]string
	list  []string // by hash
}

// poolSize is how many records a pool keeps at most.
const poolSize = 200_000

func (p *pool) add(hash uint64, record string) {
	if p.limit > 0 && hash > p.limit {
		return
	}
	if _, ok := p.seen[hash]; ok {
		return
	}
	if p.seen == nil {
		p.seen = map[uint64]string{}
	}
	p.seen[hash] = string([]byte(record))
	if len(p.seen) >= 2*poolSize {
		p.shrink()
	}
}

func (p *pool) shrink() {
	hashes := p.hashes()
	p.limit = hashes[poolSize-1]
	for _, h := range hashes[poolSize:] {
		delete(p.seen, h)
	}
}

func (p *pool) hashes() []uint64 {
	out := make([]uint64, 0, len(p.seen))
	for h := range p.seen {
		out = append(out, h)
	}
	slices.Sort(out)
	return out
}

func (p *pool) settle() {
	if len(p.seen) > poolSize {
		p.shrink()
	}
	p.list = p.list[:0]
	for _, h := range p.hashes() {
		p.list = append(p.list, p.seen[h])
	}
}

// draw returns a record of the pool that skip does not know, and false after
// many tries, when nearly all are known.
func (p *pool) draw(rng *rand.Rand, skip map[string]bool) (string, bool) {
	for range 200 {
		if r := p.list[rng.IntN(len(p.list))]; !skip[r] {
			return r, true
		}
	}
	return "", false
}
