package score

import (
	"math"

	"github.com/weirhq/weir/detectors/fleet"
)

// Of an identity under suspicion less is learned, so that a leak does not become
// normal while it is weighed: at a sum of ratios of e³, well below any threshold,
// half as much as else, and a quarter at the least, since else benign drift would
// never be forgiven. How much is settled before the bin is counted, so that what is
// learned is no lower than what is (a predictable weight keeps a mean unbiased).
const (
	quarters   = 4
	suspicious = 20.1 // e³
)

// taught returns how much is learned of a bin, in quarters, by the evidence before
// it (linear).
func taught(before float64) uint8 {
	return uint8(min(max(math.Round(quarters/(1+before/suspicious)), 1), quarters))
}

// lesson returns quarters as a weight, at most one.
func lesson(taught uint8) float64 { return float64(taught) / quarters }

// learn takes the bin into the baseline: slowly (horizons of a week or more against
// hours of detection), and a count far beyond anything ordinary is cut for
// learning, so that one burst does not buy weeks of blindness.
func (e *Engine) learn(s *State, d *fleet.Dimension, t *setting, l *likelihood, stat *[fleet.NumRates]float64, c *fleet.Counts) {
	if e.away(s, t.bin, c) {
		s.busy = false
		return
	}
	b := &l.base
	e.learnPast(s, t)
	learned := b.cut(c[fleet.Distinct], t.age > e.youth)
	young := e.PerDay + t.age/2
	w := lesson(l.taught)
	slow := 1 - w/min(e.dispersion, young)
	e.learnToday(s, t, l, stat, c, slow, w)

	x := &s.core[fleet.Distinct]
	fade := 1 - w/min(e.level[fleet.Distinct], young)
	x.count = fold(x.count, fade, w*learned)
	x.exposure = fold(x.exposure, fade, w*b.shape*b.mode)
	residual := b.clip(learned, t.age > e.youth) - b.mu
	x.excess = fold(x.excess, slow, w*(residual*residual-(residual+b.mu)))
	x.square = fold(x.square, slow, w*b.mu*b.mu)
	s.core[fleet.FirstTouch].learnShare(c[fleet.FirstTouch]*learned/max(c[fleet.Distinct], 1), learned, l.share.mean, 1-w/min(e.level[fleet.FirstTouch], young), slow, w)

	s.busy = c[fleet.Distinct] > 0
	if s.busy {
		s.worked = min(s.worked+1, workMemory)
		s.work += (float32(learned) - s.work) / float32(s.worked)
	}
	e.learnExtras(s, t, l, c)

	if s.profile() == nil && x.count >= profileMin && t.age >= e.PerDay {
		s.room().profile = &profile{follows: 1, mass: 1}
	}
	if p := s.profile(); p != nil {
		p.observe(fleet.Cell(t.hour), learned/(b.level*b.mode))
		p.compare(d)
		p.balance(d, b.level)
	}
}

// away reports whether a silent bin says nothing of how its identity works: after
// three days of silence somebody who has worked for weeks is on holiday. Else
// whoever comes back to the usual work would stand out. Of others, such as an
// account that was tried once, silence is what is usual.
func (e *Engine) away(s *State, bin uint32, c *fleet.Counts) bool {
	if c.Any() || len(s.recent) == 0 || s.past() == nil {
		return false
	}
	return bin-lastVisit(s.recent) > e.absence
}

// learnToday takes the bin, with weight w, into what the day is like.
func (e *Engine) learnToday(s *State, t *setting, l *likelihood, stat *[fleet.NumRates]float64, c *fleet.Counts, fade, w float64) {
	if s.today() == nil {
		if float64(s.core[fleet.Distinct].count)+c[fleet.Distinct] < todayMin {
			return
		}
		s.room().today = &today{day: t.day}
	}
	now := s.today()
	now.turn(t.day)
	now.learn(&l.base, l.base.clip(c[fleet.Distinct], t.age > e.youth), fade, w)
	now.learnShare(c[fleet.FirstTouch], c[fleet.Distinct], l.share.mean, fade, w)
	now.pass(l, stat, c)
}

// learnPast lets the first horizon flow into the second.
func (e *Engine) learnPast(s *State, t *setting) {
	p := s.past()
	if p == nil {
		if t.age < pastDays*e.PerDay || s.profile() == nil {
			return
		}
		p = new(past)
		for m := range s.core {
			p.stat[m], p.both = s.core[m].stat, s.both
			p.count[m], p.exposure[m] = s.core[m].count, s.core[m].exposure
		}
		s.room().past = p
	}
	for m := range s.core {
		p.flow(m, &s.core[m], e)
	}
	if x := s.extra(fleet.Subjects); x != nil {
		p.flow(fleet.NumCore, x, e)
	}
}

// learnExtras takes the bin into the baselines of the measures after the core.
func (e *Engine) learnExtras(s *State, t *setting, l *likelihood, c *fleet.Counts) {
	for m := fleet.Measure(fleet.NumCore); m < fleet.NumMeasures; m++ {
		i := int(m) - fleet.NumCore
		if x := s.extra(m); x != nil && l.judged[i] {
			e.learnRare(x, m, l, c[m], t)
		}
	}
}

// workMemory is how many bins with a count are remembered.
const workMemory = 50

// cut bounds a count for learning, once there is a baseline to bound it by.
func (b *baseline) cut(c float64, settled bool) float64 {
	if !settled {
		return c
	}
	return min(c, 5*max(b.mu, b.work)+10)
}

// clip bounds a count for the learning of its dispersion: a leak is not to
// teach that the identity is erratic.
func (b *baseline) clip(c float64, settled bool) float64 {
	if !settled {
		return c
	}
	return min(c, b.mu+max(3*math.Sqrt(b.mu+b.mu*b.mu*b.inverseK), b.work))
}

// fold fades a decayed sum and adds to it.
func fold(sum float32, fade, add float64) float32 {
	return float32(float64(sum)*fade + add)
}
