package score

import (
	"math"
	"slices"
)

// Onset is since when an identity has drifted: bins. It is in Low..High with a
// probability of 0.9, and as likely before Bin as after it.
type Onset struct{ Low, Bin, High int64 }

// onsetWitness is what the evidence of a bin counts for in an onset: the hours of a
// busy day are busy together.
const onsetWitness = 0.5

// onsetVolume is how many times what one statistic says of a drift those of its group
// say together. It is set by the coverage that TestOnset prints.
const onsetVolume = 1.5

// Onset returns since when a statistic of an identity has drifted. Each bin with work is
// as likely at first; the likelihood ratios of the counts since then weigh them, in the
// mean over Rates: the posterior of Shiryaev (1963). What was before the bins that are
// kept cannot be counted any more: Low may be as early, Bin may not. What was before the
// bin from belongs to an episode that is over. Work at unusual hours is dated by its
// first bin.
func (e *Engine) Onset(s *State, u *Usual, dim int, p *Parameters, from, bin int64, c *Counts, ev *Evidence) Onset {
	st := ev.Stat
	var room visitRoom
	all := s.known(room[:])
	if n := len(all); c.any() && (n == 0 || int64(all[n-1].bin) < bin) {
		all = append(all, visit{bin: clampBin(bin), c: *c})
	}
	for len(all) > 0 && int64(all[0].bin) < from {
		all = all[1:]
	}
	if len(all) == 0 {
		return Onset{bin, bin, bin}
	}
	if at, ok := s.firstOdd(); ok && st == DayOff {
		at = max(at, int64(all[0].bin))
		return Onset{at, at, at}
	}
	var weightRoom [len(room)]float64
	weights, before := e.onsetWeights(s, u, p.class(dim, s.group), all, st, weightRoom[:0])
	first, last := int64(all[0].bin), int64(all[len(all)-1].bin)
	lived := max(0, first-max(int64(s.first)-1, from))
	most := min(lived, int64(watchDays*e.perDay)) * int64(len(all)) / (last - first + 1)
	gone := before.sum(most)
	sum := gone
	for _, w := range weights {
		sum += w
	}
	return Onset{
		Low:  max(from, before.quantile(all, weights, gone, 0.05*sum, most)),
		Bin:  quantile(all, weights, 0.5*sum-gone),
		High: quantile(all, weights, 0.95*sum-gone),
	}
}

// earlier is how likely a drift began before the bins that are kept: by rate, the weight
// of the first of them, and by how much that falls with each bin with work before it.
// Had somebody drifted for so long, the evidence would have stood out before, by what a
// day of such a drift says in the mean; of a weak drift that is little.
type earlier struct{ weight, fall ratios }

// sum returns the weight of the last n bins with work before the first that is kept.
func (x *earlier) sum(n int64) (sum float64) {
	for r, w := range x.weight {
		if fall := x.fall[r]; fall > 1e-9 {
			sum -= w * math.Expm1(-fall*float64(n)) / math.Expm1(fall)
		} else {
			sum += w * float64(n)
		}
	}
	return sum
}

// quantile returns the bin below which there is a weight, where most bins before the
// first that is kept weigh gone.
func (x *earlier) quantile(all []visit, weights []float64, gone, weight float64, most int64) int64 {
	if weight > gone {
		return quantile(all, weights, weight-gone)
	}
	n := most
	for n > 1 && gone-x.sum(n-1) < weight {
		n--
	}
	first, last := int64(all[0].bin), int64(all[len(all)-1].bin)
	return first - n*(last-first+1)/int64(len(all))
}

// onsetWeights returns how likely each bin is the first of the drift, up to a factor, in
// weights as far as it suffices; and how likely those before them are.
func (e *Engine) onsetWeights(s *State, u *Usual, class *Class, all []visit, st Stat, weights []float64) ([]float64, earlier) {
	weights = slices.Grow(weights, len(all))[:len(all)]
	expected := e.expectOnset(s, u, class, st)
	shown := s.shown(st.measure())
	var ofCell [hours]drift
	var since ratios
	var before earlier
	top := math.Inf(-1)
	for i := len(all) - 1; i >= 0; i-- {
		_, cell := e.local(int64(all[i].bin))
		d := &ofCell[cell]
		if !d.known {
			mu, k := expected(cell)
			*d = driftOf(mu*shown, k)
		}
		l := d.ratios(all[i].c[st.measure()] * shown)
		for r := range since {
			since[r] += onsetWitness * l[r]
		}
		w := since.weigh()
		weights[i] = w.log
		top = max(top, w.log)
	}
	for i, l := range weights {
		weights[i] = math.Exp(l - top)
	}
	mean, _, daily := onsetMean(u, st)
	mu := max(mean*float64(u.Bins), e.Tuning.Floor[daily]) * shown
	day := driftOf(mu, class.K[daily])
	for r, rate := range Rates {
		before.weight[r] = math.Exp(since[r]-top) / NumRates
		before.fall[r] = onsetVolume * day.ratios(rate * mu)[r] / float64(u.Bins)
	}
	return weights, before
}

// expectOnset returns what is expected of a statistic in a bin with work at an hour of
// the week, and its dispersion.
func (e *Engine) expectOnset(s *State, u *Usual, class *Class, st Stat) func(cell int) (mu, k float64) {
	mean, bins, _ := onsetMean(u, st)
	return func(cell int) (mu, k float64) {
		return max(mean*e.shape(s, cell), e.Tuning.Floor[bins]), class.K[bins]
	}
}

// onsetMean returns what is usual of a statistic in a bin with work, and by which
// statistics a bin and a day vary.
func onsetMean(u *Usual, st Stat) (mean float64, bin, day Stat) {
	switch m := st.measure(); m {
	case Distinct:
		return float64(u.Pace), BinDistinct, DayDistinct
	case FirstTouch:
		return float64(u.Level[FirstTouch] / u.Bins), BinFirst, DayFirst
	case Rows:
		return float64(u.Rare[0] / u.Bins), BinRows, DayRows
	default:
		st = DayRows + Stat(m-Rows)
		return float64(u.Rare[m-Rows] / u.Bins), st, st
	}
}

// firstOdd returns the first bin of work at unusual hours since the evidence stands out.
func (s *State) firstOdd() (bin int64, ok bool) {
	switch {
	case s.more == nil:
		return 0, false
	case s.more.oddFrom > 0:
		return int64(s.more.oddFrom) - 1, true
	}
	return int64(s.more.at), s.more.odd > 0
}

// EndOdd begins the count of records at unusual hours anew: the episode to which those
// before belong is over.
func (s *State) EndOdd() {
	if s.more != nil {
		s.more.oddRun, s.more.oddFrom = 0, 0
	}
}

// quantile returns the bin below which, itself included, there is a weight.
func quantile(all []visit, weights []float64, weight float64) int64 {
	sum := 0.0
	for i, w := range weights {
		if sum += w; sum >= weight {
			return int64(all[i].bin)
		}
	}
	return int64(all[len(all)-1].bin)
}
