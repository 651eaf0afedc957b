package score

import (
	"github.com/weirhq/weir/detectors/fleet"
)

// minStat is the least a statistic can be: it keeps its logarithm finite.
const minStat = 1e-30

// likelihood is what one bin says: the log-likelihood ratios of every measure
// and rate, and the baselines that they were computed from.
type likelihood struct {
	core, past [fleet.NumCore][fleet.NumRates]float64
	// both and pastBoth are those of Distinct and FirstTouch together; see together.
	both, pastBoth [fleet.NumRates]float64
	extra          [fleet.NumExtra][fleet.NumRates]float64
	aged           bool                 // past is judged
	judged         [fleet.NumExtra]bool // extra is judged
	ordinary       bool                 // the day so far is
	tells          float64              // how much the share of first touches can tell, 0..1
	base           baseline             // of Distinct
	share          share                // of FirstTouch
	rare           [fleet.NumExtra]baseline
	rows           rowsOf
	newcomer       rowsOf  // of the peers' newcomers
	total          float64 // of its first days, so far or in all
	arrives        bool    // the bin lies in them
	taught         uint8   // how much is learned of the bin, in quarters
}

// nu returns the prior weight of a change of the core in this very bin. It is
// known before the count; where nothing is expected it is low, so that mere
// silence does not gather evidence, as it would with ν = 1. Thieves keep other
// hours than their victims, so it does not fall as far as the hour's factor.
func (l *likelihood) nu() float64 {
	mu := max(l.base.mu, outOfHours*l.base.level)
	return mu / (1 + mu)
}

// outOfHours is which part of the level a bin counts for at the least in ν.
const outOfHours = 0.1

// nuOf returns that of a measure after the core.
func (l *likelihood) nuOf(i int) float64 {
	if fleet.Measure(i+fleet.NumCore) == fleet.RowsRead {
		return rowsNu
	}
	return l.rare[i].mu / (1 + l.rare[i].mu)
}

// scores are Shiryaev-Roberts statistics, linear.
type scores struct {
	core, past     [fleet.NumCore][fleet.NumRates]float64
	both, pastBoth [fleet.NumRates]float64 // Distinct and FirstTouch together
	extra          [fleet.NumExtra][fleet.NumRates]float64
	aged           bool
	kept           [fleet.NumExtra]bool
}

// read fills in the statistics of a state.
func (sc *scores) read(s *State) {
	for m := range s.core {
		sc.core[m] = s.core[m].stat.get()
	}
	sc.both = s.both.get()
	if p := s.past(); p != nil {
		sc.aged = true
		for m := range p.stat {
			sc.past[m] = p.stat[m].get()
		}
		sc.pastBoth = p.both.get()
	}
	if s.more == nil {
		return
	}
	for i, x := range s.more.extra {
		if x != nil {
			sc.kept[i] = true
			sc.extra[i] = x.stat.get()
		}
	}
}

// begin begins to keep the measures after the core that occur for the first time.
func (e *Engine) begin(s *State, t *setting, l *likelihood) {
	for i, judged := range l.judged {
		if m := fleet.Measure(i + fleet.NumCore); judged && s.extra(m) == nil {
			x := e.blank(m, t)
			s.room().extra[i] = &x
		}
	}
}

// write puts the statistics into the state; of measures that are not kept there
// is no place for them.
func (sc *scores) write(s *State) {
	for m := range s.core {
		s.core[m].stat.set(&sc.core[m])
	}
	s.both.set(&sc.both)
	if p := s.past(); p != nil {
		for m := range p.stat {
			p.stat[m].set(&sc.past[m])
		}
		p.both.set(&sc.pastBoth)
	}
	if s.more == nil {
		return
	}
	for i, x := range s.more.extra {
		if x != nil {
			x.stat.set(&sc.extra[i])
		}
	}
}

