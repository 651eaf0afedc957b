package score

import (
	"github.com/weirhq/weir/detectors/fleet"
)

const (
	strayBurst   = 0.02  // chance of a harmless burst
	offHoursPart = 8.0   // an hour is off where less than an eighth of ordinary work is expected
	offHoursAge  = 7.0   // days from which an identity's hours are known
	minorShare   = 0.5   // share of unissued tokens from which they are how the identity works
	unlikeRare   = 0.001 // chance of a bin that is like nothing before
)

// judges reports whether a measure after the core is to be scored in the bin.
func (e *Engine) judges(s *State, m fleet.Measure, t *setting, b *baseline) bool {
	switch m {
	case fleet.RowsRead:
		return true
	case fleet.Unissued:
		x := s.extra(fleet.Unissued)
		return x == nil || float64(x.count) <= minorShare*float64(s.core[fleet.Distinct].count)+1
	case fleet.OffHours:
		return s.profile() != nil && t.age >= offHoursAge*e.PerDay && b.mu < b.work/offHoursPart
	}
	return true
}

// derive fills in the counts that follow from others.
func (e *Engine) derive(s *State, t *setting, b *baseline, c *fleet.Counts) {
	c[fleet.Newcomer] = 0
	if e.isNew(t) {
		c[fleet.Newcomer] = s.total(t.bin) + c[fleet.Distinct]
	}
	c[fleet.OffHours] = 0
	if e.judges(s, fleet.OffHours, t, b) {
		c[fleet.OffHours] = c[fleet.Distinct]
	}
}

// blank is the series of a measure that has not occurred in all of an
// identity's life.
func (e *Engine) blank(m fleet.Measure, t *setting) series {
	if m == fleet.RowsRead || m == fleet.Newcomer {
		return series{}
	}
	return series{exposure: float32(e.level[fleet.Distinct] * (1 - fleet.Exp(-t.age/e.level[fleet.Distinct])))}
}

// rareForecast returns what is expected of a measure after the core.
func (e *Engine) rareForecast(x *series, m fleet.Measure, d *fleet.Dimension, t *setting, core *baseline) (baseline, forecast) {
	how := &fleet.Rares[m]
	prior := &how.Prior
	if m == fleet.Subjects {
		prior = &d.Prior[fleet.Subjects]
	}
	b := e.expectOf(x, prior)
	if m == fleet.Subjects {
		b.day += t.youth // people move to a new release in days
	}
	b.shape, b.mode = max(core.shape, 1), core.mode
	if m == fleet.OffHours {
		b.shape, b.mode = 1, 1
		b.work = core.work // an evening at the desk
	}
	b.mu = max(b.level*b.shape*b.mode, how.Floor)
	b.hour = b.inverseK
	f := forecast{null: b.mu, k: min(1/(b.inverseK+b.day), 1), stray: strayBurst, work: max(how.Burst, b.mu, b.work), unlike: max(b.unlike, unlikeRare)}
	for i, r := range fleet.Rates {
		f.drift[i] = r * b.mu
	}
	return b, f
}

// learnRare takes a bin into the baseline of a measure after the core.
func (e *Engine) learnRare(x *series, m fleet.Measure, l *likelihood, count float64, t *setting) {
	switch {
	case m == fleet.Newcomer:
		x.count = float32(l.total) // to be told: nothing is learned of it
		return
	case m == fleet.RowsRead && count > 0:
		x.learnRows(&l.rows, count)
		return
	case m == fleet.RowsRead:
		return
	}
	b := &l.rare[int(m)-fleet.NumCore]
	learned := b.cut(count, t.age > e.youth)
	young := e.PerDay + t.age/2
	fade := 1 - 1/min(e.level[fleet.Distinct], young)
	x.count = fold(x.count, fade, learned)
	x.exposure = fold(x.exposure, fade, b.shape*b.mode)
	fade = 1 - 1/min(e.dispersion, young)
	mu := b.level * b.shape * b.mode
	x.excess = fold(x.excess, fade, (learned-mu)*(learned-mu)-learned)
	x.square = fold(x.square, fade, mu*mu)
}
