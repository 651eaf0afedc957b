package score

import "math"

// Early scores the bin as counted so far, and changes nothing. bin must be after
// s.LastBin. What a count says only grows until the bin ends, so what is enough now
// will be enough then; a share of new records may fall again.
func (e *Engine) Early(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence) {
	*ev = Evidence{}
	if s.last > clampBin(bin) {
		return
	}
	again := *s
	if s.more != nil {
		more := *s.more
		again.more = &more
	}
	e.close(&again, dim, bin, c, p, ev, nil, false)
}

// Explain is Early for people: it tells the evidence of each rate, however weak.
func (e *Engine) Explain(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence) {
	*ev = Evidence{}
	if s.last > clampBin(bin) {
		return
	}
	again := s.Clone()
	e.close(&again, dim, bin, c, p, ev, nil, true)
}

// Close ends a bin: it scores it and learns from it. A day that is over is closed
// first; all silence before the bin costs one step. What the bin tells of the fleet
// is put into lesson, which may be nil. A bin that is not after s.LastBin is late:
// use Late.
func (e *Engine) Close(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence, lesson *Lesson) {
	*ev = Evidence{}
	if lesson != nil {
		*lesson = Lesson{Young: -1}
	}
	if s.last > clampBin(bin) {
		return
	}
	e.close(s, dim, bin, c, p, ev, lesson, false)
	if c.any() {
		s.remember(e, clampBin(bin), c)
	}
	s.watch(e, clampBin(bin), c, ev)
}

// close is the work of Early and Close; it leaves the history alone. explain says
// that all statistics are told of, however little they say.
func (e *Engine) close(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence, lesson *Lesson, explain bool) {
	at := clampBin(bin)
	class := p.class(dim, s.group)
	v := view{s: s, class: class, dim: &p.Dimensions[dim]}
	day, cell := e.local(bin)
	s.settleOdd(p, class)
	if s.day != 0 && int64(s.day)-1 != day {
		e.closeDay(&v, int64(s.day)-1, lesson)
	}
	if s.first == 0 {
		s.first, s.rise = at+1, at+1
	}
	e.rest(&v, at)
	was := s.high
	s.last = at + 1
	if c.any() {
		s.day = uint32(day + 1)
		e.work(&v, at, cell, c, lesson)
	}
	v.load(day)
	g := gather{ev: ev}
	e.judgeBin(&v, c, &g, lesson)
	for st := DayDistinct; st < NumStats; st++ {
		if st.Daily() {
			e.judgeDaily(&v, st, &g)
		}
	}
	g.decide(v.dim)
	ev.Peers = class.Name
	if c.any() {
		s.note(at, ev, v.dim)
	}
	ev.Onset = int64(s.rise) - 1
	if explain || ev.Candidate() || e.Hot(s, dim, p) {
		e.explainAll(&v, c, ev)
	}
	if c.any() {
		e.learnBin(&v, c, lesson)
	}
	if lesson != nil {
		lesson.tell(&v, was, c)
	}
}

// load reads the open day.
func (v *view) load(day int64) {
	v.day, v.mode = day, v.class.mode(day)
	for m, n := range v.s.now {
		v.now[m] = float64(n)
	}
	v.off = float64(v.s.off)
}

// rest lets the silent bins before at pass, in one step whatever their number: the
// remembered peaks fall by a nat a day, after a day without work what was enough for
// an episode is spent, and after four the means and statistics fade.
func (e *Engine) rest(v *view, at uint32) {
	s := v.s
	if s.last == 0 {
		s.lastWork = at
		return
	}
	e.spendSilence(v, at)
	fall := float32(float64(at+1-s.last) / e.perDay)
	for g := range s.high {
		s.high[g] = max(0, s.high[g]-fall)
	}
	days := e.away(s, at, 4) - e.away(s, s.last-1, 4)
	if days <= 0 {
		return
	}
	fade := float32(math.Exp(-days / e.Tuning.Fade))
	for h := range s.level {
		for m := range s.level[h] {
			s.level[h][m] *= fade
		}
		for i := range s.daily[h] {
			s.daily[h][i].fade(fade)
		}
	}
	for i := range s.burst {
		s.burst[i].fade(fade)
	}
	if x := s.more; x != nil {
		for i := range x.rare {
			for h := range x.rare[i].daily {
				x.rare[i].daily[h].fade(fade)
				x.rare[i].level[h] *= fade
			}
		}
		x.rows.fade(fade)
	}
}

// away returns for how many days beyond the first ones an identity has not been at
// work.
func (e *Engine) away(s *State, at uint32, first float64) float64 {
	return max(0, (float64(at)-float64(s.lastWork))/e.perDay-first)
}

// minStat is below what matters: smaller numbers are slow to calculate with.
const minStat = 1e-20

func (s *stat) fade(by float32) {
	for i := range s {
		if s[i] *= by; s[i] < minStat {
			s[i] = 0
		}
	}
}

// settleOdd counts the records of the last bin at an unusual hour, once it is known
// that few others were at work at an hour unusual for them.
func (s *State) settleOdd(p *Parameters, c *Class) {
	if s.more == nil || s.more.odd == 0 || int64(s.more.at) > p.Bin {
		return
	}
	if !p.common(c, int64(s.more.at)) {
		s.off += s.more.odd
		s.more.rare[rareAt(DayOff)].kept = true
	}
	s.more.odd = 0
}

