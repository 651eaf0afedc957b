// Package theory compares weir's engine with the detectors of theory: on streams
// of independent negative-binomial counts whose mean is multiplied at one
// instant, at equal realised mean time between false alarms (ARL). The CUSUM that
// is tuned to the very drift is the floor that nothing can go below.
package theory

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Noise is the law of the counts of calm bins, and of bins under each drift.
type Noise struct {
	Mean, K float64
	draws   map[float64]*table
}

// NewNoise returns the negative binomial of a mean and dispersion k.
func NewNoise(mean, k float64, drifts []float64) *Noise {
	n := &Noise{Mean: mean, K: k, draws: map[float64]*table{1: newTable(mean, k)}}
	for _, r := range drifts {
		n.draws[r] = newTable(r*mean, k)
	}
	return n
}

// Draw returns one count under a drift that NewNoise was given, or under 1.
func (n *Noise) Draw(rng *rand.Rand, drift float64) int { return n.draws[drift].draw(rng) }

// logRatio returns the log-likelihood ratio of a drift to r for counts up to a
// limit.
func (n *Noise) logRatio(r float64, limit int) []float64 {
	out := make([]float64, limit)
	for c := range out {
		out[c] = float64(c)*math.Log(r) + (float64(c)+n.K)*math.Log((n.Mean+n.K)/(r*n.Mean+n.K))
	}
	return out
}

// table draws counts by the alias method (Walker 1977).
type table struct {
	keep  []float64
	alias []int
}

