package fleet

import (
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/score"
)

// parameters makes what the next bin is scored with.
func (c *Config) parameters(f *Fleet) *score.Parameters {
	p := &score.Parameters{Bin: f.bin, Dimensions: make([]score.Dimension, len(f.dims))}
	live := 0.0
	for i := range f.dims {
		if f.dims[i].worked() {
			live += c.Shares[i]
		}
	}
	for i := range f.dims {
		d, out := &f.dims[i], &p.Dimensions[i]
		c.setThresholds(d, c.Budget*c.Shares[i]/max(live, 1e-9), &c.Groups[i], out)
		out.Known, out.Off = f.known, d.off
		all := d.classes[0]
		whole := all.export(&c.Tuning, nil)
		out.Classes = []score.Class{whole}
		tokens := d.largest()
		tokens = tokens[:min(len(tokens), mostClasses)]
		slices.Sort(tokens)
		for _, t := range tokens {
			if d.classes[t].days >= c.Tuning.ClassDays {
				k := d.classes[t].export(&c.Tuning, &whole)
				k.Token = t
				out.Classes = append(out.Classes, k)
			}
		}
	}
	p.Round()
	return p
}

// export makes the parameters of a class, drawn towards those of the dimension.
func (c *class) export(t *Tuning, whole *score.Class) score.Class {
	out := score.DefaultClass()
	prior := out
	if whole != nil {
		prior = *whole
	}
	out.Name, out.Day, out.Bin = c.name, c.day, c.bin
	out.Mode = c.mode
	for st := range out.K {
		if score.Stat(st) == score.DayShare || score.Stat(st) == score.DayFirst {
			continue
		}
		inverse := (c.square[st] + t.Dispersion/prior.K[st]) / (c.weight[st] + t.Dispersion)
		out.K[st] = 1 / min(max(inverse, 1.0/50), 10)
	}
	out.K[score.DayFirst] = out.K[score.DayDistinct]
	for st := range out.Tail {
		tail, ok := t.fit(&c.tail[st], c.low[st], score.Stat(st).Daily())
		if !ok {
			tail = prior.Tail[st]
		}
		out.Tail[st] = tail
	}
	for i := range out.First {
		n := c.young[i]
		if n < t.Newcomers {
			continue
		}
		for m := range out.First[i].Mean {
			// Moments of logarithms: a few services among thousands of customers
			// decide those of the counts, and would let a newcomer do anything.
			mean := c.first[i][m] / n
			v := max(0, c.firstSquare[i][m]/n-mean*mean)
			out.First[i].Mean[m] = math.Expm1(mean + v/2)
			out.First[i].Spread[m] = max(0.3, math.Expm1(v))
		}
	}
	return out
}

// tailNeeded is how many bins make a tail.
const tailNeeded = 50

// fit returns the tail of a histogram of log mean ratios, and false where too few bins
// are in it. Beyond the level that TailShare of bins exceed, and at least TailBins, it is
// a generalised Pareto by moments (Hosking and Wallis 1987): formula 5. Pseudo-excesses
// draw it towards shape 1/4 and a mean above that of the model, which implies 1 and 0:
// what a small fleet has not seen yet is worse than what it has. For the same reason the
// shape is raised by one standard error, 1/√m for m excesses. What a bin is worth beyond
// one in the mean is its Excess: of days, which are fewer and of which those of a person
// hang together, that of the raised tail.
func (c *Tuning) fit(h *[tailCells]float64, low float64, daily bool) (score.Tail, bool) {
	n := 0.0
	for _, v := range h {
		n += v
	}
	if n < tailNeeded {
		return score.Tail{}, false
	}
	over, at := 0.0, tailCells
	for at > 1 && over < max(c.TailShare*n, c.TailBins) {
		at--
		over += h[at]
	}
	u := tailEdge[at]
	m0, m1, m2 := c.TailPrior, c.TailPrior*c.TailExcess, 3*c.TailPrior*c.TailExcess*c.TailExcess
	for i := at; i < tailCells; i++ {
		y := tailMiddle[i] - u
		m0 += h[i]
		m1 += h[i] * y
		m2 += h[i] * y * y
	}
	mean := m1 / m0
	v := m2/m0 - mean*mean
	shape := min(max(0.5*(1-mean*mean/v), 0), c.TailShape)
	scale := mean * (1 - shape)
	seen := score.Tail{At: u, LogOver: math.Log((over + 1) / (n + 1)), Scale: scale, Shape: shape}
	t := seen
	t.Shape = min(shape+1/math.Sqrt(m0), c.TailShape)
	bound := &seen
	if daily {
		bound = &t
	}
	t.Excess = max(0, math.Log(usual(&t, bound, h, at, low, n)))
	return t, true
}

// usual returns what a bin is worth in the mean: those up to the tail as they were
// counted, those in it as of the tail seen, which tells of what has not come yet too.
func usual(t, seen *score.Tail, h *[tailCells]float64, at int, low, n float64) float64 {
	sum := low
	for i := 1; i < at; i++ {
		if h[i] == 0 {
			continue
		}
		sum += h[i] * math.Exp(t.Allowed(tailMiddle[i]))
	}
	mean := sum / n
	const step = 0.5
	l := -t.LogOver
	for over := math.Exp(-l); l < score.MaxLog/2; l += step {
		beyond := math.Exp(-l - step)
		mean += (over - beyond) * math.Exp(t.Allowed(seen.Quantile(l+step/2)))
		over = beyond
	}
	return mean + math.Exp(-score.Kappa*l)
}
