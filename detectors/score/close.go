package score

import "math"

// explaining says when all statistics are reported, see Evidence.Explained.
type explaining uint8

const (
	ifOpening   explaining = iota // what opens an episode
	ifCandidate                   // and what is a candidate, or Hot
	always
)

// Early scores the bin as counted so far, and changes nothing. bin must be after
// s.LastBin. What a count says only grows until the bin ends, so what is enough now
// will be enough then; a share of new records may fall again. It explains only what
// opens an episode: what is less is said at the end of the bin.
func (e *Engine) Early(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence) {
	e.early(s, dim, bin, c, p, ev, ifOpening)
}

// Explain is Early for people: it reports the evidence of each rate, however weak.
func (e *Engine) Explain(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence) {
	e.early(s, dim, bin, c, p, ev, always)
}

// early scores a copy of the state, but for its history, which close leaves alone.
func (e *Engine) early(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence, explain explaining) {
	*ev = Evidence{}
	if s.last > clampBin(bin) {
		return
	}
	again := *s
	if s.more != nil {
		more := *s.more
		again.more = &more
	}
	e.close(&again, dim, bin, c, p, ev, nil, explain)
}

// Close ends a bin: it scores it and learns from it. A day that is over is closed
// first; all silence before the bin costs one step. What the bin tells of the fleet
// is put into sample, which may be nil. A bin that is not after s.LastBin is late:
// use Late.
func (e *Engine) Close(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence, sample *Sample) {
	e.closeBin(s, dim, bin, c, p, ev, sample, ifCandidate)
}

// CloseExplained is Close that reports all statistics, as Explain does: for an identity
// of which an episode is open, so that what it exposes is reported until the end.
func (e *Engine) CloseExplained(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence, sample *Sample) {
	e.closeBin(s, dim, bin, c, p, ev, sample, always)
}

func (e *Engine) closeBin(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence, sample *Sample, explain explaining) {
	*ev = Evidence{}
	if sample != nil {
		*sample = Sample{}
	}
	if s.last > clampBin(bin) {
		return
	}
	e.close(s, dim, bin, c, p, ev, sample, explain)
	if c.any() {
		s.remember(e, clampBin(bin), c)
		s.freeze(e, dim, p)
	}
	s.watch(e, clampBin(bin), c, ev)
}

// close is the work of Early and Close; it leaves the history alone.
func (e *Engine) close(s *State, dim int, bin int64, c *Counts, p *Parameters, ev *Evidence, sample *Sample, explain explaining) {
	at := clampBin(bin)
	class := p.class(dim, s.group)
	v := view{s: s, class: class, dim: &p.Dimensions[dim]}
	day, cell := e.local(bin)
	v.shape = e.shape(s, cell)
	e.settleOdd(s, p, dim)
	if s.day != 0 && int64(s.day)-1 != day {
		e.closeDay(&v, int64(s.day)-1, sample)
	}
	if s.first == 0 {
		s.first, s.rise = at+1, at+1
	}
	was := s.high
	e.rest(&v, at)
	s.last = at + 1
	if c.any() {
		s.day = uint32(day + 1)
		e.work(&v, at, cell, c, sample)
	}
	v.load(day)
	g := gather{ev: ev}
	e.judgeBin(&v, c, &g, sample)
	e.judgeDay(&v, &g, e.Tuning.NoSkip || explain == always)
	g.decide(s, v.dim.thresholds(s))
	ev.Peers = class.Name
	if !c.any() {
		was = s.high
	} else {
		s.note(e, at, ev, v.dim.thresholds(s), &was)
	}
	ev.Onset = int64(s.rise) - 1
	if explain == always || ev.Margin() >= 0 || explain == ifCandidate && (ev.Candidate() || e.Hot(s, dim, p)) {
		e.explainAll(&v, c, ev)
	}
	if c.any() {
		e.learnBin(&v, c, sample)
	}
	if sample != nil {
		sample.tell(e, &v, was, c)
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
// an episode is spent, and after four the statistics fade. The means do not: who comes
// back is used to what it was.
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
func (e *Engine) settleOdd(s *State, p *Parameters, dim int) {
	if s.more == nil || s.more.odd == 0 || int64(s.more.at) > p.Bin {
		return
	}
	if !p.common(dim, int64(s.more.at), e.Tuning.Common) {
		s.off += s.more.odd
		if s.more.oddFrom == 0 {
			s.more.oddFrom = s.more.at + 1
		}
		s.keepRare(DayOff)
	}
	s.more.odd = 0
}

// work adds a bin's counts to the open day.
func (e *Engine) work(v *view, at uint32, cell int, c *Counts, sample *Sample) {
	s := v.s
	for m := range c {
		s.now[m] += float32(c.ofDay(Measure(m)))
	}
	if e.unusual(v, cell) {
		s.more.odd, s.more.at = float32(c.ofDay(Distinct)), at
		if sample != nil {
			sample.Off = true
		}
	}
	for i, m := range rareMeasures {
		if c[m] > 0 {
			s.room()
			s.keepRare(DayRows + Stat(i))
		}
	}
	if s.days >= youth-1 || s.more != nil {
		s.room().observe(cell, c[Distinct], float64(s.pace[Distinct]))
	}
}

// judgeBin scores the statistics of bins and puts them into the state.
func (e *Engine) judgeBin(v *view, c *Counts, g *gather, sample *Sample) {
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
				l := s.countRatios(st, n, mu, k)
				w := l.weigh()
				x, allowed := w.log, e.allow(v.class, st, w.log)
				keep := e.keepBin
				if x <= 0 && v.spent(Burst) {
					keep *= math.Exp(-spendBin)
				}
				g.ev.surprise(&v.class.Tail[st], x)
				now := r.step(&w, x-allowed, keep)
				if st == BinRows {
					s.more.rowBins = min(s.more.rowBins+1, math.MaxUint16-1)
				}
				age := e.age(s, st)
				g.tell(st, &now, age)
				*r = now.capped(v.dim.thresholds(s)[Burst]+e.Tuning.Headroom, age)
				told = true
				g.ev.Stats[st].explain(n, mu, k, v.class.Bin, x, allowed)
				if sample != nil {
					sample.x(st, x)
					sample.spread(st, n*s.shown(st.measure()), mu*s.shown(st.measure()))
				}
			}
		}
		if !told {
			g.tell(st, r, e.age(s, st))
		}
	}
}

