package score

import (
	"math"
	"testing"
)

// The bounds lie above the ratios of every count and share, and not far above those of
// ordinary ones: twice the usual at k = 1.5 is skipped, ten times is not.
func TestBoundsHold(t *testing.T) {
	for _, mu := range []float64{0.5, 2, 7, 40, 3000} {
		for _, k := range []float64{0.1, 0.4, 1.5, 5, 50} {
			for u := 0.0; u < 50; u += 0.1 {
				c := math.Round(u * mu)
				l := countRatios(c, mu, k)
				if most, bound := max(l[0], l[1], l[2], l[3], l[4]), countGain(c, mu, k); most > bound+1e-9 {
					t.Fatalf("%v where %v are usual, k %v: %v nats, bound %v", c, mu, k, most, bound)
				}
			}
		}
	}
	for _, phi := range []float64{8, 20, 50} {
		for _, q0 := range []float64{0.002, 0.03, 0.2, 0.5, 0.8, 0.95} {
			for _, most := range []float64{q0, q0 + 0.02, (q0 + 1) / 2, mostShare} {
				var q1 [NumRates]float64
				for i := range q1 {
					q1[i] = min(mostShare, max(q0, q0+(most-q0)*float64(i+1)/NumRates))
				}
				for _, n := range []float64{1, 2, 5, 24, 25, 100, 3000} {
					for f := 0.0; f <= n; f += math.Ceil(n / 40) {
						var l ratios
						l.addShares(f, n, q0, &q1, phi)
						if got, bound := max(l[0], l[1], l[2], l[3], l[4]), shareGain(f, n, q0, most, phi); got > bound+1e-6 {
							t.Fatalf("%v new of %v, share %v up to %v, phi %v: %v nats, bound %v", f, n, q0, most, phi, got, bound)
						}
					}
				}
			}
		}
	}
	if got := countGain(200, 100, 1.5); got > 0.8 {
		t.Errorf("the bound of twice the usual is %.2f nats", got)
	}
	if got := shareGain(12, 20, 0.5, mostShare, 20); got > 0.4 {
		t.Errorf("the bound of 12 new of 20 where half are is %.2f nats", got)
	}
}
