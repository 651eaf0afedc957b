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
		if f.dims[i].days > 0 || f.dims[i].bins > 0 {
			live += c.Shares[i]
		}
	}
	for i := range f.dims {
		d, out := &f.dims[i], &p.Dimensions[i]
		for g := range out.Threshold {
			share := c.Budget * c.Shares[i] / max(live, 1e-9) * c.Groups[g]
			out.Threshold[g] = c.threshold(d, score.Group(g), share)
		}
		out.Known = f.known
		all := d.classes[0]
		whole := all.export(nil)
		out.Classes = []score.Class{whole}
		tokens := d.largest()
		tokens = tokens[:min(len(tokens), mostClasses)]
		slices.Sort(tokens)
		for _, t := range tokens {
			if d.classes[t].days >= classDays {
				k := d.classes[t].export(&whole)
				k.Token = t
				out.Classes = append(out.Classes, k)
			}
		}
	}
	p.Round()
	return p
}

// classDays is how many days of its members make a class.
const classDays = 100

// threshold returns the least evidence that is crossed no more often than share
// times a day. What the fleet has crossed in its memory is counted; theory, which
// says that a day or bin in which a change may begin adds one to a statistic's
// mean, counts as if it had been seen for Prior days more: formula 6.
func (c *Config) threshold(d *dim, g score.Group, share float64) float64 {
	growth := 1.0
	if d.span > 0 {
		n := d.days
		if g == score.Burst {
			n = d.bins
		}
		growth = max(n/d.span, 1)
	}
	for h := minThreshold; h < score.MaxLog-1; h += 0.25 {
		seen := d.cross[g][int(2*(h-edgeFrom))]
		if (seen+c.Prior*growth*math.Exp(-h))/(d.span+c.Prior) <= share {
			return h
		}
	}
	return score.MaxLog - 1
}

// minThreshold leaves room under a threshold for evidence to be told of, and for an
// episode to end, which it does two nats below.
const minThreshold = 3.5

// dispersionPrior is how many bins the usual dispersion counts for.
const dispersionPrior = 20

// export makes the parameters of a class, drawn towards those of the dimension.
func (c *class) export(whole *score.Class) score.Class {
	out := score.DefaultClass()
	prior := out
	if whole != nil {
		prior = *whole
	}
	out.Name, out.Day, out.Bin, out.Off = c.name, c.day, c.bin, c.off
	out.Mode = c.mode
	for st := range out.K {
		if score.Stat(st) == score.DayShare || score.Stat(st) == score.DayFirst {
			continue
		}
		inverse := (c.square[st] + dispersionPrior/prior.K[st]) / (c.weight[st] + dispersionPrior)
		out.K[st] = 1 / min(max(inverse, 1.0/50), 10)
	}
	out.K[score.DayFirst] = out.K[score.DayDistinct]
	for st := range out.Tail {
		t, ok := fit(&c.tail[st])
		if !ok {
			t = prior.Tail[st]
		}
		out.Tail[st] = t
	}
	for i := range out.First {
		n := c.young[i]
		if n < newcomers {
			continue
		}
		for m := range out.First[i].Mean {
			mean := c.first[i][m] / n
			v := c.firstSquare[i][m]/n - mean*mean - mean
			out.First[i].Mean[m] = mean
			out.First[i].Spread[m] = max(0.3, v/(mean*mean+0.1))
		}
	}
	return out
}

// newcomers is how many first days tell what newcomers do.
const newcomers = 10

// The tail of the log mean ratios, beyond the level that a hundredth of bins
// exceed, and at least fifteen bins, is a generalised Pareto by moments (Hosking
// and Wallis 1987), of shape 0 to 0.5: formula 5. Ten pseudo-excesses draw it towards
// mean 2 and shape 1/4: the model implies 1 and 0, but what a small fleet has not seen
// yet is worse than what it has.
const (
	tailShare  = 0.01
	tailBins   = 15
	tailPrior  = 10
	tailExcess = 2.0
	tailShape  = 0.5
	tailNeeded = 50
)

// fit returns the tail of a histogram, and false where too few bins are in it.
func fit(h *[tailCells]float64) (score.Tail, bool) {
	n := 0.0
	for _, v := range h {
		n += v
	}
	if n < tailNeeded {
		return score.Tail{}, false
	}
	over, at := 0.0, tailCells
	for at > 1 && over < max(tailShare*n, tailBins) {
		at--
		over += h[at]
	}
	u := tailEdge(at)
	m0, m1, m2 := float64(tailPrior), tailPrior*tailExcess, 3*tailPrior*tailExcess*tailExcess
	for i := at; i < tailCells; i++ {
		y := math.Sqrt(tailEdge(i)*tailEdge(i+1)) - u
		m0 += h[i]
		m1 += h[i] * y
		m2 += h[i] * y * y
	}
	mean := m1 / m0
	v := m2/m0 - mean*mean
	shape := min(max(0.5*(1-mean*mean/v), 0), tailShape)
	return score.Tail{At: u, LogOver: math.Log(max(over, 1) / n), Scale: mean * (1 - shape), Shape: shape}, true
}
