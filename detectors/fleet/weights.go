package fleet

import (
	"slices"
)

// Weight returns the share of a measure's statistic in the combined one:
// Evidence.Log is the logarithm of the sum, over the measures that are judged,
// of Weight times e^Log. weir explain computes it again by this.
func Weight(m Measure) float64 {
	switch {
	case m == Distinct:
		return 1 / allWeights
	case m == FirstTouch:
		return 2 / allWeights // of the share, and of both counts together
	case m < NumMeasures:
		return extraWeight / allWeights
	}
	return 0
}

const (
	extraWeight = 0.1 // of a measure after the core, where one statistic of the core has 1
	allWeights  = NumCore + 1 + extraWeight*float64(NumExtra)
)

// ParseMeasure returns the measure of a name, as alerts carry it.
func ParseMeasure(name string) (Measure, bool) {
	i := slices.Index(measureNames[:], name)
	return Measure(max(i, 0)), i >= 0
}
