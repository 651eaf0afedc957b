package detectors

import "math"

// maxCount bounds a count, so that sums of them stay exact in a float64.
const maxCount = 1 << 40

// Bounds of 1/k. k below 0.05 says that nothing is known; k above 10 would
// trust a handful of calm weeks more than real counts deserve.
const (
	minInverseK = 0.1
	maxInverseK = 20.0
)

// Weights of the baseline, as pseudo-observations.
const (
	dispersionPrior = 24.0 // bins at the own level by which the peers' k counts
	cellPrior       = 2.0  // days by which the shared shape counts against the own hours
	youthInverseK   = 2.0  // dispersion that a newcomer's growth adds on its first day
)

// Chances of the null model's other component: a bin of ordinary work at an
// hour at which there is usually none.
const (
	strayWork    = 0.001 // at a usual hour
	strayOffWork = 0.1   // at an hour where a quarter of ordinary work is expected or less
	strayStay    = 0.5   // there, when the bin before was one of work too
)

// baseline is what is expected of one measure of an identity in one bin.
type baseline struct {
	level, shape, mode float64
	mu                 float64 // expected count
	k                  float64 // dispersion, uncertainty of mu included
	inverseK           float64 // of the noise alone
	peer               float64 // share of the level from the prior
	work               float64 // mean of an active bin
	unlike             float64 // chance that the identity is like none of its peers
}

// setting is what all measures of one step share.
type setting struct {
	bin   uint32
	hour  int
	shape float64
	mode  [numCore]float64
	cellN float64 // how many bins the own hours of this cell rest on
	cellM float64 // and their mean
	age   float64 // bins since the identity was first seen
	youth float64 // 1/k that its youth adds
}

func (e *Engine) setting(s *State, d *Dimension, bin uint32) setting {
	t := setting{bin: bin, hour: e.HourOfWeek(int64(bin)), mode: d.Mode}
	t.shape = d.shape(t.hour)
	if s.profile != nil {
		i := cell(t.hour)
		t.cellN, t.cellM = float64(s.profile.n[i]), float64(s.profile.mean[i])
		t.shape = 1 + float64(s.profile.follows)*(t.shape-1)
	}
	if s.first != 0 {
		t.age = float64(bin+1) - float64(s.first)
	}
	t.youth = youthInverseK
	if t.age > 0 {
		t.youth = youthInverseK * exp(-t.age/e.youth)
	}
	return t
}

// expect returns the baseline of measure m.
//
// The level is Bühlmann's credibility mean of the own rate and the peers': with
// a prior of mean m₀ and strength a (the inverse of its squared coefficient of
// variation), the prior weighs as much as a(1/k+1/m₀) bins of own history.
//
// The dispersion used is wider than that of the noise, because the baseline is
// itself uncertain: the squared coefficients of variation of the level, of the
// hour's factor and of a newcomer's growth are added to 1/k. So the likelihood
// is, to second order, the predictive one, and evidence stays small while
// little is known.
func (e *Engine) expect(s *State, d *Dimension, m Measure, t *setting) baseline {
	prior := &d.Prior[m]
	count, exposure := float64(s.count[m]), float64(s.exposure[m])

	rough := (prior.Mean*prior.Strength + count) / (prior.Strength + exposure)
	mass := dispersionPrior * rough * rough
	invK := (mass*prior.InverseK + float64(s.excess[m])) / (mass + float64(s.square[m]))
	invK = min(max(invK, minInverseK), maxInverseK)

	weight := prior.Strength * (invK + 1/prior.Mean)
	level := (weight*prior.Mean + count) / (weight + exposure)
	info := (weight + exposure) / (invK + 1/level)

	// The shared shape counts for more days where the level is too low to
	// know one's own hours from.
	days := cellPrior + cellPrior/level
	shape := (days*t.shape + t.cellN*t.cellM) / (days + t.cellN)

	b := baseline{level: level, shape: shape, mode: t.mode[m], inverseK: invK}
	b.mu = max(level*shape*b.mode, 1e-6)
	b.k = 1 / (invK + 1/info + t.youth + (1/b.mu+invK)/(days+t.cellN))
	b.peer = weight / (weight + exposure)
	b.unlike = b.peer / (1 + 10*prior.Strength)
	lend := min(prior.Strength, 1)
	b.work = (lend*4*prior.Mean + count) / (lend + float64(s.active))
	return b
}

