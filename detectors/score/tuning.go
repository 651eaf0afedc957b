package score

// Tuning holds the numbers of the engine that can be varied; docs/detection.md says
// where each is from and what halving and doubling it does.
type Tuning struct {
	Fast, Slow    float64           // days with work in the two means
	PaceDays      float64           // working days of eight bins in the mean bin
	ShapeBins     float64           // bins with work that the mean bin counts for in an hour of the week
	Memory        float64           // days with work that a statistic remembers
	Floor         [NumStats]float64 // least expectation
	YoungFloor    float64           // times that in youth
	YoungBins     float64           // bins with work that make the mean bin known
	Concentration float64           // records that are witnesses of a day's share of new ones
	LeastRoom     float64           // by which a blind thief's share must exceed the own one to tell the two apart
	Headroom      float64           // nats that a statistic may stay above its threshold when its bin is over
	Fade          float64           // days of silence that make a statistic fade

	OffShare  float64 // share of own work below which an hour is unusual
	KnownDays float64 // days with work that make the own hours known
	Common    float64 // share of those at work from which an unusual hour is one of all

	NoSkip bool // evaluate what cannot matter too, for the test that compares

	// Parts that an ablation leaves out.
	NoTail, NoFirst, NoShare, NoHours, NoShape, NoBurst, NoNewcomer bool
}

// DefaultTuning returns the shipped numbers.
func DefaultTuning() Tuning {
	return Tuning{
		Fast: 5, Slow: 20, PaceDays: 20, ShapeBins: 3, Memory: 28,
		Floor:         [NumStats]float64{2, 2, 0, 1, 1, 20, 0.5, 0.5, 0.7, 20},
		YoungFloor:    10,
		YoungBins:     10,
		Concentration: shareConcentration,
		LeastRoom:     0.1,
		Headroom:      6,
		Fade:          60,
		OffShare:      0.008, KnownDays: 10, Common: 0.2,
	}
}
