package wire

import "math"

// Finite bounds log evidence, in nats, or a dispersion to ±1e6, and makes 0 of
// what is no number, so that it can be written down.
func Finite(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, -1e6), 1e6)
}