// ratios returns the log-likelihood ratios of a count for each drift rate: of
// NB(rμ, k) against the null.
//
// The null is ε-contaminated (Huber 1965): NB(μ, k), or with a small chance a
// bin of the identity's ordinary work out of its hours (geometric around the
// mean of its active bins), or, of a newcomer, a count of any size at all
// (about uniform on a logarithmic scale). Without the second part an analyst's
// first evening at the desk would be worth any amount of evidence, without the
// third a new service's first hour.
//
// Where the other parts of the null explain a count well, it is also tried as
// censored, that is, as if only known to be at least some smaller count, and
// what says most counts: else the largest theft would be the best explained.
// So one bin's evidence is bounded, and grows with the count (but for a dip
// of a fraction of a nat between the points at which censoring is tried).
func (b *baseline) ratios(c float64, busy bool) (log [NumRates]float64) {
	b.drifts(c, &log)
	if c <= b.mu {
		return log
	}
	stray := b.stray(busy)
	if b.ordinary(c, stray) {
		return log
	}
	gap := b.gap(c, stray)
	for i := range log {
		log[i] -= gap
	}
	if gap <= wellExplained {
		return log
	}
	b.censor(b.mu, 0, &log)
	for at := max(b.mu, 1) * censorStep; at < c && at < censorReach*max(b.mu, 1); at *= censorStep {
		b.censor(at, b.gap(at, stray), &log)
	}
	return log
}

// wellExplained is the gap from which a count is tried as censored: at
// multiples of what is expected that go by censorStep, up to censorReach. They
// do not depend on the count.
const (
	wellExplained = 0.2
	censorStep    = 1.25
	censorReach   = 1e4
)

// censor raises the ratios to those of a smaller count with the given gap.
func (b *baseline) censor(c, gap float64, log *[NumRates]float64) {
	var drifts [NumRates]float64
	b.drifts(c, &drifts)
	for i := range log {
		log[i] = max(log[i], drifts[i]-gap)
	}
}

// drifts sets the log-likelihood ratios of NB(rμ, k) against NB(μ, k); the
// gamma functions of the two cancel.
func (b *baseline) drifts(c float64, log *[NumRates]float64) {
	for i, r := range Rates {
		q := ln((b.mu + b.k) / (r*b.mu + b.k))
		log[i] = c*logRates[i] + (c+b.k)*q
	}
}

// ordinary reports whether a count is so usual that the other parts of the null
// move it by a few hundredths of a nat at most, which is not worth their
// logarithms.
func (b *baseline) ordinary(c, stray float64) bool {
	return c < 2*b.mu && stray == strayWork && b.unlike < 0.01
}

// stray returns the chance of a bin of work that follows no hours.
func (b *baseline) stray(busy bool) float64 {
	switch {
	case b.mu >= b.work/4:
		return strayWork
	case busy:
		return strayStay
	}
	return strayOffWork
}

// gap returns how much more probable a count is under the whole null than under
// its first part, as a logarithm.
func (b *baseline) gap(c, stray float64) float64 {
	usual := logNB(c, b.mu, b.k)
	null := logSum(ln(1-stray)+usual, ln(stray)+logGeometric(c, max(b.work, b.mu)))
	if b.unlike > 0 {
		null = logSum(ln(1-b.unlike)+null, ln(b.unlike/(anySize*(c+1))))
	}
	return null - usual
}

// anySize makes 1/(anySize·(c+1)) sum to about one over all counts up to a
// billion.
const anySize = 20

// logSum returns log(exp(a) + exp(b)).
func logSum(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	return a + ln(1+exp(b-a))
}

var logRates = func() (l [NumRates]float64) {
	for i, r := range Rates {
		l[i] = math.Log(r)
	}
	return l
}()

