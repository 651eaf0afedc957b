package fleet

import (
	"math"
)

// Bounds of a threshold, in nats. The lower one leaves room under it for a
// candidate to be told and for an episode to close.
const (
	MinThreshold = 3.5
	MaxThreshold = MaxLog - 1
)

// Formula returns the threshold that theory asks for: R less the sum of ν is a
// martingale under the null, so that by Ville's inequality streams whose ν sum
// to growth in a day cross A no more than growth/A times a day (Pollak 1985 has
// ν = 1). A stream that is hardly ever active costs hardly anything: nine
// thousand customers who read their own record do not raise the threshold of
// the staff beside them much. The budget is shared evenly by the dimensions that
// have identities: three keys may matter more than a million users.
func (e *Model) Formula(growth float64, dims int) float64 {
	arl := growth * float64(max(dims, 1)) / e.budget
	return min(max(math.Log(arl), MinThreshold), MaxThreshold)
}

// settle returns the threshold that follows from the two. The formula is a bound
// and holds whatever the fleet is like, so it stands alone at first, and the
// fleet's own tail may only raise it; but it knows nothing of how far apart
// crossings really are, and left alone it spends a quarter of the budget. So
// from a week on, as the tail becomes known, it may also lower the threshold,
// day by day, to at most settleMost below the bound.
func settle(formula, tail, days float64) float64 {
	if tail == 0 {
		return formula
	}
	trust := min(max((days-settleAfter)*settleADay, 0), settleMost)
	return min(max(tail, formula-trust, MinThreshold), MaxThreshold)
}

const (
	settleAfter = 7.0 // days
	settleADay  = 0.5 // nats
	settleMost  = 3.0 // nats
)

// MaxRelief is how far, in nats, the fleet's own tail may lower a threshold
// below Dimension.Formula.
const MaxRelief = settleMost

// observeTails folds what a bin tells of the tails of the evidence. A bin in which
// everybody does more is left out: it says how well the common mode is divided
// out, not how high the evidence of ordinary days rises, and one sale would blunt
// the thresholds for weeks.
func (e *Model) observeTails(f *Fleet, s *Sums) {
	for i := range f.dims {
		if f.dims[i].measures[Distinct].mode > ordinaryMode {
			return
		}
	}
	for i := range f.dims {
		d := &f.dims[i]
		d.tailDays += d.started / e.PerDay
		if i >= len(s.dims) {
			continue
		}
		for j, v := range s.dims[i].Tail {
			d.tail[j] += float64(v)
		}
	}
}

// ordinaryMode is the common mode up to which a bin is an ordinary one.
const ordinaryMode = 1.25

// tailNeeded is how many upcrossings make an empirical rate worth believing.
const tailNeeded = 10

// TailThreshold returns the log evidence that the fleet's own streams have
// crossed upwards no more than budget times a day, zero if too little has been
// seen to say.
//
// Where crossings are too few to count, their number is extrapolated with an
// exponential tail: peaks over a threshold with shape zero (Balkema and de Haan
// 1974, Pickands 1975), the mean excess drawn towards one nat by ten
// pseudo-observations, since one is what theory gives for the logarithm of a
// Shiryaev-Roberts statistic.
func TailThreshold(tail *[TailCells]float64, days, budget float64) float64 {
	var over [TailCells + 1]float64 // excursions that reached an edge
	for i := TailCells - 1; i >= 0; i-- {
		over[i] = max(tail[i], over[i+1])
	}
	if over[0] < tailNeeded {
		return 0
	}
	last := 0 // the highest edge with enough of them
	for last+1 < TailCells && over[last+1] >= tailNeeded {
		last++
	}
	spend := budget * days
	if over[last] <= spend {
		i := 0
		for over[i] > spend {
			i++
		}
		return TailFrom + float64(i)*TailStep
	}
	var excess float64
	for _, n := range over[last+1:] {
		excess += n * TailStep
	}
	scale := (excess + tailNeeded) / (over[last] + tailNeeded)
	return TailFrom + float64(last)*TailStep + scale*math.Log(over[last]/spend)
}
