package explain

import (
	"math"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream/correlate"
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

// A number agrees if it is equal, as far as it is shown, or lies in the interval; what
// is off by less than can be explained says by what; all else differs.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		number Number // Agrees: it lies within its tolerance
		want   string
	}{
		{Number{Stated: 12, Again: 12, Agrees: true}, "agrees"},
		{Number{Stated: 0.333, Again: 0.33300001, Agrees: true}, "agrees"},
		{Number{Stated: 6.1, Again: 6.09, Agrees: true}, "within rounding"},
		{Number{Stated: 270, High: 290, Again: 281, Agrees: true}, "agrees"},
		{Number{Stated: 270, High: 290, Again: 294, Agrees: true, Within: bySketch}, "within the error of the sketch"},
		{Number{Stated: 270, High: 290, Again: 324, Within: bySketch}, "DIFFERS"},
	} {
		x := Explanation{Agrees: true}
		x.add([]Number{c.number}, nil)
		if got := x.Numbers[0].Verdict(); got != c.want || x.Agrees != (c.want != "DIFFERS") {
			t.Errorf("%+v: %s, all agree %v; want %s", c.number, got, x.Agrees, c.want)
		}
	}
	x := Explanation{}
	x.HeldBack(nil)
	x.HeldBack(&correlate.SuppressedBy{Kind: correlate.ByCampaign, Name: "weir-1"})
	if len(x.Notes) != 1 || x.Notes[0] != "Nobody was sent this alert: it is told in the message of weir-1." {
		t.Errorf("of one that was held back: %q", x.Notes)
	}
}
