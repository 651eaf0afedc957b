package explain

import (
	"math"
	"testing"

	"github.com/weirhq/weir/alerting"
)

// A threshold is theory's bound, raised to the fleet's own tail or lowered
// towards it by three nats at most.
func TestThresholdComputedAgain(t *testing.T) {
	for _, c := range []struct {
		name                  string
		stated, formula, tail float64
		agrees                bool
	}{
		{"no tail yet", 11.8, 11.8, 0, true},
		{"no tail yet, and lower", 10, 11.8, 0, false},
		{"raised", 13.2, 11.8, 13.2, true},
		{"not raised", 11.8, 11.8, 13.2, false},
		{"lowered a little", 10.3, 11.8, 8.9, true},
		{"lowered to the tail", 9.5, 11.8, 9.5, true},
		{"below the tail", 9, 11.8, 9.5, false},
		{"lowered too far", 8, 11.8, 7, false},
	} {
		n := threshold(&alerting.Evidence{Threshold: c.stated, Formula: c.formula, Tail: c.tail, Live: 8000, Budget: 2})
		if n.Agrees != c.agrees {
			t.Errorf("%s: told %g with theory %g and tail %g: again %g, agrees %v", c.name, c.stated, c.formula, c.tail, n.Again, n.Agrees)
		}
	}
}

// The chance of a count under the negative binomial, beside a sum by hand: for
// k = 1 it is geometric, P(N >= n) = (m/(1+m))^n.
func TestUpperTail(t *testing.T) {
	for _, n := range []float64{0, 1, 10, 100} {
		if got, want := upperTail(n, 4, 1), math.Pow(0.8, n); math.Abs(got-want) > 1e-6*want {
			t.Errorf("P(N >= %g) = %g, want %g", n, got, want)
		}
	}
}
