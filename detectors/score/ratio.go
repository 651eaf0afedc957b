package score

import "math"

// ratios holds, for each rate, the natural logarithm of a likelihood ratio.
type ratios [NumRates]float64

// logRates are the logarithms of Rates.
var logRates = func() (l ratios) {
	for i, r := range Rates {
		l[i] = math.Log(r)
	}
	return l
}()

// countRatios returns the ratios of a count under drifts, for a negative binomial
// of mean mu and dispersion k: formula 1 of docs/detection.md.
func countRatios(c, mu, k float64) ratios {
	d := driftOf(mu, k)
	return d.ratios(c)
}

// countRatios are those of a statistic of an identity. A negative binomial of which each
// is seen with a probability of its own stays one, of the same k: what shows is judged.
func (s *State) countRatios(st Stat, c, mu, k float64) ratios {
	p := s.shown(st.measure())
	return countRatios(c*p, mu*p, k)
}

// drift is what countRatios makes of a mean and a dispersion: what each ratio has for
// each count, and besides.
type drift struct {
	slope, rest [NumRates]float64
	known       bool
}

func driftOf(mu, k float64) (d drift) {
	d.known = true
	for i, r := range Rates {
		l := math.Log((k + mu) / (k + r*mu))
		d.slope[i], d.rest[i] = logRates[i]+l, k*l
	}
	return d
}

// ratios returns those of a count.
func (d *drift) ratios(c float64) (l ratios) {
	for i := range l {
		l[i] = c*d.slope[i] + d.rest[i]
	}
	return l
}

// addShares adds the log ratios of f new records among n at expected shares of q1
// against q0, for a beta-binomial of concentration phi: formula 2.
func (l *ratios) addShares(f, n, q0 float64, q1 *[NumRates]float64, phi float64) {
	fresh, old := shapes{NumRates: phi * q0}, shapes{NumRates: phi * (1 - q0)}
	for i, q := range q1 {
		fresh[i], old[i] = phi*q, phi*(1-q)
	}
	above, more := fresh.rising(f)
	aboveOld, moreOld := old.rising(n - f)
	below, rest := above[NumRates]*aboveOld[NumRates], more[NumRates]+moreOld[NumRates]
	for i, q := range q1 {
		if q != q0 {
			l[i] += math.Log(above[i]*aboveOld[i]/below) + more[i] + moreOld[i] - rest
		}
	}
}

// shapes are parameters of a beta distribution: for each rate, and last without a drift.
type shapes [NumRates + 1]float64

// rising returns Γ(a+n)/Γ(a) for each a and whole n as a product of the first factors,
// and the natural logarithm of the others by Stirling's series. The products are made
// side by side, since each waits for its own last factor.
func (a *shapes) rising(n float64) (product, rest shapes) {
	for i := range product {
		product[i] = 1
	}
	m := math.Min(n, 24)
	for j := 0.0; j < m; j++ {
		for i := range product {
			product[i] *= a[i] + j
		}
	}
	if n > m {
		for i := range rest {
			rest[i] = stirling(a[i]+n) - stirling(a[i]+m)
		}
	}
	return product, rest
}

// stirling returns ln Γ(x) less its constant, to 1e-8 for x above 24.
func stirling(x float64) float64 {
	return (x-0.5)*math.Log(x) - x + 1/(12*x) - 1/(360*x*x*x)
}

// weighed is ratios with their mean.
type weighed struct {
	of  [NumRates]float64 // each over the largest
	top float64           // natural log of the largest
	log float64           // of the mean
}

// weigh returns the ratios with their mean.
func (l *ratios) weigh() (w weighed) {
	w.top = max(l[0], l[1], l[2], l[3], l[4])
	sum := 0.0
	for i, x := range l {
		switch {
		case x == w.top:
			w.of[i] = 1
		case x > w.top-30:
			w.of[i] = math.Exp(x - w.top)
		}
		sum += w.of[i]
	}
	w.log = w.top + math.Log(sum/NumRates)
	return w
}

// Tail is how surprising the bins of such a fleet are: beyond At, which a share of
// exp(LogOver) of bins exceed, the log mean ratio follows a generalised Pareto.
// The zero value is a fleet that behaves as the model says.
// Excess is by how many nats the mean evidence of the fleet's bins, after the rest,
// would lie above zero.
type Tail struct {
	At, LogOver, Scale, Shape, Excess float64
}

// Allowed returns what a log mean ratio of x is worth: itself, but no more than
// the calibrator κ·q^(κ-1) (Vovk and Wang 2021) makes of the share q of the fleet's
// bins that exceed it: formula 4. It grows with x without bound.
func (t *Tail) Allowed(x float64) float64 {
	if t.Scale == 0 || x <= 0 {
		return x - t.Excess
	}
	return math.Min(x, Calibrated(t.Surprise(x))) - t.Excess
}

// Surprise returns -ln of the share of the fleet's bins that exceed x, which is not
// told apart up to At.
func (t *Tail) Surprise(x float64) float64 {
	if x <= t.At {
		return -t.LogOver
	}
	y := (x - t.At) / t.Scale
	if t.Shape > 0.01 {
		y = math.Log1p(t.Shape*y) / t.Shape
	}
	return y - t.LogOver
}

// Quantile returns the log mean ratio beyond which a share of exp(-l) of bins lie, for l
// not below -LogOver.
func (t *Tail) Quantile(l float64) float64 {
	y := l + t.LogOver
	if t.Shape > 0.01 {
		y = math.Expm1(t.Shape*y) / t.Shape
	}
	return t.At + t.Scale*y
}

// Calibrated returns the log evidence of a probability of exp(-l).
func Calibrated(l float64) float64 { return logKappa + (1-Kappa)*l }

// Kappa is the exponent of the calibrator: a smaller one takes less off where model
// and fleet agree, and more where they hardly differ.
const Kappa = 0.1

var logKappa = math.Log(Kappa)

// stat is a Shiryaev-Roberts statistic for each rate.
type stat [NumRates]float32

// maxStat is the ceiling of a statistic: exp of MaxLog.
var maxStat = math.Exp(MaxLog)

// step returns the statistic after a bin of weighed ratios, less cut nats: formula 3.
func (s *stat) step(w *weighed, cut, keep float64) (out stat) {
	top := math.Exp(math.Min(w.top-cut, MaxLog))
	for i, r := range s {
		out[i] = float32(math.Min((keep*float64(r)+1)*top*w.of[i], maxStat))
	}
	return out
}

// capped returns what is kept of a statistic whose bin is over: more would change no
// decision, and take days to fall when a leak has ended.
func (s *stat) capped(limit, age float64) stat {
	out := *s
	if max(s[0], s[1], s[2], s[3], s[4]) <= 1 {
		return out
	}
	most := math.Exp(limit) * age
	for i, r := range s {
		if r > 1 && float64(r) > most {
			out[i] = float32(most)
		}
	}
	return out
}

func (s *stat) sum() (v float64) {
	for _, r := range s {
		v += float64(r)
	}
	return v
}
