package score

import (
	"math"
	"slices"
)

// Late takes in counts that came late for a closed bin, and judges them in it: its
// ratio with the new counts takes the place of the one with the old, in the
// statistics as they stand and on its own, so that ordinary bins that have followed
// hide nothing. The baseline is today's. The evidence is of that bin: its counts
// with what was expected of it. It returns false for a bin before the kept days (the
// open one and the two before): that is used for nothing here. A bin that is not
// closed yet is closed.
func (e *Engine) Late(s *State, dim int, bin int64, add *Counts, p *Parameters, ev *Evidence) bool {
	at := clampBin(bin)
	if at >= s.last {
		e.Close(s, dim, bin, add, p, ev, nil)
		return true
	}
	*ev = Evidence{}
	if at < e.oldest(s.last-1) || !add.any() {
		return false
	}
	old, now := s.correct(at, add)
	s.first = min(s.first, at+1)
	_, cell := e.local(bin)
	v := view{s: s, class: p.class(dim, s.group), dim: &p.Dimensions[dim], shape: e.shape(s, cell)}
	g := gather{ev: ev}
	e.lateBin(&v, &old, &now, &g)
	day := e.Day(bin)
	if int64(s.day)-1 == day {
		for m := range add {
			s.now[m] += float32(add.ofDay(Measure(m)))
		}
		v.load(day)
		e.judgeDay(&v, &g, true)
	} else {
		e.lateDay(&v, day, add, &g)
		e.learnLate(s, day, add)
	}
	g.decide(s, v.dim.thresholds(s))
	ev.Peers = v.class.Name
	rise := s.rise
	was := s.high
	s.note(e, s.last-1, ev, v.dim.thresholds(s), &was)
	if s.rise == rise {
		s.rise = min(s.rise, at+1)
	}
	ev.Onset = int64(min(s.rise-1, at))
	if ev.Candidate() {
		ev.tellRates()
		ev.Explained = true
	}
	s.watchLate(at, &now, ev)
	return true
}

// correct adds counts to a bin that is kept and returns what it was and is.
func (s *State) correct(at uint32, add *Counts) (old, now Counts) {
	all := s.visits()
	i, found := slices.BinarySearchFunc(all, at, func(v visit, bin uint32) int { return int(int64(v.bin) - int64(bin)) })
	if !found {
		all = slices.Insert(all, i, visit{bin: at})
	}
	old = all[i].c
	for m, n := range add {
		all[i].c[m] += n
	}
	now = all[i].c
	s.keep(all)
	return old, now
}

// lateBin judges a closed bin with its new counts.
func (e *Engine) lateBin(v *view, old, now *Counts, g *gather) {
	v.load(e.Day(int64(v.s.last - 1)))
	for i, st := range [...]Stat{BinDistinct, BinFirst, BinRows} {
		m := st.measure()
		mu, k, ok := e.expectBin(v, st)
		if !ok || now[m] == 0 {
			continue
		}
		r := &v.s.burst[min(i, 1)]
		if st == BinRows {
			r = &v.s.room().rows
		}
		before, after := ratios{}, v.s.countRatios(st, now[m], mu, k)
		if old.any() {
			before = v.s.countRatios(st, old[m], mu, k)
		}
		g.ev.Stats[st].explain(now[m], mu, k, v.class.Bin, 0, 0)
		e.mend(v, st, r, &before, &after, 1, g)
	}
}