// rate returns a measure's statistic for one rate, over the horizons. That of
// FirstTouch is the mean of two: of the share of new records alone, and of more
// records and newer ones together.
func (sc *scores) rate(m fleet.Measure, i int) float64 {
	switch {
	case m >= fleet.NumCore:
		return sc.extra[m-fleet.NumCore][i]
	case m == fleet.FirstTouch && sc.aged:
		return (sc.core[m][i] + sc.past[m][i] + sc.both[i] + sc.pastBoth[i]) / 4
	case m == fleet.FirstTouch:
		return (sc.core[m][i] + sc.both[i]) / 2
	case sc.aged:
		return (sc.core[m][i] + sc.past[m][i]) / 2
	}
	return sc.core[m][i]
}

// Of returns the mean statistic of a measure over its rates.
func (sc *scores) of(m fleet.Measure) float64 {
	sum := 0.0
	for i := range fleet.NumRates {
		sum += sc.rate(m, i)
	}
	return sum / fleet.NumRates
}

// total returns the combined statistic: the weighted mean over the measures. A
// mean of Shiryaev-Roberts statistics is one again, so no penalty for looking
// at several is needed, and a measure that has nothing to say costs its share.
func (sc *scores) total() float64 {
	sum := 0.0
	for m := range fleet.NumMeasures {
		if m < fleet.NumCore || sc.kept[m-fleet.NumCore] {
			sum += fleet.Weight(m) * sc.of(m)
		}
	}
	return sum
}

// step is the generalised Shiryaev-Roberts recursion
//
//	R ← (φR + ν)·Λ,  ν = μ/(1+μ)
//
// for each measure, horizon and rate. φ forgets within four weeks what was never
// enough: so a small misfit of the null does not add up over years. See keepOf. Statistics are capped some way above the
// threshold, so that a leak that has ended is forgotten in days. E[R] under the
// null grows by ν at most, which is what the thresholds rest on.
func (sc *scores) step(l *likelihood, keep, top float64) {
	for m := range sc.core {
		nu := l.nu()
		if fleet.Measure(m) == fleet.FirstTouch {
			nu *= l.tells
		}
		step(&sc.core[m], &l.core[m], nu, keep, top)
		if l.aged {
			step(&sc.past[m], &l.past[m], nu, keep, top)
		}
	}
	step(&sc.both, &l.both, l.nu(), keep, top)
	if l.aged {
		step(&sc.pastBoth, &l.pastBoth, l.nu(), keep, top)
	}
	for i := range sc.extra {
		switch {
		case !l.judged[i]: // at an hour at which it says nothing; what it said fades
			for j := range sc.extra[i] {
				sc.extra[i][j] = max(sc.extra[i][j]*keep, minStat)
			}
		case fleet.Measure(i+fleet.NumCore) == fleet.Newcomer:
			sc.setNewcomer(l, top)
		default:
			step(&sc.extra[i], &l.extra[i], l.nuOf(i), keep, top)
			sc.kept[i] = true
		}
	}
}

// keepOf returns φ. What was enough for an episode is forgotten within days of
// ordinary work: so the episode ends when its leak does, also where days differ
// so much that an ordinary one hardly speaks against the slowest drift.
func (e *Engine) keepOf(s *State, d *fleet.Dimension, l *likelihood) float64 {
	if l.ordinary && float64(s.high) >= d.Threshold {
		return e.spend
	}
	return e.keep
}

func step(stat, ratios *[fleet.NumRates]float64, nu, keep, top float64) {
	for i, l := range ratios {
		stat[i] = min(max((stat[i]*keep+nu)*bounded(l), minStat), top)
	}
}

// together returns the ratios of more records and newer ones at once. Where the
// share of first touches can tell a busy day from a theft, each hour is a witness
// of its own: on a busy day the share speaks against a theft as loudly as the
// hours speak for it. Where it cannot, since nearly all is new on any day, busy
// hours of one day are one witness. So the ratio of the counts is the geometric
// mean of both readings, by how much the share can tell.
func (l *likelihood) together(b *baseline, count, scale float64, busy bool, distinct, first *[fleet.NumRates]float64) (log [fleet.NumRates]float64) {
	if l.tells > 0 { // it never does in a silent bin, of which there are most
		f := b.forecast(&today{}, scale, busy)
		log = b.ratios(&f, count)
	}
	for i := range log {
		log[i] = l.tells*log[i] + (1-l.tells)*distinct[i] + first[i]
	}
	return log
}

