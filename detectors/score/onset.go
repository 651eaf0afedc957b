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

// Onset returns since when a statistic of an identity has drifted. Each bin with work
// that is kept, and the running one with counts c, is as likely at first; the
// likelihood ratios of the counts since then weigh them, in the mean over Rates: the
// posterior of Shiryaev (1963). What was before the first of them cannot be counted any
// more: Low may be as early as the evidence stands out, Bin may not. Work at unusual
// hours is dated by its first bin.
func (e *Engine) Onset(s *State, u *Usual, dim int, p *Parameters, bin int64, c *Counts, ev *Evidence) Onset {
	st, rise := ev.Stat, ev.Onset
	var room visitRoom
	all := s.known(room[:])
	if n := len(all); c.any() && (n == 0 || int64(all[n-1].bin) < bin) {
		all = append(all, visit{bin: clampBin(bin), c: *c})
	}
	if len(all) == 0 {
		return Onset{bin, bin, bin}
	}
	if at, ok := s.firstOdd(); ok && st == DayOff {
		at = max(at, int64(all[0].bin))
		return Onset{at, at, at}
	}
	var weightRoom [len(room)]float64
	weights := e.onsetWeights(s, u, p.class(dim, s.group), all, st, weightRoom[:0])
	out := Onset{quantile(all, weights, 0.05), quantile(all, weights, 0.5), quantile(all, weights, 0.95)}
	if out.Low == int64(all[0].bin) {
		out.Low = min(out.Low, rise)
	}
	return out
}

// onsetWeights returns the probability of each bin to be the first of the drift, in logs
// as far as it suffices.
func (e *Engine) onsetWeights(s *State, u *Usual, class *Class, all []visit, st Stat, logs []float64) []float64 {
	logs = slices.Grow(logs, len(all))[:len(all)]
	expected := e.expectOnset(s, u, class, st)
	var ofCell [hours]drift
	var since ratios
	top := math.Inf(-1)
	for i := len(all) - 1; i >= 0; i-- {
		_, cell := e.local(int64(all[i].bin))
		d := &ofCell[cell]
		if !d.known {
			*d = driftOf(expected(cell))
		}
		l := d.ratios(all[i].c[st.measure()])
		for r := range since {
			since[r] += onsetWitness * l[r]
		}
		w := since.weigh()
		logs[i] = w.log
		top = max(top, w.log)
	}
	sum := 0.0
	for i, l := range logs {
		logs[i] = math.Exp(l - top)
		sum += logs[i]
	}
	for i := range logs {
		logs[i] /= sum
	}
	return logs
}

// expectOnset returns what is expected of a statistic in a bin with work at an hour of
// the week, and its dispersion.
func (e *Engine) expectOnset(s *State, u *Usual, class *Class, st Stat) func(cell int) (mu, k float64) {
	bins := [NumStats]Stat{
		DayDistinct: BinDistinct, DayFirst: BinFirst, DayShare: BinFirst, BinDistinct: BinDistinct, BinFirst: BinFirst,
		DayRows: BinRows, DayDestructive: DayDestructive, DayUnissued: DayUnissued, DayOff: BinDistinct, BinRows: BinRows,
	}[st]
	mean := 0.0
	switch m := st.measure(); m {
	case Distinct:
		mean = float64(u.Pace)
	case FirstTouch:
		mean = float64(u.Level[FirstTouch] / u.Bins)
	default:
		mean = float64(u.Rare[m-Rows] / u.Bins)
	}
	return func(cell int) (mu, k float64) {
		return max(mean*e.shape(s, cell), e.Tuning.Floor[bins]), class.K[bins]
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

// OddBefore returns how many records were touched at unusual hours on the days before
// the running one, since the evidence stands out.
func (s *State) OddBefore() float64 {
	if s.more == nil {
		return 0
	}
	return float64(s.more.oddRun)
}

// quantile returns the bin below which, itself included, there is a share of the
// weight.
func quantile(all []visit, weights []float64, share float64) int64 {
	sum := 0.0
	for i, w := range weights {
		if sum += w; sum >= share {
			return int64(all[i].bin)
		}
	}
	return int64(all[len(all)-1].bin)
}
