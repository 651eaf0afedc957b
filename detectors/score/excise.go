package score

import (
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/fleet"
)

// Excise takes the bins from..to, both included, out of what is usual for an
// identity: a leak that people have confirmed must not become its normal. The
// evidence stays, and so does what is kept of single bins.
//
// Of the last two days every bin is kept, and goes out exactly. What lies before
// is in the decayed sums only: there the interval's share of the memory goes, at
// the rate that its kept bins had, if there are any. What is left is at no higher
// a level than now or some weeks ago, and at no less than a quarter of that, since
// the rate is a guess. Where nearly all of the memory is the interval's, nearly
// nothing is left, and the peers' prior decides, as of a newcomer. So a baseline
// is never higher after than before, and bins taken out twice do little harm.
//
// Bins that are not closed yet are left alone.
func (e *Engine) Excise(s *State, dim int, from, to int64, p *fleet.Parameters) {
	if !s.Seen() || to < from || to < s.FirstBin() {
		return
	}
	first, last := max(fleet.ClampBin(max(from, 0)), s.first-1), min(fleet.ClampBin(max(to, 0)), s.last-1)
	if first > last {
		return
	}
	d := p.Of(dim, s.group)
	var h history
	h.read(s.recent)
	kept := e.oldestKept(s.last - 1)
	if h.n == maxVisits {
		kept = max(kept, h.visits[0].bin)
	}
	var rate [fleet.NumCore]float64
	pace := 1.0
	e.exciseRows(s, d, &h, first, last, kept)
	if last >= kept {
		rate, pace = e.exciseKept(s, d, &h, max(first, kept), last)
	}
	if first < kept {
		e.exciseOld(s, first, min(last, kept-1), max(last, kept-1), &rate, pace)
	}
}

// memory returns the horizon of a decayed sum at the identity's present age.
func (e *Engine) memory(s *State, m int) float64 {
	age := float64(s.last - s.first)
	return min(e.level[m], e.PerDay+age/2)
}

// exciseKept takes out bins of which the counts are known, and returns the level
// that they had, zero where it cannot be told, and how much they taught.
func (e *Engine) exciseKept(s *State, d *fleet.Dimension, h *history, from, to uint32) (rate [fleet.NumCore]float64, pace float64) {
	var count, exposure [fleet.NumCore]float64
	var noise [fleet.NumCore]series // what the bins taught of how uneven counts are
	var days today
	type worked struct {
		cell    int
		learned float64
	}
	var hours []worked
	before := e.expectOf(&s.core[fleet.Distinct], &d.Prior[fleet.Distinct]).level
	age := float64(s.last - s.first)
	slow := 1 - 1/min(e.dispersion, e.PerDay+age/2)
	for bin := from; bin <= to; bin++ {
		c := h.counts(bin)
		t := e.setting(s, d, bin)
		t.mode = fleet.Calm // the fleet's mode of a past bin is no longer known
		days.turn(t.day)
		l := e.weigh(s, d, &t, &days, false, &c)
		b, settled := &l.base, t.age > e.youth
		w := lesson(h.taught(bin))
		pace += w / float64(to-from+1)
		ago := float64(s.last - 1 - bin)
		learned := b.cut(c[fleet.Distinct], settled)
		fresh := c[fleet.FirstTouch] * learned / max(c[fleet.Distinct], 1)
		fade := math.Exp(-ago / e.memory(s, int(fleet.Distinct)))
		count[fleet.Distinct] += w * fade * learned
		exposure[fleet.Distinct] += w * fade * b.shape
		hours = append(hours, worked{fleet.Cell(t.hour), learned})
		e.exciseRare(s, &c, fade)
		fade = math.Exp(-ago / e.memory(s, int(fleet.FirstTouch)))
		count[fleet.FirstTouch] += w * fade * fresh
		exposure[fleet.FirstTouch] += w * fade * learned

		residual := b.clip(learned, settled) - b.mu
		noise[fleet.Distinct].excess = fold(noise[fleet.Distinct].excess, slow, w*(residual*residual-(residual+b.mu)))
		noise[fleet.Distinct].square = fold(noise[fleet.Distinct].square, slow, w*b.mu*b.mu)
		noise[fleet.FirstTouch].learnShare(fresh, learned, l.share.mean, 1, slow, w)
		days.learn(b, b.clip(c[fleet.Distinct], settled), slow, w)
		days.learnShare(c[fleet.FirstTouch], c[fleet.Distinct], l.share.mean, slow, w)
	}
	for m := range s.core {
		least := 0.0
		if older := s.past(); older != nil && older.exposure[m] > 0 {
			least = float64(older.count[m]) / float64(older.exposure[m]) / 2
		}
		s.core[m].without(count[m], exposure[m], least)
		if exposure[m] > 0 {
			rate[m] = count[m] / exposure[m]
		}
	}
	if p := s.profile(); p != nil {
		// They were observed as multiples of a level somewhere between the two.
		level := math.Sqrt(before * e.expectOf(&s.core[fleet.Distinct], &d.Prior[fleet.Distinct]).level)
		for _, h := range slices.Backward(hours) {
			p.forget(h.cell, h.learned/level)
		}
		p.compare(d)
		p.balance(d, level)
	}
	since := float32(math.Pow(slow, float64(s.last-1-to)))
	for m := range s.core {
		x := &s.core[m]
		x.excess, x.square = calmer(x.excess, x.square, since*noise[m].excess, since*noise[m].square)
	}
	if now := s.today(); now != nil {
		now.shared, now.square = calmer(now.shared, now.square, since*days.shared, since*days.square)
		now.alike, now.pairs = calmer(now.alike, now.pairs, since*days.alike, since*days.pairs)
		now.spread, now.weight = calmer(now.spread, now.weight, since*days.spread, since*days.weight)
	}
	return rate, pace
}

