package score

import "math"

// Bounds of formulas 1 and 2 over all drifts upwards, which cost one logarithm at the
// most. Where they say that nothing can stand out, the ratios need not be known.

// countGain returns a bound of countRatios: half of the squared excess of a count, as a
// share of its mean, times the information of a negative binomial.
func countGain(c, mu, k float64) float64 {
	if c <= mu {
		return 0
	}
	excess := c/mu - 1
	return k * mu / (k + mu) * excess * excess / 2
}

// countGain is the bound of the countRatios of a statistic of an identity.
func (s *State) countGain(st Stat, c, mu, k float64) float64 {
	p := s.shown(st.measure())
	return countGain(c*p, mu*p, k)
}

// shareGain returns a bound of what addShares adds for shares from q0 up to most. In the
// share that is tried formula 2 is concave: it stays below its tangent at q0, and below
// the parabola of that slope and the least curvature. Sums of 1/x are bounded by
// logarithms: from above by the midpoint rule, from below by the trapezoidal one.
func shareGain(f, n, q0, most, phi float64) float64 {
	if f == 0 || most <= q0 {
		return 0
	}
	a, b, old := phi*q0, phi*(1-q0), n-f
	slope := 1 / a
	product := (a + f - 0.5) / (a + 0.5)
	if old > 0 {
		last := b + old - 1
		slope -= (1/b + 1/last) / 2
		product *= b / last
	}
	slope = phi * (slope + math.Log(product))
	if slope <= 0 {
		return 0
	}
	curvature := phi * phi * (f/(phi*most*(phi*most+f)) + old/(b*(b+old)))
	return min(slope*(most-q0), slope*slope/(2*curvature))
}

// calmSum is the sum over rates at which the evidence of a statistic is calm.
var calmSum = NumRates * math.Exp(calmLog)

// MayOpen reports whether Early may find that the bin opens an episode, by bounds alone.
// It is for who wants nothing else of Early, which costs several times as much.
func (e *Engine) MayOpen(s *State, dim int, bin int64, c *Counts, p *Parameters) bool {
	if s.last > clampBin(bin) {
		return false
	}
	day, cell := e.local(bin)
	ends := s.day != 0 && int64(s.day)-1 != day
	if ends || s.more != nil && s.more.odd != 0 || !c.any() || e.Tuning.NoSkip {
		return true // what is seldom is not bounded
	}
	for i, m := range rareMeasures {
		if c[m] > 0 && !e.kept(s, DayRows+Stat(i)) {
			return true // a statistic of which the state knows nothing yet
		}
	}
	class := p.class(dim, s.group)
	v := view{s: s, class: class, dim: &p.Dimensions[dim], shape: e.shape(s, cell)}
	v.load(day)
	for m := range c {
		v.now[m] = float64(s.now[m] + float32(c.ofDay(Measure(m))))
	}
	var most [NumGroups]float64
	for st := range NumStats {
		if !st.Daily() {
			most[st.Group()] += e.atMostBin(&v, st, c)
		} else if e.kept(s, st) {
			most[st.Group()] += e.atMost(&v, st)
		}
	}
	const rounding = 1e-3 // nats
	for g, threshold := range v.dim.thresholds(s) {
		if most[g] > NumRates*weights[g]*math.Exp(threshold-rounding) {
			return true
		}
	}
	return false
}

// atMostBin returns what the sum over rates of a statistic of bins is at the most after a
// bin of such counts.
func (e *Engine) atMostBin(v *view, st Stat, c *Counts) float64 {
	r := (*stat)(nil)
	switch {
	case st != BinRows:
		r = &v.s.burst[st-BinDistinct]
	case v.s.more != nil:
		r = &v.s.more.rows
	default:
		return 0
	}
	gain := 0.0
	if mu, k, ok := e.expectBin(v, st); ok {
		gain = v.s.countGain(st, c[st.measure()], mu, k)
	}
	return (r.sum() + NumRates) * math.Exp(gain) / e.age(v.s, st)
}

// atMost returns what the sum over rates of a daily statistic is at the most with the day
// as it stands: bounds that cost less than the ratios.
func (e *Engine) atMost(v *view, st Stat) (sum float64) {
	for h := range horizons {
		before := v.s.dailyStat(st, h).sum()
		gain, ok := e.mostGain(v, st, h)
		if !ok {
			sum += before
			continue
		}
		sum += max(before, (e.keepDay()*before+NumRates)*math.Exp(gain))
	}
	return sum / e.age(v.s, st)
}

// mostGain returns a bound of the log ratios that ratiosOf returns.
func (e *Engine) mostGain(v *view, st Stat, h int) (gain float64, ok bool) {
	if v.doubts(st.measure()) {
		return 0, false
	}
	n, f := v.records()
	known := v.s.settled() && n > 0
	if st == DayShare {
		q0, blind := e.share(v, h)
		return e.shareGain(v, f, n, q0, tried(q0, blind)), known && blind-q0 >= e.Tuning.LeastRoom
	}
	mu, k, ok := e.expectDay(v, st, h)
	if st == DayFirst && known && !e.Tuning.NoFirst {
		q0, blind := e.share(v, h)
		mu, k, _ = e.expectDay(v, DayDistinct, h) // which is always known of an identity with a history
		return countGain(n, mu, k) + e.shareGain(v, f, n, q0, driftShare(q0, blind, Rates[NumRates-1])), ok
	}
	return v.s.countGain(st, v.count(st), mu, k), ok
}

// shareGain is the bound of addShares.
func (e *Engine) shareGain(v *view, f, n, q0, most float64) float64 {
	p := v.s.shown(FirstTouch)
	return shareGain(math.Round(f*p), n, q0*p, most*p, e.concentration(q0, p))
}
