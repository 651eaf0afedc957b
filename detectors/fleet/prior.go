package fleet

// Bounds of 1/k. k below 0.05 says that nothing is known; k above 10 would
// trust a handful of calm weeks more than real counts deserve.
const (
	MinInverseK = 0.1
	MaxInverseK = 20.0
)
