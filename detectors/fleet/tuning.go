package fleet

// Tuning holds the numbers of what the fleet teaches that can be varied;
// docs/detection.md says where each is from and what halving and doubling it does.
type Tuning struct {
	Memory float64 // days for which bins are remembered
	Prior  float64 // days of theory in a threshold

	Crossings float64 // that make a level of evidence count as it was seen

	TailShare  float64 // share of bins that make a tail
	TailBins   float64 // bins that do at the least
	TailPrior  float64 // pseudo-excesses
	TailExcess float64 // their mean, in nats
	TailShape  float64 // largest shape

	Dispersion float64 // bins that the usual dispersion counts for
	Newcomers  float64 // first days that tell what newcomers do
	Crowd      float64 // identities at work that tell of a common mode
	Chance     float64 // and how far, as a logarithm, that of one identity is by chance
	Ordinary   float64 // common mode, as a logarithm, below which a day could be chance
	ClassDays  float64 // days of its members that make a class of peers
}

// DefaultTuning returns the shipped numbers.
func DefaultTuning() Tuning {
	return Tuning{
		Memory: 120, Prior: 5, Crossings: 5,
		TailShare: 0.01, TailBins: 15, TailPrior: 10, TailExcess: 2, TailShape: 0.5,
		Dispersion: 20, Newcomers: 10, Crowd: 6, Chance: 1.5, Ordinary: 0.3, ClassDays: 30,
	}
}
