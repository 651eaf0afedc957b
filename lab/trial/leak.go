package trial

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/weirhq/weir/lab/exact"
)

// Thief says how the records that are stolen are chosen.
type Thief int

// The thieves.
const (
	All        Thief = iota // any record that the log has shown
	Active30                // one that anybody touched in the 30 days before
	Active7                 // in the 7 days before
	InOrder                 // one after the other, in the order in which records came up
	Colleagues              // what colleagues have read that day
	NumThieves
)

var thiefNames = [NumThieves]string{"all", "30d", "7d", "order", "colleagues"}

// String returns the name of the thief in tables.
func (t Thief) String() string { return thiefNames[t] }

// Rates are the sizes of drifts, own work included; Dumps are records taken in
// one hour.
var (
	Rates = [...]float64{1.5, 2, 3, 5, 10}
	Dumps = [...]float64{100, 300, 1000}
)

// Kind says who leaks.
type Kind int

// The kinds. A drift is by somebody who has worked on 15 days or more and reads
// two or more a day. A dump is by somebody who reads little or much (the quarter
// of those with 15 days that reads least, or most), or who works on one of its
// first three days.
const (
	Drift Kind = iota
	DumpQuiet
	DumpNew
	DumpBusy
	NumKinds
)

var kindNames = [NumKinds]string{"drift", "quiet", "new", "busy"}

// String returns the name of the kind in tables.
func (k Kind) String() string { return kindNames[k] }

// Leak is one leak of one actor.
type Leak struct {
	Kind  Kind
	Thief Thief
	Size  float64 // rate of a drift, records of a dump
	Actor int
	From  int64                // first hour of the first day
	To    int64                // hour after the last of what is watched
	Hours map[int64][2]float64 // records stolen in an hour, and those the actor never touched
}

// leakDays is for how many days with work a drift lasts and a dump is watched.
const leakDays = 5

// Plan says how many leaks are drawn.
type Plan struct {
	Actors int // of a kind at most
	Draws  int // of an actor
	Seed   uint64
}

// draw lays out the leaks: each draw of an actor is played by every thief at
// every size.
func (l *Log) draw(p Plan) []*Leak {
	rng := rand.New(rand.NewPCG(p.Seed, 5))
	pools := &pools{log: l, cache: map[int64][]int32{}}
	cut := l.at(judgeFrom)
	quiet, busy := l.quartiles(cut)
	var out []*Leak
	for kind := range NumKinds {
		found := 0
		for _, a := range rng.Perm(len(l.actors)) {
			days := l.startDays(kind, a, cut, quiet, busy)
			if len(days) == 0 || found == p.Actors {
				continue
			}
			found++
			for range p.Draws {
				out = append(out, l.leaks(kind, a, days[rng.IntN(len(days))], pools, rng)...)
			}
		}
	}
	return out
}

// mean returns the mean day of an actor before its i-th day with work, of 60.
func (a *actor) mean(i int) float64 {
	from, sum := max(0, i-60), 0.0
	for _, d := range a.days[from:i] {
		sum += d.distinct
	}
	return sum / float64(max(i-from, 1))
}

// quartiles returns the mean days that part those who read least and most.
func (l *Log) quartiles(cut int64) (low, high float64) {
	var means []float64
	for i := range l.actors {
		a := &l.actors[i]
		n := 0
		for n < len(a.days) && a.days[n].day*24 < cut {
			n++
		}
		if n >= settled {
			means = append(means, a.mean(n))
		}
	}
	if len(means) == 0 {
		return 0, math.Inf(1)
	}
	slices.Sort(means)
	return means[len(means)/4], means[len(means)*3/4]
}

// settled is from how many days with work on an actor is known.
const settled = 15

// startDays returns the days, as indices, on which a leak of an actor can begin.
func (l *Log) startDays(kind Kind, who int, cut int64, quiet, busy float64) (out []int) {
	a := &l.actors[who]
	for i := range a.days {
		fits := false
		switch mean := a.mean(i); kind {
		case Drift:
			fits = i >= settled && mean >= 2 && i+leakDays <= len(a.days)
		case DumpQuiet:
			fits = i >= settled && mean <= quiet
		case DumpNew:
			fits = i < 3
		case DumpBusy:
			fits = i >= settled && mean >= busy
		}
		if fits && a.days[i].day*24 >= cut {
			out = append(out, i)
		}
	}
	return out
}

