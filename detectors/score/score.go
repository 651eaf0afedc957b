package score

import (
	"github.com/weirhq/weir/detectors/fleet"
)

// Weights of the baseline, as pseudo-observations.
const (
	dispersionPrior = 24.0 // bins at the own level by which the peers' k counts
	cellPrior       = 2.0  // days by which the shared shape counts against the own hours
	youthInverseK   = 2.0  // dispersion that a newcomer's growth adds on its first day
)

// baseline is what is expected of one measure of an identity in one bin.
type baseline struct {
	level, shape, mode float64
	mu                 float64 // expected count
	inverseK           float64 // of the noise, the day's factor included
	hour               float64 // 1/k of one bin around the day's factor, uncertainty of the hour included
	day                float64 // variance of the day's factor, uncertainty of the level included
	peer               float64 // share of the level from the prior
	work               float64 // mean of an active bin
	busy               float64 // expected count where there is one
	pace               bool    // only that is judged; see paceOf
	unlike             float64 // chance that the identity is like none of its peers
}

// setting is what all measures of one step share.
type setting struct {
	bin   uint32
	hour  int
	day   uint32 // number of the local day
	shape float64
	mode  [fleet.NumCore]float64
	own   *profile // its own hours, nil: none are kept
	age   float64  // bins since the identity was first seen
	youth float64  // 1/k that its youth adds
}

func (e *Engine) setting(s *State, d *fleet.Dimension, bin uint32) setting {
	t := setting{bin: bin, mode: d.Mode}
	t.hour, t.day = e.Local(int64(bin))
	t.shape = d.HourFactor(t.hour)
	t.own = s.profile()
	if s.first != 0 {
		t.age = max(float64(bin+1)-float64(s.first), 0)
	}
	t.youth = youthInverseK
	if t.age > 0 {
		t.youth = youthInverseK * fleet.Exp(-t.age/e.youth)
	}
	return t
}

// expect returns the baseline of Distinct.
//
// The level is Bühlmann's credibility mean of the own rate and the peers': with
// a prior of mean m₀ and strength a (the inverse of its squared coefficient of
// variation), the prior weighs as much as a(1/k+1/m₀) bins of own history.
//
// The dispersions used are wider than those of the noise, because the baseline
// is itself uncertain: the squared coefficients of variation of the level and of
// a newcomer's growth are added to that of the day's factor, that of the hour's
// factor to 1/k. So the likelihood is, to second order, the predictive one, and
// evidence stays small while little is known.
func (e *Engine) expect(s *State, d *fleet.Dimension, t *setting) baseline {
	b := e.expectOf(&s.core[fleet.Distinct], &d.Prior[fleet.Distinct])
	b.shape = t.shape
	days := cellPrior + cellPrior/b.level
	if t.own != nil {
		at := fleet.Cell(t.hour)
		b.shape = t.own.factor(at, t.shape, b.level)
		days += float64(t.own.n[at])
	}
	b.mode = t.mode[fleet.Distinct]
	b.mu = max(b.level*b.shape*b.mode, 1e-6)

	noise := b.paceOf(s)
	ofDay := noise / 2
	if now := s.today(); now != nil {
		ofDay = now.variance(noise, dispersionPrior*b.level*b.level)
	}
	b.hour = max((noise-ofDay)/(1+ofDay), minHourly) + (1/b.mu+b.inverseK)/days
	b.day += ofDay + t.youth
	lend := min(d.Prior[fleet.Distinct].Strength, 1)
	b.work = (lend*4*d.Prior[fleet.Distinct].Mean + float64(s.worked)*float64(s.work)) / (lend + float64(s.worked))
	return b
}