// plus adds the ratios of first touches to those of all records. More records
// and newer ones at once is what a theft of unread records does: the ratio of
// both counts is that of the first times that of the second given the first.
func plus(to, more *[fleet.NumRates]float64) {
	for i, v := range more {
		to[i] += v
	}
}

// bounded returns e to the power of a log ratio that is held to what matters.
func bounded(l float64) float64 { return fleet.Exp(min(max(l, -2*fleet.MaxLog), 2*fleet.MaxLog)) }

// weigh holds a bin's counts against the baselines. now is the day so far, in
// which the bin lies, busy whether the bin before had a count.
func (e *Engine) weigh(s *State, d *fleet.Dimension, t *setting, now *today, busy bool, c *fleet.Counts) (l likelihood) {
	l.base = e.expect(s, d, t)
	e.derive(s, t, &l.base, c)
	f := l.base.forecast(now, 1, busy)
	l.ordinary = f.null < ordinaryDay*l.base.expected()
	l.core[fleet.Distinct] = l.base.ratios(&f, c[fleet.Distinct])
	l.share = e.expectShare(s, t, 1)
	if c[fleet.Distinct] > 0 {
		l.tells = l.share.room()
	}
	var top [fleet.NumRates]float64
	l.core[fleet.FirstTouch], top = l.share.ratios(now, c[fleet.FirstTouch], c[fleet.Distinct])
	l.both = l.together(&l.base, c[fleet.Distinct], 1, busy, &l.core[fleet.Distinct], &top)
	if p := s.past(); p != nil {
		l.aged = true
		e.weighPast(&l, s, p, t, now, busy, c)
	}
	for m := fleet.Measure(fleet.NumCore); m < fleet.NumMeasures; m++ {
		e.weighExtra(&l, s, d, t, m, c[m])
	}
	return l
}

// weighPast holds the core against what was usual some weeks ago. More records
// through more subjects at the same rate each are growth, not a leak: so where
// actors are counted, the older level is scaled by how many there are now.
func (e *Engine) weighPast(l *likelihood, s *State, p *past, t *setting, now *today, busy bool, c *fleet.Counts) {
	scale := p.ratio(int(fleet.Distinct), &s.core[fleet.Distinct], e)
	if x := s.extra(fleet.Subjects); x != nil {
		scale *= max(1, 1/p.ratio(fleet.NumCore, x, e))
	}
	f := l.base.forecast(now, min(scale, 1), busy)
	l.past[fleet.Distinct] = l.base.ratios(&f, c[fleet.Distinct])
	v := e.expectShare(s, t, min(p.ratio(int(fleet.FirstTouch), &s.core[fleet.FirstTouch], e), 1))
	var top [fleet.NumRates]float64
	l.past[fleet.FirstTouch], top = v.ratios(now, c[fleet.FirstTouch], c[fleet.Distinct])
	l.pastBoth = l.together(&l.base, c[fleet.Distinct], min(scale, 1), busy, &l.past[fleet.Distinct], &top)
}

// weighExtra holds a measure after the core against its baseline, if it has
// ever occurred.
func (e *Engine) weighExtra(l *likelihood, s *State, d *fleet.Dimension, t *setting, m fleet.Measure, count float64) {
	i := int(m) - fleet.NumCore
	x := s.extra(m)
	if m == fleet.Newcomer {
		e.weighNewcomer(l, s, d, t, count)
		return
	}
	if x == nil && count == 0 || !e.judges(s, m, t, &l.base) {
		return
	}
	l.judged[i] = true
	if x == nil {
		fresh := e.blank(m, t)
		x = &fresh
	}
	if m != fleet.RowsRead {
		var f forecast
		l.rare[i], f = e.rareForecast(x, m, d, t, &l.base)
		l.extra[i] = f.ratios(count)
		return
	}
	l.rows = expectRows(x, &d.Prior[fleet.RowsRead])
	if count > 0 {
		l.extra[i] = l.rows.ratios(count)
		return
	}
	for j := range l.extra[i] { // no rows say nothing, but what they said fades
		l.extra[i][j] = -e.rowsFade
	}
}
