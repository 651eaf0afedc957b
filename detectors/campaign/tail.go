package campaign

import (
	"math"

	"github.com/weirhq/weir/detectors/score"
)

// Bounds of a threshold, in nats. The lower one leaves room under it for an
// episode to close.
const (
	minThreshold = 3.5
	maxThreshold = score.MaxLog - 1
)

// The tail is counted at edges of log evidence.
const (
	tailStep  = 0.5 // nats
	tailFrom  = 2.0 // nats, the lowest edge
	tailCells = int((score.MaxLog - tailFrom) / tailStep)
)

// tailEdge returns how many edges lie at or below a log evidence.
func tailEdge(log float64) int {
	if log < tailFrom {
		return 0
	}
	return min(int((log-tailFrom)/tailStep)+1, tailCells)
}

// tailNeeded is how many upcrossings make an empirical rate worth believing.
const tailNeeded = 10

// tailThreshold returns the log evidence that traits have crossed upwards no more
// than budget times a day, zero if too little has been seen to say.
//
// Where crossings are too few to count, their number is extrapolated with an
// exponential tail: peaks over a threshold with shape zero (Balkema and de Haan
// 1974, Pickands 1975), the mean excess drawn towards one nat by ten
// pseudo-observations, since one is what theory gives for the logarithm of an
// e-value.
func tailThreshold(tail *[tailCells]float64, days, budget float64) float64 {
	var over [tailCells + 1]float64 // excursions that reached an edge
	for i := tailCells - 1; i >= 0; i-- {
		over[i] = max(tail[i], over[i+1])
	}
	if over[0] < tailNeeded {
		return 0
	}
	last := 0 // the highest edge with enough of them
	for last+1 < tailCells && over[last+1] >= tailNeeded {
		last++
	}
	spend := budget * days
	if over[last] <= spend {
		i := 0
		for over[i] > spend {
			i++
		}
		return tailFrom + float64(i)*tailStep
	}
	var excess float64
	for _, n := range over[last+1:] {
		excess += n * tailStep
	}
	scale := (excess + tailNeeded) / (over[last] + tailNeeded)
	return tailFrom + float64(last)*tailStep + scale*math.Log(over[last]/spend)
}