// paceOf decides how an identity is judged, and returns 1/k of its noise.
//
// Some come and go: what is uncertain is when they work, not how much they do
// when they do. The whole 1/k of their hours is then mostly that of zeros and
// would excuse anything, so of them only bins with a count are judged, by their
// own spread around what is expected where there is one (a hurdle model,
// Mullahy 1986). Silence still speaks against a leak.
func (b *baseline) paceOf(s *State) float64 {
	k := 1 / b.inverseK
	b.busy = b.mu / (1 - fleet.Exp(k*fleet.Ln(k/(k+b.mu))) + 1e-9)
	now := s.today()
	if now == nil || s.worked < paceMin {
		return b.inverseK
	}
	mass := pacePrior * b.busy * b.busy
	own := (mass*b.inverseK + float64(now.spread)) / (mass + float64(now.weight))
	own = min(max(own, fleet.MinInverseK), fleet.MaxInverseK)
	if own > paceShare*b.inverseK {
		return b.inverseK
	}
	b.pace = true
	return own
}

const (
	paceMin   = 20  // bins with a count from which their spread is known
	pacePrior = 4.0 // bins by which the whole 1/k counts in it
	paceShare = 0.7 // of the whole 1/k, below which an identity comes and goes
)

// ratios returns the log-likelihood ratios of a count of Distinct.
func (b *baseline) ratios(f *forecast, count float64) [fleet.NumRates]float64 {
	if b.pace && count == 0 {
		silent := *f
		silent.scale(b.mu / b.busy)
		return silent.ratios(0)
	}
	log := f.ratios(count)
	if b.pace {
		for i, mean := range f.drift {
			log[i] += fleet.Ln(f.some(f.null)) - fleet.Ln(f.some(mean))
		}
	}
	return log
}

// some returns the chance of a count above zero at a mean.
func (f *forecast) some(mean float64) float64 {
	return 1 - fleet.Exp(f.k*fleet.Ln(f.k/(f.k+mean))) + 1e-9
}

// scale multiplies all means.
func (f *forecast) scale(by float64) {
	f.null *= by
	for i := range f.drift {
		f.drift[i] *= by
	}
}

// minHourly is the least 1/k of an hour around its day's factor.
const minHourly = 0.05

// expectOf returns the level of a series and how well it is known: day is the
// squared coefficient of variation of the level.
func (e *Engine) expectOf(x *series, prior *fleet.Prior) baseline {
	count, exposure := float64(x.count), float64(x.exposure)
	rough := (prior.Mean*prior.Strength + count) / (prior.Strength + exposure)
	mass := dispersionPrior * rough * rough
	invK := (mass*prior.InverseK + float64(x.excess)) / (mass + float64(x.square))
	invK = min(max(invK, fleet.MinInverseK), fleet.MaxInverseK)

	weight := prior.Strength * (invK + 1/prior.Mean)
	b := baseline{inverseK: invK, shape: 1, mode: 1}
	b.level = (weight*prior.Mean + count) / (weight + exposure)
	b.day = (invK + 1/b.level) / (weight + exposure)
	b.peer = weight / (weight + exposure)
	b.unlike = b.peer / (1 + 10*prior.Strength)
	return b
}

// K returns the dispersion of a first bin of a day, all uncertainty included.
func (b *baseline) k() float64 { return 1 / (b.hour + b.day) }

// forecast is what a bin's count is held against: the negative binomial of the
// null and those of the drifts.
type forecast struct {
	null   float64                 // mean
	drift  [fleet.NumRates]float64 // means
	k      float64                 // dispersion of all of them
	work   float64                 // mean of an active bin
	stray  float64                 // chance of a bin of work that follows no hours
	unlike float64                 // chance that the identity is like none of its peers
}

// forecast returns what is expected of the bin, given the day so far. scale is
// the factor of another horizon's level, 1 for the first.
//
// The day's factor is Gamma(κ+S, κ+M) after S records where M were due; under
// a drift to r that began with m of M to come, Gamma(κ+S, κ+M+(r-1)m). A morning
// off does not make the afternoon suspect, so the factor is taken as one at
// least; and a drift never expects less than the null, so that a busy day is no
// alibi for those before it.
func (b *baseline) forecast(now *today, scale float64, busy bool) forecast {
	kappa := 1 / b.day
	mu, seen, due := b.expected()*scale, float64(now.seen), float64(now.due)*scale
	f := forecast{null: mu * max((kappa+seen)/(kappa+due), 1), unlike: b.unlike, stray: b.stray(b.mu*scale, busy)}
	f.k = 1 / (b.hour + 1/(kappa+seen))
	for i, r := range fleet.Rates {
		f.drift[i] = f.null * max(r*(kappa+due)/(kappa+due+(r-1)*float64(now.after[i])*scale), 1)
	}
	f.work = max(b.work, f.null)
	return f
}

