package fleet

// Measure is what is counted of an identity in a bin.
type Measure uint8

// The measures. Distinct and FirstTouch are kept for every identity; the
// others take memory only where they have ever been above zero.
const (
	// Distinct counts the distinct records touched.
	Distinct Measure = iota
	// FirstTouch counts those of Distinct that the identity had never touched.
	FirstTouch
	// RowsRead counts rows of reports and exports whose records the log does
	// not name.
	RowsRead
	// Destructive counts the distinct records deleted or updated.
	Destructive
	// Subjects counts the distinct actors behind a key, client, network or
	// endpoint.
	Subjects
	// Unissued counts the records read through tokens that no login or issue
	// stands behind.
	Unissued
	// OffHours counts those of Distinct that were touched at hours at which the
	// identity hardly ever works. The engine derives it; callers leave it zero.
	OffHours
	// Newcomer counts the records of an identity's first two days so far. The
	// engine derives it; callers leave it zero.
	Newcomer
	// NumMeasures is how many there are.
	NumMeasures
)

// NumCore is the number of measures that every identity has: Distinct and
// FirstTouch.
const NumCore = 2

var measureNames = [NumMeasures]string{
	"distinct", "first_touch", "rows", "destructive", "subjects", "unissued", "off_hours", "newcomer",
}

// String returns the measure's name as alerts carry it.
func (m Measure) String() string {
	if m < NumMeasures {
		return measureNames[m]
	}
	return "unknown"
}

// Counts are the counts of one identity in one bin, or in the part of it that
// has been seen so far: whole numbers, not negative. Estimates of a sketch are
// rounded before they come here.
type Counts [NumMeasures]float64

// NumRates is the number of drift rates in the mixture.
const NumRates = 5

// Rates are the drift rates that the mixture weighs, as multiples of what is
// expected. They are spaced so that a drift between two of them costs at most a
// tenth more delay than a detector tuned to it (see docs/detection.md).
var Rates = [NumRates]float64{1.5, 2, 3, 5, 10}

// Evidence is what one bin, on top of all before it, says against the baseline.
type Evidence struct {
	// Log is the natural logarithm of the combined evidence: the mean of the
	// Shiryaev-Roberts statistics over all measures and rates. In calm it moves
	// around zero; it rises to six nats above the threshold and no further.
	Log float64
	// Measure is the one with the strongest evidence.
	Measure Measure
	// Onset is the index of the bin in which the drift began, as far as known.
	// It and the logs per rate are filled from CandidateCut on; below it, Onset
	// is the bin itself.
	Onset int64
	// Peers names the group of peers that the identity was held against: what its
	// members work with. Empty: the whole dimension.
	Peers string
	// Measures explains each measure's part.
	Measures [NumMeasures]MeasureEvidence
	// Scored tells a scored bin from the zero Evidence.
	Scored bool
}

// MeasureEvidence explains one measure's part in Evidence.
type MeasureEvidence struct {
	Judged     bool              // the measure is kept for this identity; else all is zero
	Log        float64           // natural log of the mean statistic over the rates
	Observed   float64           // the count
	Expected   float64           // Level × Shape × Mode, in records a bin
	Level      float64           // the identity's mean per bin, shrunk to its peers
	Shape      float64           // factor of this hour of the week, mean 1
	Mode       float64           // factor of the fleet's common mode
	K          float64           // negative-binomial dispersion used, baseline uncertainty included
	PeerWeight float64           // share of Level that comes from the peers' prior, 0..1
	Rates      [NumRates]float64 // natural log of the statistic of each of Rates
}

// CandidateCut is the log evidence from which a bin is told to correlate. It is
// a constant, so that what travels does not depend on when a threshold was
// learned; every threshold is at least MinThreshold, above it.
const CandidateCut = 3.0

// MaxLog is the ceiling of all log evidence and, but for one nat, of thresholds.
const MaxLog = 80.0

// MaxCount bounds a count, so that sums of them stay exact in a float64.
const MaxCount = 1 << 40

// NumExtra is the number of measures that are kept only where they occur.
const NumExtra = int(NumMeasures) - NumCore
