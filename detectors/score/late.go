package score

import (
	"math"

	"github.com/weirhq/weir/detectors/fleet"
)

// Late corrects a closed bin: add is what arrived late for it. The statistics
// become what they would be had the counts come in time (held against today's
// baseline, so that nothing of the past need be kept but counts), and the level
// learns them. It returns the evidence as it stands now, with the corrected bin
// as the one that made the case, and false if the bin is older than what is
// kept (two days, or the last 48 active bins); the counts are then not used
// here. A bin that is not closed yet is simply closed.
//
// R is a sum over the bins in which the change may have begun. The part of it
// that began in a kept bin is what the kept bins give when they are scored once
// more from nothing; the part that began before is the rest, times the
// likelihood ratio of all kept bins. Both are computed with the old counts and
// with the new ones.
func (e *Engine) Late(s *State, dim int, bin int64, add fleet.Counts, p *fleet.Parameters) (fleet.Evidence, bool) {
	at := fleet.ClampBin(bin)
	if at >= s.last {
		return e.Close(s, dim, bin, add, p, nil), true
	}
	var h history
	h.read(s.recent)
	from := e.oldestKept(s.last - 1)
	if h.n == maxVisits {
		from = max(from, h.visits[0].bin)
	}
	if at < from {
		return fleet.Evidence{}, false
	}
	add = add.Clean()
	d := p.Of(dim, s.group)
	old := h.counts(at)
	h.add(at, add)
	h.prune(from)
	s.recent = h.pack(s.recent)
	now := h.counts(at)
	e.correct(s, d, &h, max(from, s.first-1), at, &old, &now)
	s.first = min(s.first, at+1)

	t := e.setting(s, d, at)
	t.mode = fleet.Calm
	day := today{day: t.day}
	l := e.weigh(s, d, &t, &day, false, &now) // for the explanation
	var sc scores
	sc.read(s)
	l.taught = h.taught(at)
	e.learnLate(s, &t, &l, &old, &now)
	ev := e.evidence(s, d, &t, &l, &sc, &now)
	if ev.Log >= calmLog {
		s.rise = min(s.rise, at+1)
	}
	s.peak = float32(max(ev.Log, float64(s.peak)))
	return ev, true
}

// learnLate takes what was added to a closed bin into the baselines.
func (e *Engine) learnLate(s *State, t *setting, l *likelihood, old, now *fleet.Counts) {
	settled := t.age > e.youth
	ago, w := float64(s.last-1-t.bin), lesson(l.taught)
	fade := math.Exp(-ago / e.level[fleet.Distinct])
	room := l.base.cut(now[fleet.Distinct], settled) - l.base.cut(old[fleet.Distinct], settled)
	s.core[fleet.Distinct].count = max(fold(s.core[fleet.Distinct].count, 1, w*room*fade), 0)
	x := &s.core[fleet.FirstTouch]
	share := w * math.Exp(-ago/e.level[fleet.FirstTouch])
	x.count = fold(x.count, 1, (now[fleet.FirstTouch]-old[fleet.FirstTouch])*share)
	x.exposure = fold(x.exposure, 1, (now[fleet.Distinct]-old[fleet.Distinct])*share)
	for m := fleet.Measure(fleet.NumCore); m < fleet.OffHours; m++ {
		x := s.extra(m)
		switch {
		case x == nil || now[m] == old[m]:
		case m == fleet.RowsRead:
			x.learnRows(&l.rows, now[m])
		default:
			x.count = fold(x.count, 1, (now[m]-old[m])*fade)
		}
	}
}

// correct replaces the part of a kept bin in every statistic.
func (e *Engine) correct(s *State, d *fleet.Dimension, h *history, from, at uint32, old, now *fleet.Counts) {
	was := e.again(s, d, h, from, at, old)
	is := e.again(s, d, h, from, at, now)
	top, high := d.Top(), fleet.Exp(float64(s.high))
	var sc scores
	sc.read(s)
	for m := range sc.core {
		mend(&sc.core[m], &was.stat.core[m], &is.stat.core[m], &was.log.core[m], &is.log.core[m], high, top)
		mend(&sc.past[m], &was.stat.past[m], &is.stat.past[m], &was.log.past[m], &is.log.past[m], high, top)
	}
	mend(&sc.both, &was.stat.both, &is.stat.both, &was.log.both, &is.log.both, high, top)
	mend(&sc.pastBoth, &was.stat.pastBoth, &is.stat.pastBoth, &was.log.pastBoth, &is.log.pastBoth, high, top)
	for i := range sc.extra {
		if fleet.Measure(i+fleet.NumCore) == fleet.Newcomer {
			continue // its total is taken anew in each bin
		}
		mend(&sc.extra[i], &was.stat.extra[i], &is.stat.extra[i], &was.log.extra[i], &is.log.extra[i], high, top)
	}
	t := e.setting(s, d, at)
	e.begin(s, &t, &is.log)
	sc.write(s)
}