// expected returns the mean that a count is judged by, of an ordinary day.
func (b *baseline) expected() float64 {
	if b.pace {
		return b.busy
	}
	return b.mu
}

// ordinaryDay is the factor below which a day is an ordinary one.
const ordinaryDay = 1.25

// Chances of the null model's other component: a bin of ordinary work at an
// hour at which there is usually none.
const (
	strayWork    = 0.001 // at a usual hour
	strayOffWork = 0.1   // at an hour where a quarter of ordinary work is expected or less
	strayStay    = 0.5   // there, when the bin before was one of work too
)

// stray returns the chance of a bin of work that follows no hours.
func (b *baseline) stray(mu float64, busy bool) float64 {
	switch {
	case mu >= b.work/4:
		return strayWork
	case busy:
		return strayStay
	}
	return strayOffWork
}

// ratios returns the log-likelihood ratios of a count for each drift rate: of
// the drift's negative binomial against the null.
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
func (f *forecast) ratios(c float64) (log [fleet.NumRates]float64) {
	f.drifts(c, &log)
	if c <= f.null || f.ordinary(c) {
		return log
	}
	gap := f.gap(c)
	for i := range log {
		log[i] -= gap
	}
	if gap <= wellExplained {
		return log
	}
	f.censor(f.null, 0, &log)
	for at := max(f.null, 1) * censorStep; at < c && at < censorReach*max(f.null, 1); at *= censorStep {
		f.censor(at, f.gap(at), &log)
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
func (f *forecast) censor(c, gap float64, log *[fleet.NumRates]float64) {
	var drifts [fleet.NumRates]float64
	f.drifts(c, &drifts)
	for i := range log {
		log[i] = max(log[i], drifts[i]-gap)
	}
}

// drifts sets the log-likelihood ratios of the drifts against the null without
// its other parts; the gamma functions of the two cancel.
func (f *forecast) drifts(c float64, log *[fleet.NumRates]float64) {
	for i, mean := range f.drift {
		log[i] = c*fleet.Ln(mean/f.null) + (c+f.k)*fleet.Ln((f.null+f.k)/(mean+f.k))
	}
}

// ordinary reports whether a count is so usual that the other parts of the null
// move it by a few hundredths of a nat at most, which is not worth their
// logarithms.
func (f *forecast) ordinary(c float64) bool {
	return c < 2*f.null && f.stray == strayWork && f.unlike < 0.01
}

// gap returns how much more probable a count is under the whole null than under
// its first part, as a logarithm.
func (f *forecast) gap(c float64) float64 {
	usual := logNB(c, f.null, f.k)
	null := logSum(fleet.Ln(1-f.stray)+usual, fleet.Ln(f.stray)+logGeometric(c, f.work))
	if f.unlike > 0 {
		null = logSum(fleet.Ln(1-f.unlike)+null, fleet.Ln(f.unlike/(anySize*(c+1))))
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
	return a + fleet.Ln(1+fleet.Exp(b-a))
}

// logNB is the log probability of c under the negative binomial of mean mu and
// dispersion k (variance mu + mu²/k).
func logNB(c, mu, k float64) float64 {
	a := fleet.LnGamma(c + k)
	b := fleet.LnGamma(k)
	f := fleet.LnGamma(c + 1)
	return a - b - f + k*fleet.Ln(k/(mu+k)) + c*fleet.Ln(mu/(mu+k))
}

// logGeometric is logNB with k = 1, in closed form.
func logGeometric(c, mu float64) float64 {
	return c*fleet.Ln(mu/(1+mu)) - fleet.Ln(1+mu)
}