// leaks returns what every thief steals at every size, from one actor's day on.
func (l *Log) leaks(kind Kind, who, day int, p *pools, rng *rand.Rand) (out []*Leak) {
	a := &l.actors[who]
	last := min(day+leakDays, len(a.days)) - 1
	for thief := range NumThieves {
		sizes, n := Rates[:], last-day+1
		if kind != Drift {
			sizes, n = Dumps[:], 1
		}
		for _, size := range sizes {
			k := &Leak{Kind: kind, Thief: thief, Size: size, Actor: who, From: a.days[day].day * 24, To: a.days[last].day*24 + 24, Hours: map[int64][2]float64{}}
			s := &stealing{pools: p, rng: rng, actor: a, who: int32(who), thief: thief, taken: map[int32]bool{}, walk: rng.IntN(l.records)}
			for j := range n {
				d := &a.days[day+j]
				per := size
				if kind == Drift {
					per = (size - 1) * a.mean(day)
				}
				s.steal(k, d, per, kind != Drift)
			}
			out = append(out, k)
		}
	}
	return out
}

// stealing is one thief at work.
type stealing struct {
	pools *pools
	rng   *rand.Rand
	actor *actor
	who   int32
	thief Thief
	taken map[int32]bool
	walk  int
}

// steal takes so many records on a day, at hours at which the actor works, or
// all in one of them.
func (s *stealing) steal(k *Leak, d *workday, per float64, dump bool) {
	n := int(per)
	if s.rng.Float64() < per-float64(n) {
		n++
	}
	own := map[int32]bool{}
	for _, t := range d.touches {
		own[t.record] = true
	}
	at := d.touches[s.rng.IntN(len(d.touches))].hour
	for range n {
		if !dump {
			at = d.touches[s.rng.IntN(len(d.touches))].hour
		}
		r, ok := s.choose(at, own)
		if !ok {
			continue
		}
		s.taken[r] = true
		sum := k.Hours[at]
		sum[0]++
		if first, had := s.actor.known[r]; !had || first >= at {
			sum[1]++
		}
		k.Hours[at] = sum
	}
}

// choose returns a record that the thief has not taken and not worked on today.
func (s *stealing) choose(at int64, own map[int32]bool) (int32, bool) {
	free := func(r int32) bool { return !s.taken[r] && !own[r] }
	l := s.pools.log
	if s.thief == InOrder {
		for range l.records {
			s.walk = (s.walk + 1) % l.records
			if r := int32(s.walk); l.first[r] < at && free(r) {
				return r, true
			}
		}
		return 0, false
	}
	if s.thief == Colleagues {
		return s.colleague(l.between(at/24*24, at/24*24+24), free)
	}
	pool := s.pools.of(s.thief, at)
	for range 60 {
		if len(pool) == 0 {
			break
		}
		if r := pool[s.rng.IntN(len(pool))]; free(r) {
			return r, true
		}
	}
	return 0, false
}

// colleague returns a record of a colleague's touches.
func (s *stealing) colleague(day []touch, free func(int32) bool) (int32, bool) {
	for range 60 {
		if t := day[s.rng.IntN(len(day))]; t.actor != s.who && free(t.record) {
			return t.record, true
		}
	}
	return 0, false
}

// pools are the records that thieves draw from.
type pools struct {
	log   *Log
	cache map[int64][]int32
}

// of returns the records that a thief chooses from.
func (p *pools) of(thief Thief, at int64) []int32 {
	l := p.log
	day := at / 24
	var from, to int64
	key := int64(thief)<<40 | day
	switch thief {
	case All:
		from, to = l.Hours[0].Hour, day*24
	case Active30:
		from, to = (day-30)*24, day*24
	case Active7:
		from, to = (day-7)*24, day*24
	}
	if pool, ok := p.cache[key]; ok {
		return pool
	}
	var pool []int32
	seen := map[int32]bool{}
	if thief == All { // records are numbered in the order of their first touch
		for r := int32(0); int(r) < l.records && l.first[r] < to; r++ {
			pool = append(pool, r)
		}
	} else {
		for _, t := range l.between(from, to) {
			if !seen[t.record] {
				seen[t.record] = true
				pool = append(pool, t.record)
			}
		}
	}
	p.cache[key] = pool
	return pool
}

// add returns an hour's counts with what was stolen in it and earlier that day.
func (k *Leak) add(hour int64, c exact.Counts) exact.Counts {
	for at := hour / 24 * 24; at <= hour; at++ {
		s, ok := k.Hours[at]
		if !ok {
			continue
		}
		c.Day[exact.Distinct] += s[0]
		c.Day[exact.FirstTouch] += s[1]
		if at == hour {
			c.Hour[exact.Distinct] += s[0]
			c.Hour[exact.FirstTouch] += s[1]
		}
	}
	return c
}
