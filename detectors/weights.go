package detectors

import "slices"

// Weight returns the share of a measure's statistic in the combined one:
// Evidence.Log is the logarithm of the sum, over the measures that are judged,
// of Weight times e^Log. weir explain computes it again by this.
func Weight(m Measure) float64 {
	const all = numCore + extraWeight*float64(numExtra)
	if m < numCore {
		return 1 / all
	}
	return extraWeight / all
}

// ParseMeasure returns the measure of a name, as alerts carry it.
func ParseMeasure(name string) (Measure, bool) {
	i := slices.Index(measureNames[:], name)
	return Measure(max(i, 0)), i >= 0
}
