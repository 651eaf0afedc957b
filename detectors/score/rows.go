package score

import (
	"math"

	"github.com/weirhq/weir/detectors/fleet"
)

// Rows of reports and exports come in few bins, and their sizes spread over
// decades: five hundred is usual for one, two hundred thousand for another, and
// eight million is a leak by itself. So a bin's rows are judged by their
// logarithm: normal around the identity's own, which is drawn towards that of
// the fleet's exports, with a small chance of any size at all (log-normal sizes
// with a contaminated tail, Huber 1965). Bins without rows say nothing. A drift
// to r says that there are at least r times the usual, as many as four decades
// more, each as likely.
const (
	rowsWithin  = 0.6  // variance of the logs of one identity's sizes, before it is known
	rowsWeight  = 3.0  // bins by which rowsWithin counts
	rowsMemory  = 50   // bins with rows that are remembered; older ones fade
	rowsReach   = 9.21 // four decades
	anyRows     = 27.6 // logarithm of the largest number of rows
	strangeRows = 1e-7 // chance of a size that is like nothing before
	rowsNu      = 0.5
	rowsFade    = 1 - 1.0/rowsMemory // what a bin keeps when another comes
)

// rowsOf is what is expected of the logarithm of a bin's rows.
type rowsOf struct{ mean, variance float64 }

func expectRows(x *series, prior *fleet.Prior) rowsOf {
	n, sum, squares := float64(x.exposure), float64(x.count), float64(x.excess)
	among := max(prior.InverseK, fleet.RowsAmong)
	if n == 0 {
		return rowsOf{fleet.Ln(prior.Mean), among}
	}
	within := (rowsWeight*rowsWithin + max(squares-sum*sum/n, 0)) / (rowsWeight + n)
	lean := within / among
	mean := (lean*fleet.Ln(prior.Mean) + sum) / (lean + n)
	return rowsOf{mean, within * (1 + 1/(lean+n))}
}

// ratios returns the log-likelihood ratios of a bin of that many rows.
func (w *rowsOf) ratios(rows float64) [fleet.NumRates]float64 { return w.against(rows, strangeRows) }

// against returns the log-likelihood ratios of a size, where any size at all has
// the chance strange.
func (w *rowsOf) against(size, strange float64) (log [fleet.NumRates]float64) {
	x := math.Log(size)
	z := x - w.mean
	usual := -0.5*z*z/w.variance - 0.5*math.Log(2*math.Pi*w.variance)
	null := logSum(math.Log1p(-strange)+usual, math.Log(strange/anyRows))
	for i := range fleet.Rates {
		from := w.mean + logRates[i]
		log[i] = -fleet.MaxLog
		if x >= from {
			log[i] = -math.Log(rowsReach) - null
		}
	}
	return log
}

var logRates = func() (l [fleet.NumRates]float64) {
	for i, r := range fleet.Rates {
		l[i] = math.Log(r)
	}
	return l
}()

// learnRows takes in a bin with rows. Once a few are known, one far beyond them
// counts as three standard deviations: a leak is not to become what is usual.
func (x *series) learnRows(w *rowsOf, rows float64) {
	l := math.Log(rows)
	if x.exposure >= rowsWeight {
		l = min(l, w.mean+3*math.Sqrt(w.variance))
	}
	x.count = fold(x.count, rowsFade, l)
	x.exposure = fold(x.exposure, rowsFade, 1)
	x.excess = fold(x.excess, rowsFade, l*l)
}
