// Package plain is the yardstick: the plainest detector that does the job, in
// some 200 lines, with nothing learned but means. It stays as it is, so that
// every engine can be held against it.
//
// Its bins are UTC days, scored anew at the end of every hour from exact sets. A
// count is negative binomial with k = 1.5 around a mean, of which there are two:
// an exponentially weighted one of about 7 days, and one of 28 that lags by 7.
// The mean is multiplied by the common factor of the dimension, the median of
// what all others do today against what they are used to. A Shiryaev-Roberts
// statistic for each of five rates sums the evidence over the days with work; the
// evidence of an identity is the largest logarithm of their mean, over four
// measures and two means. One threshold, of 8 to 12, is for everybody.
package plain

import (
	"math"
	"slices"

	"github.com/weirhq/weir/lab/exact"
)

// Rates are the drifts that are weighed, as multiples of the mean.
var Rates = [5]float64{1.5, 2, 3, 5, 10}

// What is fixed.
const (
	dispersion = 1.5  // k
	fast       = 5.0  // working days in the mean of a calendar week
	slow       = 20.0 // working days in that of four weeks
	lag        = 5    // working days by which the slow mean is behind: a week
	youth      = 5    // days with work until the means are believed
	silent     = 3    // days with work before anything is said
	crowd      = 20   // identities from which the common factor is taken
	limit      = 500  // nats at which evidence stops
)

// floors are the least means of a day; ten times that in an identity's youth.
var floors = [exact.NumMeasures]float64{2, 2, 20, 0.5}

const horizons = 2

// State is what is kept of an identity.
type State struct {
	dim    int
	day    int64 // of the counts below
	open   bool
	days   int // closed, with work
	counts [exact.NumMeasures]float64
	factor float64 // the common one, when they were last scored
	slot   int     // in the detector's ratios of today
	means  [horizons][exact.NumMeasures]float64
	past   [lag][exact.NumMeasures]float64
	stat   [horizons][exact.NumMeasures][len(Rates)]float64 // logarithms of one more than the statistic
}

// Detector is what is known of all.
type Detector struct {
	day    int64
	ratios [][]float64 // by dimension: today's counts over their means
	factor []float64
}

// New returns a detector of so many dimensions.
func New(dims int) *Detector {
	d := &Detector{ratios: make([][]float64, dims), factor: make([]float64, dims)}
	for i := range d.factor {
		d.factor[i] = 1
	}
	return d
}

// NewState returns the state of an identity that has done nothing yet.
func (d *Detector) NewState(dim int) *State { return &State{dim: dim} }

// Judge takes in an hour with work of an identity and returns its evidence in
// nats. What others do today is learned from it if teach is set.
func (d *Detector) Judge(s *State, hour int64, c *exact.Counts, teach bool) float64 {
	day := hour / 24
	if d.day != day {
		d.day = day
		for i := range d.ratios {
			d.ratios[i], d.factor[i] = d.ratios[i][:0], 1
		}
	}
	if s.open && s.day != day {
		s.close()
	}
	if !s.open {
		s.open, s.day, s.slot = true, day, -1
	}
	s.counts, s.factor = c.Day, d.factor[s.dim]
	if teach {
		d.learn(s)
	}
	if s.days < silent {
		return 0
	}
	best := 0.0
	for h := range horizons {
		for m := range s.counts {
			stat := s.step(h, m)
			best = max(best, logMean(&stat))
		}
	}
	return best
}

// learn notes how much of its usual day an identity has done today.
func (d *Detector) learn(s *State) {
	if s.days < youth {
		return
	}
	r := (s.counts[exact.Distinct] + 1) / (s.means[0][exact.Distinct] + 1)
	all := &d.ratios[s.dim]
	if s.slot < 0 {
		s.slot = len(*all)
		*all = append(*all, r)
	}
	(*all)[s.slot] = r
}

// EndHour takes the common factor of the hour that has ended; the next is judged
// by it. It is never below one: a quiet day makes nobody suspect.
func (d *Detector) EndHour() {
	for i, r := range d.ratios {
		if len(r) >= crowd {
			sorted := slices.Clone(r)
			slices.Sort(sorted)
			d.factor[i] = max(1, sorted[len(sorted)/2])
		}
	}
}

// step returns the logarithms of the statistics with the day as it stands.
func (s *State) step(h, m int) (stat [len(Rates)]float64) {
	floor := floors[m]
	mean := s.means[h][m]
	if s.days < youth {
		floor *= 10
		mean = max(mean, s.means[0][m])
	}
	mean = max(mean*s.factor, floor)
	for i, r := range Rates {
		ratio := math.Log((dispersion + mean) / (dispersion + r*mean))
		stat[i] = min(s.stat[h][m][i]+s.counts[m]*(math.Log(r)+ratio)+dispersion*ratio, limit)
	}
	return stat
}

// close ends the day: the statistics and the means take it in.
func (s *State) close() {
	for h := range horizons {
		for m := range s.counts {
			for i, v := range s.step(h, m) {
				s.stat[h][m][i] = math.Log1p(math.Exp(v))
			}
		}
	}
	old := s.past[s.days%lag]
	if s.days < lag {
		old = s.counts // nothing is older
	}
	s.past[s.days%lag] = s.counts
	s.days++
	for m, c := range s.counts {
		s.means[0][m] += max(1/float64(s.days), 1/fast) * (c - s.means[0][m])
		s.means[1][m] += max(1/float64(s.days), 1/slow) * (old[m] - s.means[1][m])
	}
	s.open = false
}

// logMean returns the logarithm of the mean of what is given as logarithms.
func logMean(v *[len(Rates)]float64) float64 {
	top, sum := slices.Max(v[:]), 0.0
	for _, x := range v {
		sum += math.Exp(x - top)
	}
	return top + math.Log(sum/float64(len(v)))
}