// logNB is the log probability of c under the negative binomial of mean mu and
// dispersion k (variance mu + mu²/k).
func logNB(c, mu, k float64) float64 {
	a := lnGamma(c + k)
	b := lnGamma(k)
	f := lnGamma(c + 1)
	return a - b - f + k*ln(k/(mu+k)) + c*ln(mu/(mu+k))
}

// logGeometric is logNB with k = 1, in closed form.
func logGeometric(c, mu float64) float64 {
	return c*ln(mu/(1+mu)) - ln(1+mu)
}

// Bounds of a statistic: the lower one keeps its logarithm finite.
const minStat = 1e-30

var (
	calm = [numCore]float64{1, 1}
)

// step scores one bin: the generalised Shiryaev-Roberts recursion
//
//	R ← (R + ν)·Λ,  ν = μ/(1+μ)
//
// for each measure and rate. ν, the prior weight of a change in this very bin,
// is known before the count; where nothing is expected it is near zero, so that
// mere silence does not gather evidence, as it would with ν = 1. Statistics
// are capped some way above the threshold, so that a leak that has ended is
// forgotten in days. E[R] under the
// null stays at most the number of bins, so Pollak's bound on the mean time
// between false alarms holds.
func (e *Engine) step(s *State, d *Dimension, t *setting, c *Counts) (base [numCore]baseline) {
	top := d.top()
	for m := range base {
		b := e.expect(s, d, Measure(m), t)
		base[m] = b
		nu := b.mu / (1 + b.mu)
		ratios := b.ratios(c[m], s.busy)
		for i, l := range ratios {
			v := (float64(s.stat[m][i]) + nu) * exp(min(l, 2*MaxLog))
			s.stat[m][i] = float32(min(max(v, minStat), top))
		}
	}
	return base
}

// learn takes the bin into the baseline. It goes on while the identity is under
// suspicion, since else benign drift would never be forgiven; it is slow
// (horizons of one to two weeks against hours of detection), and a count far
// beyond anything ordinary is cut for learning, so that one burst does not buy
// weeks of blindness.
//
// The level's exposure is in units of the shape that the own hours start from,
// not of the own hours themselves: else level and hours could drift apart, with
// only their product held.
func (e *Engine) learn(s *State, d *Dimension, t *setting, base *[numCore]baseline, c *Counts) {
	var learned Counts
	for m := range base {
		b := &base[m]
		learned[m] = b.cut(c[m], t.age > e.youth)
		young := e.perDay + t.age/2
		fade := 1 - 1/min(e.level[m], young)
		s.count[m] = fold(s.count[m], fade, learned[m])
		s.exposure[m] = fold(s.exposure[m], fade, t.shape*b.mode)
		fade = 1 - 1/min(e.dispersion, young)
		seen := learned[m]
		if t.age > e.youth {
			// A leak is not to teach that the identity is erratic.
			seen = min(seen, b.mu+max(3*math.Sqrt(b.mu+b.mu*b.mu*b.inverseK), b.work))
		}
		residual := seen - b.mu
		s.excess[m] = fold(s.excess[m], fade, residual*residual-seen)
		s.square[m] = fold(s.square[m], fade, b.mu*b.mu)
	}
	s.busy = c[Distinct] > 0
	worked := 0.0
	if s.busy {
		worked = 1
	}
	s.active = fold(s.active, 1-1/min(e.level[Distinct], e.perDay+t.age/2), worked)

	if s.profile == nil && s.count[Distinct] >= profileMin && t.age >= e.perDay {
		s.profile = &profile{follows: 1}
	}
	if p := s.profile; p != nil {
		b := &base[Distinct]
		p.observe(cell(t.hour), learned[Distinct]/(b.level*b.mode))
		p.compare(d)
	}
}

// cut bounds a count for learning, once there is a baseline to bound it by.
func (b *baseline) cut(c float64, settled bool) float64 {
	if !settled {
		return c
	}
	return min(c, 5*max(b.mu, b.work)+10)
}

// fold fades a decayed sum and adds to it.
func fold(sum float32, fade, add float64) float32 {
	return float32(float64(sum)*fade + add)
}
