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
func countRatios(c, mu, k float64) (l ratios) {
	for i, r := range Rates {
		d := math.Log((k + mu) / (k + r*mu))
		l[i] = c*(logRates[i]+d) + k*d
	}
	return l
}

// shareRatio returns the log ratio of f new records among n at an expected share
// of q1 against q0, for a beta-binomial of concentration phi: formula 2.
func shareRatio(f, n, q1, q0, phi float64) float64 {
	return rise(phi*q1, phi*q0, f) + rise(phi*(1-q1), phi*(1-q0), n-f)
}

// rise returns ln of (Γ(a+n)/Γ(a)) / (Γ(b+n)/Γ(b)), for whole n: a product for
// small ones, a series of Stirling's for what is left.
func rise(a, b, n float64) float64 {
	if a == b {
		return 0
	}
	p, m := 1.0, math.Min(n, 24)
	for j := 0.0; j < m; j++ {
		p *= (a + j) / (b + j)
	}
	l := math.Log(p)
	if n > m {
		l += stirling(a+n) - stirling(a+m) - stirling(b+n) + stirling(b+m)
	}
	return l
}

// stirling returns ln Γ(x) less its constant, to 1e-8 for x above 24.
func stirling(x float64) float64 {
	return (x-0.5)*math.Log(x) - x + 1/(12*x) - 1/(360*x*x*x)
}

// logMean returns the logarithm of the mean ratio.
func (l *ratios) logMean() float64 {
	top := l[0]
	for _, x := range l[1:] {
		top = max(top, x)
	}
	sum := 0.0
	for _, x := range l {
		if x > top-30 {
			sum += math.Exp(x - top)
		}
	}
	return top + math.Log(sum/NumRates)
}

// Tail is how surprising the bins of such a fleet are: beyond At, which a share of
// exp(LogOver) of bins exceed, the log mean ratio follows a generalised Pareto.
// The zero value is a fleet that behaves as the model says.
type Tail struct {
	At, LogOver, Scale, Shape float64
}

// Allowed returns what a log mean ratio of x is worth: itself, but no more than
// the calibrator κ·q^(κ-1) (Vovk and Wang 2021) makes of the share q of the fleet's
// bins that exceed it: formula 4. It grows with x without bound.
func (t *Tail) Allowed(x float64) float64 {
	if t.Scale == 0 {
		return x
	}
	l := -t.LogOver
	if x > t.At {
		y := (x - t.At) / t.Scale
		if t.Shape > 0.01 {
			y = math.Log1p(t.Shape*y) / t.Shape
		}
		l += y
	}
	return math.Min(x, logKappa+(1-kappa)*l)
}

// kappa is the exponent of the calibrator: a smaller one takes less off where model
// and fleet agree, and more where they hardly differ.
const kappa = 0.1

var logKappa = math.Log(kappa)

// stat is a Shiryaev-Roberts statistic for each rate.
type stat [NumRates]float32

// maxStat is the ceiling of a statistic: exp of MaxLog.
var maxStat = math.Exp(MaxLog)

// step returns the statistic after a bin of ratios l, less cut nats: formula 3.
func (s *stat) step(l *ratios, cut, keep float64) (out stat) {
	for i, r := range s {
		out[i] = float32(math.Min((keep*float64(r)+1)*math.Exp(math.Min(l[i]-cut, MaxLog)), maxStat))
	}
	return out
}

// headroom is how far, in nats, a statistic may stay above its threshold when its
// bin is over: more would change no decision, and take days to fall when a leak has
// ended.
const headroom = 6

// capped returns what is kept of a statistic.
func (s *stat) capped(threshold float64) stat {
	out := *s
	for i, r := range s {
		if r > 1 && float64(r) > math.Exp(threshold+headroom) {
			out[i] = float32(math.Exp(threshold + headroom))
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