// work adds a bin's counts to the open day.
func (e *Engine) work(v *view, at uint32, cell int, c *Counts, lesson *Lesson) {
	s := v.s
	for m := range c {
		s.now[m] += float32(c.ofDay(Measure(m)))
	}
	if e.unusual(v, cell) {
		s.more.odd, s.more.at = float32(c.ofDay(Distinct)), at
		if lesson != nil {
			lesson.Off = true
		}
	}
	for i, m := range [...]Measure{Rows, Destructive, Unissued} {
		if c[m] > 0 {
			s.room().rare[i].kept = true
		}
	}
	if s.days >= youth-1 || s.more != nil {
		s.room().observe(cell, c[Distinct])
	}
}

// commonOff is the share of those at work from which an unusual hour is one of all.
const commonOff = 0.2

// judgeBin scores the statistics of bins and puts them into the state.
func (e *Engine) judgeBin(v *view, c *Counts, g *gather, lesson *Lesson) {
	s := v.s
	for i, st := range [...]Stat{BinDistinct, BinFirst, BinRows} {
		r := (*stat)(nil)
		if st != BinRows {
			r = &s.burst[i]
		} else if s.more != nil && (s.more.pace > 0 || c[Rows] > 0) {
			r = &s.more.rows
		}
		if r == nil {
			continue
		}
		told := false
		if c.any() && !e.Tuning.NoBurst {
			n := c[st.measure()]
			if mu, k, ok := e.expectBin(v, st); ok {
				l := countRatios(n, mu, k)
				x, allowed := e.allow(v.class, st, &l)
				keep := e.keepBin
				if x <= 0 && v.spent(Burst) {
					keep *= math.Exp(-spendBin)
				}
				now := r.step(&l, x-allowed, keep)
				g.tell(st, &now)
				*r = now.capped(v.dim.Threshold[Burst])
				told = true
				g.ev.Stats[st].explain(n, mu, k, v.class.Bin, x, allowed)
				if lesson != nil {
					lesson.x(st, x)
					lesson.spread(st, n, mu)
				}
			}
		}
		if !told {
			g.tell(st, r)
		}
	}
}

// allow returns the log mean ratio and what the fleet's tail leaves of it.
func (e *Engine) allow(c *Class, st Stat, l *ratios) (x, allowed float64) {
	x = l.logMean()
	if x <= 0 || e.Tuning.NoTail {
		return x, x
	}
	return x, c.Tail[st].Allowed(x)
}

// tell adds a statistic of one horizon.
func (g *gather) tell(st Stat, r *stat) {
	for i, v := range r {
		g.ev.Stats[st].Rates[i] = float64(v)
	}
	g.add(st, r.sum(), 1)
}

// judgeDaily scores a statistic of the open day as it stands, and changes nothing. A
// day that is not over may speak for a drift, but not yet against it.
func (e *Engine) judgeDaily(v *view, st Stat, g *gather) {
	if !e.kept(v.s, st) {
		return
	}
	sum := 0.0
	for h := range horizons {
		r := *v.s.dailyStat(st, h)
		if v.s.day != 0 && e.matters(v, st, h, &r) {
			if l, mu, k, ok := e.ratiosOf(v, st, h); ok {
				x, allowed := e.allow(v.class, st, &l)
				if now := r.step(&l, x-allowed, e.keepDay()); now.sum() > r.sum() {
					r = now
				}
				if h == 0 {
					g.ev.Stats[st].explain(v.count(st), mu, k, v.mode, x, allowed)
				}
			}
		}
		for i := range r {
			g.ev.Stats[st].Rates[i] += float64(r[i]) / horizons
		}
		sum += r.sum()
	}
	g.add(st, sum, horizons)
}

func (e *Engine) keepDay() float64 { return 1 - 1/e.Tuning.Memory }

// kept reports whether a daily statistic is kept of the identity.
func (e *Engine) kept(s *State, st Stat) bool {
	switch {
	case st == DayShare && e.Tuning.NoShare, st == DayOff && e.Tuning.NoHours:
		return false
	}
	return st < numCore || s.more != nil && s.more.rare[rareAt(st)].kept
}

// dailyStat returns a daily statistic of the identity.
func (s *State) dailyStat(st Stat, h int) *stat {
	if st < numCore {
		return &s.daily[h][st]
	}
	return &s.more.rare[rareAt(st)].daily[h]
}

// matters reports whether an unfinished day can say anything: where the counts do
// not exceed what is expected, and nothing was said before, its evidence is that
// of the days before.
func (e *Engine) matters(v *view, st Stat, h int, r *stat) bool {
	if r.sum() >= 3*NumRates {
		return true
	}
	n, f := v.now[Distinct], v.now[FirstTouch]
	l := &v.s.level[h]
	newer := f*float64(l[Distinct]) > n*float64(l[FirstTouch])
	switch st {
	case DayShare:
		return newer
	case DayFirst:
		return newer || n > float64(l[Distinct])
	}
	return v.count(st) > v.s.mean(st, h)
}

// calmLog is the log evidence below which nothing is taken to be going on.
const calmLog = 2.0

// note moves the marks of the evidence.
func (s *State) note(at uint32, ev *Evidence, d *Dimension) {
	calm := true
	for g, log := range ev.Groups {
		s.high[g] = max(s.high[g], float32(min(log, d.Threshold[g]+headroom)))
		calm = calm && log < calmLog
	}
	if calm {
		s.rise = at + 2
	}
}

// Hot reports whether the evidence is, or within half a day was, so high that the
// identity must be closed in bins without a count too, so that it is seen to fall.
func (e *Engine) Hot(s *State, dim int, p *Parameters) bool {
	for g, h := range s.high {
		if s.last != 0 && float64(h) >= p.Dimensions[dim].Threshold[g]-CandidateMargin-0.5 {
			return true
		}
	}
	return false
}