// forget takes back the last observation of a cell, if that was a high one.
func (p *profile) forget(cell int, x float64) {
	if p.n[cell] <= 1 {
		return // all that is known of the hour
	}
	n, mean := float64(p.n[cell]), float64(p.mean[cell])
	if x > mean {
		p.n[cell]--
		p.mean[cell] = float32(max((n*mean-x)/(n-1), 0))
	}
}

// calmer takes what some bins taught out of the two sums whose ratio says how
// uneven an identity is. The ratio does not rise by it, nor fall below zero: what
// the bins taught is worked out with the baseline of now, and so nearly right.
func calmer(over, under, lessOver, lessUnder float32) (float32, float32) {
	if over <= 0 || under <= 0 {
		return over, under
	}
	left := max(under-max(lessUnder, 0), 0)
	return min(max(over-max(lessOver, 0), 0), left*over/under), left
}

// exciseRare takes the counts of a bin out of the measures after the core, but for
// rows, which are told by their size and not by a level: exciseRows.
func (e *Engine) exciseRare(s *State, c *fleet.Counts, fade float64) {
	for m := fleet.Measure(fleet.NumCore); m < fleet.NumMeasures; m++ {
		if x := s.extra(m); x != nil && m != fleet.RowsRead && m != fleet.Newcomer {
			x.count = float32(max(float64(x.count)-c[m]*fade, 0))
		}
	}
}

// without subtracts from a level's sums. The level does not rise by it, and does
// not fall below least unless it was below: what is left after many days' excision
// is a small difference of large sums.
func (x *series) without(count, exposure, least float64) {
	if x.exposure <= 0 {
		return
	}
	was := float64(x.count) / float64(x.exposure)
	left := max(float64(x.exposure)-exposure, 0)
	x.count = float32(min(max(float64(x.count)-count, least*left, 0), was*left))
	x.exposure = float32(left)
}

// leastLeft is the part of the level that is left at the least where the rate of
// what is taken out is a guess.
const leastLeft = 0.25

// exciseOld takes out the bins from..to, of which only the sums are left, after
// those up to done have been. rate is the level that they are taken to have had,
// pace how much they taught.
func (e *Engine) exciseOld(s *State, from, to, done uint32, rate *[fleet.NumCore]float64, pace float64) {
	older := s.past()
	for m := range s.core {
		x := &s.core[m]
		memory := e.memory(s, m)
		share := 1.0
		if rest := 1 - e.shareOf(s, memory, pace, to+1, done); rest > 0 {
			share = min(e.shareOf(s, memory, pace, from, to)/rest, 1)
		}
		level := 1.0
		if older != nil {
			level = min(older.ratio(m, x, e), 1)
		}
		x.count, x.exposure = thin(x.count, x.exposure, share, rate[m], level)
		if older != nil {
			share = e.shareOf(s, e.pastLevel, 1, from, done)
			older.count[m], older.exposure[m] = thin(older.count[m], older.exposure[m], share, rate[m], 1)
		}
	}
}

// thin takes a share out of the sums of a level, at a rate, and returns what is
// left: at no more than most times the level before.
func thin(count, exposure float32, share, rate, most float64) (float32, float32) {
	c, x := float64(count), float64(exposure)
	left := x * (1 - share)
	if x == 0 || left <= 0 {
		return 0, 0
	}
	level := most * c / x
	if rest := (c - share*x*rate) / left; rate > 0 {
		level = min(level, max(rest, leastLeft*level))
	}
	return float32(level * left), float32(left)
}

// shareOf returns which part of an exponential memory is of the bins from..to, where
// they and those after them taught so much of what they had to tell.
func (e *Engine) shareOf(s *State, memory, pace float64, from, to uint32) float64 {
	since := func(bin uint32) float64 { return math.Exp(-pace * float64(s.last-bin) / memory) }
	of := since(to+1) - since(from)
	whole := 1 - since(from)*math.Exp(-max(float64(from)-float64(s.first)+1, 0)/memory)
	return min(max(of/whole, 0), 1)
}
