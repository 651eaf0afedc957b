package fleet

import (
	"math"
)

// newcomersLike returns what is taken of newcomers before many have been seen:
// that they do what their peers do, give or take a good deal more. So who takes
// over from a peer, such as the next signing key, is nothing strange.
func (e *Model) newcomersLike(levels Prior) Prior {
	spread := math.Log1p(1 / levels.Strength)
	return Prior{Mean: max(levels.Mean*float64(e.KeptBins), 1), Strength: 1, InverseK: spread + newcomersSpread}
}