// unknownTail is that of work at unusual hours until the fleet has told its own: keys and
// endpoints have nights of their own, and hardly any of them are up at night.
var unknownTail = Tail{At: 0.5, LogOver: math.Log(0.05), Scale: 2, Shape: 0.25}

// allow returns what the fleet's tail leaves of a log mean ratio.
func (e *Engine) allow(c *Class, st Stat, x float64) float64 {
	switch {
	case e.Tuning.NoTail:
		return x
	case st == DayOff && c.Tail[st].Scale == 0:
		return unknownTail.Allowed(x)
	}
	return c.Tail[st].Allowed(x)
}

// tell adds a statistic of one horizon and an age.
func (g *gather) tell(st Stat, r *stat, age float64) {
	for i, v := range r {
		g.ev.Stats[st].Rates[i] = float64(v) / age
	}
	g.add(st, r.sum()/age, 1)
}

// age returns what the mean of a statistic is while nothing drifts, at the most: each
// day or bin with work adds one. Statistics are told and compared as multiples of it.
func (e *Engine) age(s *State, st Stat) float64 {
	switch {
	case st == BinRows:
		return min(max(float64(s.more.rowBins), 1), e.mostBins)
	case !st.Daily():
		return min(float64(s.bins)+1, e.mostBins)
	case st < numCore:
		return min(float64(s.days)+1, e.Tuning.Memory)
	}
	return min(float64(s.days-s.more.rare[rareAt(st)].from)+1, e.Tuning.Memory)
}

// judgeDay scores the open day as it stands, and changes nothing. A group that stays calm
// whatever its statistics say of the day keeps the evidence of the days before, unless all
// are asked for.
func (e *Engine) judgeDay(v *view, g *gather, all bool) {
	var most [NumGroups]float64
	for st := DayDistinct; st < NumStats; st++ {
		if st.Daily() && v.s.day != 0 && !all && e.kept(v.s, st) {
			most[st.Group()] += e.atMost(v, st)
		}
	}
	for st := DayDistinct; st < NumStats; st++ {
		if group := st.Group(); st.Daily() && e.kept(v.s, st) {
			e.judgeDaily(v, st, v.s.day != 0 && (all || most[group] > calmSum*weights[group]), g)
		}
	}
}

// judgeDaily adds a statistic of the open day, which takes the day in if needed. A day
// that is not over may speak for a drift, but not yet against it.
func (e *Engine) judgeDaily(v *view, st Stat, needed bool, g *gather) {
	sum, age := 0.0, e.age(v.s, st)
	for h := range horizons {
		r := *v.s.dailyStat(st, h)
		if needed {
			if l, mu, k, ok := e.ratiosOf(v, st, h); ok {
				w := l.weigh()
				x, allowed := w.log, e.allow(v.class, st, w.log)
				if now := r.step(&w, x-allowed, e.keepDay()); now.sum() > r.sum() {
					r = now
				}
				if h == 0 {
					g.ev.surprise(&v.class.Tail[st], x)
					g.ev.Stats[st].explain(v.count(st), mu, k, v.mode, x, allowed)
				}
			}
		}
		for i := range r {
			g.ev.Stats[st].Rates[i] += float64(r[i]) / horizons / age
		}
		sum += r.sum() / age
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

// keepRare keeps a statistic from now on.
func (s *State) keepRare(st Stat) {
	if r := &s.more.rare[rareAt(st)]; !r.kept {
		r.kept, r.from = true, s.days
	}
}

// dailyStat returns a daily statistic of the identity.
func (s *State) dailyStat(st Stat, h int) *stat {
	if st < numCore {
		return &s.daily[h][st]
	}
	return &s.more.rare[rareAt(st)].daily[h]
}
