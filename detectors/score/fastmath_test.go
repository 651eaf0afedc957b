package score

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/detectors/fleet"
)

func TestFastMath(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	near := func(name string, x, got, want, tolerance float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance*max(1, math.Abs(want)) {
			t.Fatalf("%s(%g) = %.17g, want %.17g", name, x, got, want)
		}
	}
	for range 200000 {
		x := math.Exp(rng.Float64()*160 - 80)
		near("ln", x, fleet.Ln(x), math.Log(x), 1e-12)
		if x < 1e13 && x > 1e-3 {
			want, _ := math.Lgamma(x)
			near("lnGamma", x, fleet.LnGamma(x), want, 1e-9)
		}
		y := rng.Float64()*900 - 700
		y = min(y, 200)
		if got, want := fleet.Exp(y), math.Exp(y); math.Abs(got-want) > 1e-12*want {
			t.Fatalf("exp(%g) = %.17g, want %.17g", y, got, want)
		}
	}
	for _, x := range []float64{1, 2, 0.5, math.Nextafter(1, 0), math.Nextafter(1, 2), 1 << 40} {
		near("ln", x, fleet.Ln(x), math.Log(x), 1e-12)
	}
	for _, x := range []float64{0, -1e-300, 1e-300, -699.9, -700} {
		if got, want := fleet.Exp(x), math.Exp(x); math.Abs(got-want) > 1e-12*want {
			t.Fatalf("exp(%g) = %g, want %g", x, got, want)
		}
	}
	if fleet.Exp(-1e9) != 0 || fleet.Exp(math.Inf(-1)) != 0 {
		t.Fatal("exp of very little is not zero")
	}
}

// TestLogNB holds the negative binomial against the sum over all counts.
func TestLogNB(t *testing.T) {
	for _, p := range [][2]float64{{0.2, 0.05}, {0.2, 10}, {20, 1.3}, {20, 5}, {300, 2}} {
		total, mean := 0.0, 0.0
		for c := 0.0; c < 20000; c++ {
			v := math.Exp(logNB(c, p[0], p[1]))
			total += v
			mean += c * v
		}
		if math.Abs(total-1) > 1e-6 || math.Abs(mean-p[0]) > 1e-5*max(1, p[0]) {
			t.Errorf("mean %g, k %g: sums to %g with mean %g", p[0], p[1], total, mean)
		}
	}
	if got, want := logGeometric(7, 3), logNB(7, 3, 1); math.Abs(got-want) > 1e-10 {
		t.Errorf("geometric %g, negative binomial with k=1 %g", got, want)
	}
}