func newTable(mean, k float64) *table {
	var p []float64
	total := 0.0
	for c := 0; total < 1-1e-13 && c < 100_000; c++ {
		x := float64(c)
		a, _ := math.Lgamma(x + k)
		b, _ := math.Lgamma(k)
		f, _ := math.Lgamma(x + 1)
		v := math.Exp(a - b - f + k*math.Log(k/(k+mean)) + x*math.Log(mean/(k+mean)))
		p = append(p, v)
		total += v
	}
	n := len(p)
	t := &table{keep: make([]float64, n), alias: make([]int, n)}
	var small, large []int
	for i := range p {
		p[i] *= float64(n) / total
		if p[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		t.keep[s], t.alias[s] = p[s], l
		if p[l] -= 1 - p[s]; p[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(small, large...) {
		t.keep[i] = 1
	}
	return t
}

func (t *table) draw(rng *rand.Rand) int {
	i := rng.IntN(len(t.keep))
	if rng.Float64() < t.keep[i] {
		return i
	}
	return t.alias[i]
}

func (t *table) size() int { return len(t.keep) }

// Sequential is a detector of theory: it takes counts one by one and tells how
// suspect the stream is. Alarm is a matter of a threshold, which Calibrate finds.
type Sequential interface {
	Step(count int) float64
	// Calm is the level below which an excursion is over: two crossings of a
	// threshold with none below it between them are one alarm.
	Calm() float64
	Reset()
}

// cusum is Page's statistic, tuned to one drift: the floor (Lorden 1971,
// Moustakides 1986).
type cusum struct {
	ratio []float64
	s     float64
}

// NewCUSUM returns the CUSUM tuned to a drift of the noise.
func NewCUSUM(n *Noise, drift float64) Sequential {
	return &cusum{ratio: n.logRatio(drift, n.limit())}
}

// limit is above every count that the tables draw.
func (n *Noise) limit() int {
	most := 0
	for _, t := range n.draws {
		most = max(most, t.size())
	}
	return most
}

// Step takes one count.
func (d *cusum) Step(c int) float64 {
	d.s = max(0, d.s+d.ratio[c])
	return d.s
}

// Calm is where the statistic begins anew.
func (d *cusum) Calm() float64 { return 0 }

// Reset begins anew.
func (d *cusum) Reset() { d.s = 0 }

// mixture is the mean of Shiryaev-Roberts statistics over drift rates, the
// baseline known.
type mixture struct {
	ratio [][]float64 // linear
	r     []float64
	nu    float64
}

// NewMixture returns the mixture over the given drift rates, with the
// probability weight nu of a drift that begins in the very bin.
func NewMixture(n *Noise, rates []float64, nu float64) Sequential {
	d := &mixture{r: make([]float64, len(rates)), nu: nu}
	for _, r := range rates {
		ratio := n.logRatio(r, n.limit())
		for i := range ratio {
			ratio[i] = math.Exp(ratio[i])
		}
		d.ratio = append(d.ratio, ratio)
	}
	return d
}

// Step takes one count.
func (d *mixture) Step(c int) float64 {
	sum := 0.0
	for i := range d.r {
		d.r[i] = min((d.r[i]+d.nu)*d.ratio[i][c], 1e30)
		sum += d.r[i]
	}
	return math.Log(sum / float64(len(d.r)))
}

// Calm is two nats, which the statistic reaches a few times a month.
func (d *mixture) Calm() float64 { return 2 }

// Reset begins anew.
func (d *mixture) Reset() { clear(d.r) }

// window is the sum over the last n bins.
type window struct {
	last []int
	at   int
	sum  int
	mean float64
}

// NewWindow returns a threshold on the sum over the last bins.
func NewWindow(n *Noise, bins int) Sequential {
	return &window{last: make([]int, bins), mean: n.Mean * float64(bins)}
}

// Step takes one count.
func (d *window) Step(c int) float64 {
	d.sum += c - d.last[d.at]
	d.last[d.at] = c
	d.at = (d.at + 1) % len(d.last)
	return float64(d.sum)
}

// Calm is the mean.
func (d *window) Calm() float64 { return d.mean }

// Reset begins with bins at the mean.
func (d *window) Reset() {
	d.sum = 0
	for i := range d.last {
		d.last[i] = int(d.mean) / len(d.last)
		d.sum += d.last[i]
	}
}

// zscore is how many standard deviations a bin is above the mean of the bins of
// the last thirty days, all estimated from these.
type zscore struct {
	last        []int
	at          int
	sum, square float64
}

// NewZScore returns the rule of so many standard deviations over a trailing
// mean.
func NewZScore(bins int) Sequential { return &zscore{last: make([]int, bins)} }

// Step takes one count.
func (d *zscore) Step(c int) float64 {
	n := float64(len(d.last))
	mean := d.sum / n
	score := (float64(c) - mean) / math.Sqrt(max(d.square/n-mean*mean, 1e-9))
	old := float64(d.last[d.at])
	d.sum += float64(c) - old
	d.square += float64(c)*float64(c) - old*old
	d.last[d.at] = c
	d.at = (d.at + 1) % len(d.last)
	return score
}

// Calm is the mean.
func (d *zscore) Calm() float64 { return 0 }

// Reset forgets nothing: the window holds what came before.
func (d *zscore) Reset() {}

// ewma is the exponentially weighted mean (Roberts 1959).
type ewma struct{ weight, mean, s float64 }

// NewEWMA returns the moving average that gives the newest bin a weight.
func NewEWMA(n *Noise, weight float64) Sequential {
	return &ewma{weight: weight, mean: n.Mean, s: n.Mean}
}

// Step takes one count.
func (d *ewma) Step(c int) float64 {
	d.s += d.weight * (float64(c) - d.s)
	return d.s
}

// Calm is the mean.
func (d *ewma) Calm() float64 { return d.mean }

// Reset begins at the mean.
func (d *ewma) Reset() { d.s = d.mean }

// Peaks are the highest values of the excursions of a calm run.
type Peaks struct {
	Bins int // how long the run was
	List []float64
	in   bool
	top  float64
}

// Add takes one value of a statistic whose excursions end at or below calm.
func (p *Peaks) Add(v, calm float64) {
	p.Bins++
	switch {
	case v <= calm && p.in:
		p.List = append(p.List, p.top)
		p.in = false
	case v > calm && !p.in:
		p.in, p.top = true, v
	case v > p.top:
		p.top = v
	}
}

// tailPeaks is how many of the highest peaks a threshold is extrapolated from.
const tailPeaks = 200

// Threshold returns the level that is reached once in arl bins: counted where
// the run is long enough, else laid on by an exponential tail above the
// tailPeaks highest peaks (peaks over threshold with shape zero, Pickands 1975).
func (p *Peaks) Threshold(arl float64) float64 {
	slices.Sort(p.List)
	want := float64(p.Bins) / arl // so many peaks reach it
	n := len(p.List)
	if want >= tailPeaks || n <= tailPeaks {
		at := n - int(math.Round(want))
		return p.List[min(max(at, 0), n-1)]
	}
	u := p.List[n-tailPeaks-1]
	excess := 0.0
	for _, v := range p.List[n-tailPeaks:] {
		excess += v - u
	}
	return u + excess/tailPeaks*math.Log(tailPeaks/want)
}

// Calibrate runs a detector over calm bins and returns the threshold at which
// its realised mean time between false alarms is arl bins.
func Calibrate(d Sequential, n *Noise, rng *rand.Rand, bins int, arl float64) float64 {
	var p Peaks
	for range settleBins {
		d.Step(n.Draw(rng, 1))
	}
	for range bins {
		p.Add(d.Step(n.Draw(rng, 1)), d.Calm())
	}
	return p.Threshold(arl)
}

// settleBins is how long a detector runs before it is looked at: 35 days of
// hours, so that trailing windows are full.
const settleBins = 35 * 24

// Delay returns the mean number of bins from a drift to the alarm, the bin of
// the alarm included, over runs that begin calm. A run without alarm for limit
// bins counts as limit.
func Delay(d Sequential, n *Noise, rng *rand.Rand, drift, threshold float64, runs, limit int) float64 {
	total := 0
	for range runs {
		d.Reset()
		for range settleBins {
			if d.Step(n.Draw(rng, 1)) >= threshold {
				d.Reset() // a false alarm, dealt with
			}
		}
		for bin := 1; ; bin++ {
			if d.Step(n.Draw(rng, drift)) >= threshold || bin == limit {
				total += bin
				break
			}
		}
	}
	return float64(total) / float64(runs)
}