// mend replaces in a statistic what the kept bins said by what they say now, by
// the factor by which the sum changes. What began before the kept bins was never
// more than high, however little the silence of an outage has left of it.
func mend(stat, was, is, logWas, logIs *[fleet.NumRates]float64, high, top float64) {
	for i := range stat {
		older := max(0, stat[i]-was[i]) // began before the kept bins
		then := min(older*bounded(logIs[i]-logWas[i]), max(high, older))
		stat[i] = min(max(stat[i]*(is[i]+then)/max(was[i]+older, minStat), minStat), top)
	}
}

// replayed is what scoring the kept bins again from nothing gives: the
// statistics, and the logarithm of the likelihood ratio of all of them.
type replayed struct {
	stat scores
	log  likelihood
}

// again scores the kept bins from nothing, with counts c in the bin at.
func (e *Engine) again(s *State, d *fleet.Dimension, h *history, from, at uint32, c *fleet.Counts) (r replayed) {
	e.replay(s, d, h, from, s.last-1, at, c, &r.stat, func(_ uint32, l *likelihood) {
		r.log.add(l)
	})
	return r
}

// replay scores the bins from..to of the history again, on top of stat, with
// counts c in the bin at, and tells of each bin's likelihood ratios.
func (e *Engine) replay(s *State, d *fleet.Dimension, h *history, from, to, at uint32, c *fleet.Counts, stat *scores, tell func(bin uint32, l *likelihood)) {
	var now today
	if t := s.today(); t != nil {
		now = today{shared: t.shared, square: t.square, alike: t.alike, pairs: t.pairs, spread: t.spread, weight: t.weight}
	}
	busy, top := false, d.Top()
	for bin := from; bin <= to; bin++ {
		counts := h.counts(bin)
		if bin == at && c != nil {
			counts = *c
		}
		t := e.setting(s, d, bin)
		if bin != to || c == nil {
			t.mode = fleet.Calm
		}
		now.turn(t.day)
		l := e.weigh(s, d, &t, &now, busy, &counts)
		was := stat.core[fleet.Distinct]
		stat.step(&l, e.keep, top)
		now.pass(&l, &was, &counts)
		busy = counts[fleet.Distinct] > 0
		tell(bin, &l)
	}
}

// add adds the log ratios of another bin.
func (l *likelihood) add(o *likelihood) {
	plus(&l.both, &o.both)
	plus(&l.pastBoth, &o.pastBoth)
	for i := range fleet.NumRates {
		for m := range l.core {
			l.core[m][i] += o.core[m][i]
			l.past[m][i] += o.past[m][i]
		}
		for m := range l.extra {
			l.extra[m][i] += o.extra[m][i]
		}
	}
	for m, judged := range o.judged {
		l.judged[m] = l.judged[m] || judged
	}
}

// ratio returns the log ratio of a measure at a rate, over the horizons the
// larger.
func (l *likelihood) ratio(m fleet.Measure, i int) float64 {
	switch {
	case m >= fleet.NumCore:
		return l.extra[m-fleet.NumCore][i]
	case l.aged:
		return max(l.core[m][i], l.past[m][i])
	}
	return l.core[m][i]
}

// onset estimates the bin in which the drift began: the start of the last
// positive excursion of the CUSUM (Page 1954) of the strongest measure at its
// best rate, over the kept bins. Where the evidence has stood out for longer than
// those, it is the bin since which it has. c is the count of bin
// end, nil if the history holds it.
func (e *Engine) onset(s *State, d *fleet.Dimension, ev *fleet.Evidence, sc *scores, end uint32, c *fleet.Counts) int64 {
	rise := min(s.rise-1, end)
	from := e.oldestKept(end)
	if rise < from {
		return int64(rise)
	}
	m, best := ev.Measure, 0
	for i := range fleet.Rates {
		if sc.rate(m, i) > sc.rate(m, best) {
			best = i
		}
	}
	var h history
	h.read(s.recent)
	from = min(max(from, s.first-1), end)
	onset, sum := from, 0.0
	var stat scores
	e.replay(s, d, &h, from, end, end, c, &stat, func(bin uint32, l *likelihood) {
		sum += l.ratio(m, best)
		if sum <= 0 && bin < end {
			sum, onset = 0, bin+1
		}
	})
	return int64(onset)
}