// mend puts a bin's new ratio in the place of the old and tells of both the whole
// and the bin alone. n is the number of horizons of the statistic.
func (e *Engine) mend(v *view, st Stat, r *stat, before, after *ratios, n float64, g *gather) {
	old, now := before.weigh(), after.weigh()
	x, is := now.log, e.allow(v.class, st, now.log)
	cut := x - is
	oldCut := old.log - e.allow(v.class, st, old.log)
	told := &g.ev.Stats[st]
	told.Ratio, told.Allowed = x, is
	sum, age := 0.0, e.age(v.s, st)
	for i := range r {
		own := math.Exp(math.Min(after[i]-cut, MaxLog))
		step := math.Exp(math.Min(after[i]-cut-before[i]+oldCut, MaxLog))
		r[i] = float32(math.Min(float64(r[i])*step, maxStat))
		told.Rates[i] += (float64(r[i])/age + own) / n
		sum += float64(r[i])/age + own
	}
	*r = r.capped(v.dim.thresholds(v.s)[st.Group()]+e.Tuning.Headroom, age)
	group := st.Group()
	g.sums[group] += sum
	if sum > g.best[group] {
		g.best[group], g.stat[group] = sum, st
	}
	told.Log += sum / (NumRates * n)
}

// lateDay judges a closed day with what came late for it.
func (e *Engine) lateDay(v *view, day int64, add *Counts, g *gather) {
	var before [NumMeasures]float64
	eachVisit(v.s.recent, v.s.before, func(x visit) {
		if e.Day(int64(x.bin)) == day {
			for m := range x.c {
				before[m] += x.c.ofDay(Measure(m))
			}
		}
	})
	after := before
	for m := range add {
		before[m] -= add.ofDay(Measure(m))
	}
	v.day, v.mode = day, v.class.mode(day)
	for i, m := range rareMeasures {
		if add[m] > 0 {
			v.s.room()
			v.s.keepRare(DayRows + Stat(i))
		}
	}
	for st := DayDistinct; st < NumStats; st++ {
		if !st.Daily() || st == DayOff || !e.kept(v.s, st) {
			continue
		}
		for h := range horizons {
			v.now = before
			l0, _, _, ok0 := e.ratiosOf(v, st, h)
			if before == ([NumMeasures]float64{}) || !ok0 {
				l0 = ratios{}
			}
			v.now = after
			l1, mu, k, ok := e.ratiosOf(v, st, h)
			if !ok {
				continue
			}
			if h == 0 {
				g.ev.Stats[st].explain(v.count(st), mu, k, v.mode, 0, 0)
			}
			e.mend(v, st, v.s.dailyStat(st, h), &l0, &l1, horizons, g)
		}
	}
}

// learnLate takes what came late for a closed day into the means.
func (e *Engine) learnLate(s *State, day int64, add *Counts) {
	later, last := 0.0, day
	eachVisit(s.recent, s.before, func(x visit) {
		if d := e.Day(int64(x.bin)); d > last && d != int64(s.day)-1 {
			later, last = later+1, d
		}
	})
	a, b := 1/e.Tuning.Fast, 1/e.Tuning.Slow
	fast, slow := weight(a, b, later)
	for m := range s.level[0] {
		s.level[0][m] += float32(fast * add.ofDay(Measure(m)))
		s.level[1][m] += float32(slow * add.ofDay(Measure(m)))
	}
	s.seen += float32(add[FirstTouch])
}

// weight returns what a day counts for in the two means, n days with work later.
func weight(a, b, n float64) (fast, slow float64) {
	p, q := math.Pow(1-a, n+1), math.Pow(1-b, n+1)
	return a * math.Pow(1-a, n), a * b * (q - p) / (a - b)
}

// watchLate notes a corrected bin.
func (s *State) watchLate(at uint32, c *Counts, ev *Evidence) {
	if len(s.points) == 0 && !ev.Candidate() {
		return
	}
	i, found := slices.BinarySearchFunc(s.points, at, func(p Point, bin uint32) int { return int(int64(p.Bin) - int64(bin)) })
	if !found {
		s.points = slices.Insert(s.points, i, Point{Bin: at, Expected: s.pace})
	}
	for m, n := range c {
		s.points[i].Counts[m] = float32(n)
	}
	for g, x := range ev.Groups {
		s.points[i].Log[g] = max(s.points[i].Log[g], float32(x))
	}
	if len(s.points) > mostPoints {
		s.points = slices.Delete(s.points, 0, len(s.points)-mostPoints)
	}
}
