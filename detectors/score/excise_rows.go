package score

import (
	"math"

	"github.com/weirhq/weir/detectors/fleet"
)

// exciseRows takes the bins from..to out of what sizes of reports are usual for
// an identity. The bins with rows that are kept are taken back one by one, newest
// first, and those outside the interval are learned again: so those go out
// exactly. Of the older ones only sums are left. Their number by bin is taken to
// have been what it was in all of the identity's life, and their sizes those of
// the kept ones that went out; where there are none, what is left rests on fewer
// bins.
//
// The mean size never rises by it, and where sizes are a guess it does not fall
// below a quarter.
func (e *Engine) exciseRows(s *State, d *fleet.Dimension, h *history, from, to, kept uint32) {
	x := s.extra(fleet.RowsRead)
	if x == nil || x.exposure <= 0 {
		return
	}
	was := *x
	prior := &d.Prior[fleet.RowsRead]
	var again []float64 // newest first
	gone, n := 0.0, 0.0
	for i := h.n - 1; i >= 0 && h.visits[i].bin >= max(from, kept); i-- {
		rows := float64(h.visits[i].counts[fleet.RowsRead])
		if rows == 0 {
			continue
		}
		l, ok := x.unlearnRows(prior, rows)
		if !ok {
			continue
		}
		if h.visits[i].bin > to {
			again = append(again, rows)
		} else {
			gone, n = gone+l, n+1
		}
	}
	if from < kept {
		last := min(to, kept-1)
		share := e.rowsShare(s, x, from, last, kept)
		size := math.Inf(1)
		if n > 0 {
			size = gone / n
		}
		x.thinRows(share, size)
	}
	for i := len(again) - 1; i >= 0; i-- {
		w := expectRows(x, prior)
		x.learnRows(&w, again[i])
	}
	if x.exposure > 0 {
		x.shiftRows(min(float64(was.count)/float64(was.exposure)-float64(x.count)/float64(x.exposure), 0))
	}
}

// unlearnRows takes back the latest bin with rows, and returns the logarithm as
// which it had been learned. One that had been cut was cut to three standard
// deviations of what was known before it, which is found by bisection. A bin that
// cannot be in the sums, because it was taken out before, changes nothing.
func (x *series) unlearnRows(prior *fleet.Prior, rows float64) (float64, bool) {
	before := func(l float64) series {
		y := *x
		y.exposure = float32(max(float64(x.exposure)-1, 0) / rowsFade)
		if y.exposure < 1e-3 { // it was the first; what is left is rounding
			y.count, y.exposure, y.excess = 0, 0, 0
			return y
		}
		y.count = float32(max(float64(x.count)-l, 0) / rowsFade)
		y.excess = float32(max(float64(x.excess)-l*l, 0) / rowsFade)
		return y
	}
	beyond := func(l float64) bool {
		y := before(l)
		w := expectRows(&y, prior)
		return y.exposure >= rowsWeight && l > w.mean+3*math.Sqrt(w.variance)
	}
	l := math.Log(rows)
	if beyond(l) {
		lo, hi := 0.0, l
		for range 40 {
			if mid := (lo + hi) / 2; beyond(mid) {
				hi = mid
			} else {
				lo = mid
			}
		}
		l = lo
	}
	y := before(l)
	if sum := float64(y.count); float64(y.excess)*float64(y.exposure) < 0.999*sum*sum-0.01 {
		return 0, false // no numbers have such sums
	}
	*x = y
	return l, true
}

// rowsShare returns which part of the remembered bins with rows lies in the bins
// from..to, of those before kept.
func (e *Engine) rowsShare(s *State, x *series, from, to, kept uint32) float64 {
	full := min(float64(x.exposure)/rowsMemory, 0.99)
	if full <= 0 {
		return 0
	}
	// So many bins with rows there were: full = 1 - fade^number.
	number := math.Log1p(-full) / math.Log(rowsFade)
	each := number / float64(max(kept-(s.first-1), 1))
	of := math.Pow(rowsFade, each*float64(kept-1-to)) - math.Pow(rowsFade, each*float64(kept-from))
	return min(max(of/full, 0), 1)
}

// thinRows takes a share of the bins out, of a mean size given as its logarithm.
func (x *series) thinRows(share, size float64) {
	left := float64(x.exposure) * (1 - share)
	if left < 1e-3 {
		x.count, x.exposure, x.excess = 0, 0, 0
		return
	}
	mean := float64(x.count) / float64(x.exposure)
	rest := (float64(x.count) - share*float64(x.exposure)*size) / left
	x.count, x.excess, x.exposure = x.count*float32(1-share), x.excess*float32(1-share), float32(left)
	if !math.IsInf(size, 1) {
		x.shiftRows(min(max(rest-mean, math.Log(leastLeft)), 0))
	}
}

// shiftRows adds to all logarithms of sizes, which leaves their variance. Their
// mean stays at one row at the least.
func (x *series) shiftRows(by float64) {
	by = max(by, -float64(x.count)/float64(x.exposure))
	x.excess = float32(max(float64(x.excess)+2*by*float64(x.count)+by*by*float64(x.exposure), 0))
	x.count = float32(max(float64(x.count)+by*float64(x.exposure), 0))
}
