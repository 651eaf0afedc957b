package score

// Measure is what the caller counts of an identity in a bin.
type Measure uint8

// The measures that are counted.
const (
	// Distinct counts the distinct records touched.
	Distinct Measure = iota
	// FirstTouch counts those of Distinct that the identity had not touched within the retention.
	FirstTouch
	// Rows counts rows of reports and exports whose records the log does not name.
	Rows
	// Destructive counts the distinct records deleted or updated.
	Destructive
	// Unissued counts the tokens that were found to read without a login or an issue
	// behind them, each once: what one lost login leaves is one, however much is read.
	Unissued
	// Again counts those of Distinct that the identity had touched before on the
	// same local day: what is left adds up to the distinct records of the day.
	Again
	// NumMeasures is how many there are.
	NumMeasures
)

// Counts are those of one identity in one bin, or in the part of it that has been
// seen so far: whole numbers, not negative.
type Counts [NumMeasures]float64

// ofDay returns what the counts of a bin add to those of its day.
func (c *Counts) ofDay(m Measure) float64 {
	if m == Distinct {
		return c[Distinct] - c[Again]
	}
	return c[m]
}

// any reports whether there is anything in them.
func (c *Counts) any() bool { return *c != Counts{} }

// Stat is what is judged: a count, on the clock of the day or of the bin.
type Stat uint8

// The statistics.
const (
	DayDistinct    Stat = iota // distinct records of the day so far
	DayFirst                   // records and first touches of the day together
	DayShare                   // the share of first touches alone
	BinDistinct                // distinct records of the bin
	BinFirst                   // first touches of the bin
	DayRows                    // rows of the day
	DayDestructive             // records destroyed on the day
	DayUnissued                // unissued tokens found on the day
	DayOff                     // records of the day at hours of little own work
	BinRows                    // rows of the bin
	NumStats
)

// numCore is how many statistics every identity has; the others take memory only
// where they have ever been above zero.
const numCore = Stat(5)

var statNames = [NumStats]string{
	"distinct", "first_touch", "new_share", "distinct_in_bin", "first_touch_in_bin",
	"rows", "destructive", "unissued", "off_hours", "rows_in_bin",
}

// String returns the name of the statistic as alerts carry it.
func (s Stat) String() string {
	if s < NumStats {
		return statNames[s]
	}
	return "unknown"
}

// measure returns what a statistic counts; DayOff and DayShare count Distinct and
// FirstTouch in their way.
func (s Stat) measure() Measure {
	return [NumStats]Measure{Distinct, FirstTouch, FirstTouch, Distinct, FirstTouch, Rows, Destructive, Unissued, Distinct, Rows}[s]
}

// Daily reports whether the statistic counts the local day so far, and not the bin.
func (s Stat) Daily() bool { return s != BinDistinct && s != BinFirst && s != BinRows }

// Group is a group of statistics that have a threshold and a part of the budget of
// their own: what is rare in a fleet gets a low one.
type Group uint8

// The groups.
const (
	Volume  Group = iota // how much in a day
	Novelty              // how much of it is new
	Burst                // how much in a bin
	Rare                 // what is destroyed, and unissued tokens
	Hours                // work at unusual hours
	NumGroups
)

var groupNames = [NumGroups]string{"volume", "novelty", "burst", "rare", "hours"}

// String returns the name of the group.
func (g Group) String() string { return groupNames[g] }

// Group returns the group of a statistic.
func (s Stat) Group() Group {
	return [NumStats]Group{Volume, Volume, Novelty, Burst, Burst, Volume, Rare, Rare, Hours, Burst}[s]
}

// NumRates is the number of drifts in a mixture.
const NumRates = 5

// Rates are the drifts that are weighed, as multiples of what is expected. A drift
// between two of them costs at most a tenth more delay than a detector tuned to it.
var Rates = [NumRates]float64{1.5, 2, 3, 5, 10}

// Shares are the alternatives of DayShare: how far the share of new records moves
// from the own one to that of somebody who draws blindly from all records.
var Shares = [NumRates]float64{0.2, 0.4, 0.6, 0.8, 1}

// MaxLog is the ceiling of log evidence, in nats: no decision depends on more.
const MaxLog = 80
