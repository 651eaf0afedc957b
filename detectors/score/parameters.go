package score

// Parameters are what the scoring of a bin needs to know of the whole fleet; the
// package fleet makes those of bin t of bins up to t-1. All values are rounded
// when made, so that the decoded are the made.
type Parameters struct {
	Bin        int64 // the last bin that is in them; -1 for the defaults
	Dimensions []Dimension
}

// Dimension holds the parameters of one dimension.
type Dimension struct {
	Threshold [NumGroups]float64 // natural logs of the evidence that opens an episode of an identity with a history
	Newcomers [NumGroups]float64 // of one whose youth is not over: names that somebody makes up raise no other threshold
	Known     float64            // records that the fleet has touched, 0 if unknown
	Off       [offBins]float64   // share of those at work who were at unusual hours, in the bin before and those before it
	Classes   []Class            // everybody first, then peers by rising token
}

// Class is what is known of those who are alike.
type Class struct {
	Token uint32 // 0 for everybody
	Name  string
	Day   int64             // of Mode[0]
	Mode  [modeDays]float64 // how many times the usual all do, today and on the days before
	Bin   float64           // the same of the bin before
	K     [NumStats]float64
	Tail  [NumStats]Tail
	First [youth + 1]Newcomer // what they do on their first days with work, and last on any later one
}

// offBins is for how many bins it is kept that all work at an unusual hour.
const offBins = 24

// modeDays is for how many days the common mode is kept: a day is closed when its
// identity comes back.
const modeDays = 8

// youth is how many days with work make an identity known.
const youth = 5

// Newcomer is a Gamma of what peers did on a day of their youth, or later.
type Newcomer struct {
	Mean, Spread [PeerMeasures]float64 // Spread is the squared coefficient of variation; Mean of -1: unknown
}

// PeerMeasures is how many measures peers say something of: Distinct and FirstTouch. Of
// rows, deletes and unissued tokens most have none, and a few always do.
const PeerMeasures = 2

// peers returns what peers do on a day of their youth: what newcomers did, or where too
// few of them have been seen what those do on any day who are known. The mean is -1 where
// neither is known.
func (c *Class) peers(young int, m Measure) (mean, spread float64) {
	p := &c.First[young]
	if p.Mean[m] < 0 {
		p = &c.First[youth]
	}
	return p.Mean[m], p.Spread[m]
}

// settled reports whether the identity has a history.
func (s *State) settled() bool { return s.days >= youth }

// thresholds returns those of the identity.
func (d *Dimension) thresholds(s *State) *[NumGroups]float64 {
	if s.settled() {
		return &d.Threshold
	}
	return &d.Newcomers
}

// class returns what an identity is judged by.
func (p *Parameters) class(dim int, token uint32) *Class {
	d := &p.Dimensions[dim]
	for i := range d.Classes {
		if c := &d.Classes[i]; c.Token == token {
			return c // everybody's token is 0
		}
	}
	return &d.Classes[0]
}

// common reports whether work at an unusual hour was that of many in a bin. All of the
// dimension are asked: accomplices who do the same work would excuse each other.
func (p *Parameters) common(dim int, bin int64, share float64) bool {
	ago := p.Bin - bin
	return ago >= 0 && ago < offBins && p.Dimensions[dim].Off[ago] >= share
}

// mode returns the common mode of a day.
func (c *Class) mode(day int64) float64 {
	if ago := c.Day - day; ago >= 0 && ago < modeDays {
		return c.Mode[ago]
	}
	return 1
}

// Defaults returns the parameters of a fleet of which nothing is known.
func Defaults(dims int, threshold float64) *Parameters {
	p := &Parameters{Bin: -1, Dimensions: make([]Dimension, dims)}
	for i := range p.Dimensions {
		d := &p.Dimensions[i]
		for g := range d.Threshold {
			d.Threshold[g], d.Newcomers[g] = threshold, threshold
		}
		d.Classes = []Class{DefaultClass()}
	}
	return p
}

// DefaultClass returns a class of which nothing is known.
func DefaultClass() Class {
	c := Class{Bin: 1, K: usualK}
	for i := range c.Mode {
		c.Mode[i] = 1
	}
	for i := range c.First {
		for m := range c.First[i].Mean {
			c.First[i].Mean[m] = -1
		}
	}
	return c
}

// usualK is the dispersion of each statistic until the fleet has told its own: of
// people 0.5 to 2.2 by day and 2.2 to 2.6 by hour; rows spread over decades.
var usualK = [NumStats]float64{1.5, 1.5, shareConcentration, 2, 2, 0.4, 1, 1, 1, 0.4}

// shareConcentration is how many records of a day are witnesses of its share of
// new ones.
const shareConcentration = 20
