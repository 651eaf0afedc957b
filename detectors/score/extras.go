package score

// The measures after the core are rare: most identities never delete, never
// read through a token that nobody issued. They are kept from their first count
// on, and what came before is known all the same: zeros.

// rare says how a measure after the core is judged.
type rare struct {
	prior Prior
	floor float64 // the least count a bin that is expected; fewer are not told apart
	burst float64 // mean of a harmless burst
}

// rares are the measures that are negative binomial around a level of their
// own. The priors are low: few are enough where none were before.
var rares = [NumMeasures]rare{
	Destructive: {Prior{Mean: 0.05, Strength: 0.2, InverseK: 4}, 0.2, 4},
	Subjects:    {Prior{Mean: 2, Strength: 0.3, InverseK: 1}, 1, 4},
	Unissued:    {Prior{Mean: 0.05, Strength: 0.2, InverseK: 4}, 0.2, 4},
	OffHours:    {Prior{Mean: 0.2, Strength: 0.2, InverseK: 4}, 0.5, 8},
}

const (
	strayBurst   = 0.02  // chance of a harmless burst
	offHoursPart = 8.0   // an hour is off where less than an eighth of ordinary work is expected
	offHoursAge  = 7.0   // days from which an identity's hours are known
	minorShare   = 0.5   // share of unissued tokens from which they are how the identity works
	unlikeRare   = 0.001 // chance of a bin that is like nothing before
)

// judges reports whether a measure after the core is to be scored in the bin.
func (e *Engine) judges(s *State, m Measure, t *setting, b *baseline) bool {
	switch m {
	case RowsRead:
		return true
	case Unissued:
		x := s.extra(Unissued)
		return x == nil || float64(x.count) <= minorShare*float64(s.core[Distinct].count)+1
	case OffHours:
		return s.profile() != nil && t.age >= offHoursAge*e.perDay && b.mu < b.work/offHoursPart
	}
	return true
}

// derive fills in the counts that follow from others.
func (e *Engine) derive(s *State, t *setting, b *baseline, c *Counts) {
	c[Newcomer] = 0
	if e.isNew(t) {
		c[Newcomer] = s.total(t.bin) + c[Distinct]
	}
	c[OffHours] = 0
	if e.judges(s, OffHours, t, b) {
		c[OffHours] = c[Distinct]
	}
}

// blank is the series of a measure that has not occurred in all of an
// identity's life.
func (e *Engine) blank(m Measure, t *setting) series {
	if m == RowsRead || m == Newcomer {
		return series{}
	}
	return series{exposure: float32(e.level[Distinct] * (1 - exp(-t.age/e.level[Distinct])))}
}

// rareForecast returns what is expected of a measure after the core.
func (e *Engine) rareForecast(x *series, m Measure, d *Dimension, t *setting, core *baseline) (baseline, forecast) {
	how := &rares[m]
	prior := &how.prior
	if m == Subjects {
		prior = &d.Prior[Subjects]
	}
	b := e.expectOf(x, prior)
	if m == Subjects {
		b.day += t.youth // people move to a new release in days
	}
	b.shape, b.mode = max(core.shape, 1), core.mode
	if m == OffHours {
		b.shape, b.mode = 1, 1
		b.work = core.work // an evening at the desk
	}
	b.mu = max(b.level*b.shape*b.mode, how.floor)
	b.hour = b.inverseK
	f := forecast{null: b.mu, k: min(1/(b.inverseK+b.day), 1), stray: strayBurst, work: max(how.burst, b.mu, b.work), unlike: max(b.unlike, unlikeRare)}
	for i, r := range Rates {
		f.drift[i] = r * b.mu
	}
	return b, f
}

// learnRare takes a bin into the baseline of a measure after the core.
func (e *Engine) learnRare(x *series, m Measure, l *likelihood, count float64, t *setting) {
	switch {
	case m == Newcomer:
		x.count = float32(l.total) // to be told: nothing is learned of it
		return
	case m == RowsRead && count > 0:
		x.learnRows(&l.rows, count)
		return
	case m == RowsRead:
		return
	}
	b := &l.rare[int(m)-numCore]
	learned := b.cut(count, t.age > e.youth)
	young := e.perDay + t.age/2
	fade := 1 - 1/min(e.level[Distinct], young)
	x.count = fold(x.count, fade, learned)
	x.exposure = fold(x.exposure, fade, b.shape*b.mode)
	fade = 1 - 1/min(e.dispersion, young)
	mu := b.level * b.shape * b.mode
	x.excess = fold(x.excess, fade, (learned-mu)*(learned-mu)-learned)
	x.square = fold(x.square, fade, mu*mu)
}
