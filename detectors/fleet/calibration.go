package fleet

import (
	"math"

	"github.com/weirhq/weir/detectors/score"
)

// Rarity is the share of bins from which on a level of evidence is called rare: one in
// a thousand.
const Rarity = 1.0 / 1000

// Calibration tells whether what the tails call rare was that rare, in one group of a
// dimension. It is of identities with a history, and fades as the tails do. Each bin was
// held against the tail that was in force before it came.
type Calibration struct {
	// Judged is how many days were judged, of Burst how many bins: once by each statistic
	// and horizon whose tail was known.
	Judged float64
	// Expected is how many of them the tails say lie beyond the levels that no more than
	// Rarity of all exceed; Counted is how many did.
	Expected, Counted float64
}

// Calibrations returns those of each dimension, by group.
func (f *Fleet) Calibrations() [][score.NumGroups]Calibration {
	out := make([][score.NumGroups]Calibration, len(f.dims))
	for i := range f.dims {
		out[i] = f.dims[i].rare
	}
	return out
}

// Hold holds what the parameters in force said of a bin against the sums of that bin. It
// is to be called after CloseBin of the same sums.
func (f *Fleet) Hold(inForce *score.Parameters, s *Sums) {
	for i := range s.dims {
		d, from, classes := &f.dims[i], s.dims[i].classes, inForce.Dimensions[i].Classes
		if from[0] == nil {
			continue
		}
		rest := from[0].of[known].tail // of everybody, less those who are judged by a class of their own
		for j := range classes[1:] {
			c := &classes[1+j]
			if own := from[c.Token]; own != nil {
				d.hold(c, &own.of[known].tail)
				subtract(&rest, &own.of[known].tail)
			}
		}
		d.hold(&classes[0], &rest)
	}
}

// hold adds the histograms of those who are judged by the tails of a class.
func (d *dim) hold(c *score.Class, h *[score.NumStats][tailCells]uint64) {
	for st := range h {
		t := &c.Tail[st]
		if t.Scale == 0 {
			continue
		}
		at := rareCell(t)
		n, beyond := uint64(0), uint64(0)
		for i, v := range h[st] {
			n += v
			if i >= at {
				beyond += v
			}
		}
		rare := &d.rare[score.Stat(st).Group()]
		rare.Judged += float64(n)
		rare.Expected += float64(n) * math.Exp(-t.Surprise(tailEdge[at]))
		rare.Counted += float64(beyond)
	}
}

// rareCell returns the first cell that lies beyond the level that a share of Rarity
// exceeds; of all that lies in the tail where that is rarer yet.
func rareCell(t *score.Tail) int {
	at := 1
	for at < tailCells-1 && (tailEdge[at] < t.At || t.Surprise(tailEdge[at]) < -math.Log(Rarity)) {
		at++
	}
	return at
}

func subtract(from, what *[score.NumStats][tailCells]uint64) {
	for st := range from {
		for i := range from[st] {
			from[st][i] -= what[st][i]
		}
	}
}

// fade lets time pass.
func (c *Calibration) fade(keep float64) {
	c.Judged, c.Expected, c.Counted = c.Judged*keep, c.Expected*keep, c.Counted*keep
}
