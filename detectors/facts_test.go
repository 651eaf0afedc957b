package detectors

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The tail of the missing share is a probability: one minus the sum of what is
// below it, and with a long past it is Poisson's.
func TestTokenTail(t *testing.T) {
	r := DefaultTokenRules(24)
	for _, c := range []struct {
		n, records, past, pastRecords float64
		want                          float64
	}{
		{3, 100, 1000 - missingShape, 99_999, 0.0803}, // Poisson of mean 1: P(N >= 3)
		{8, 100, 1000 - missingShape, 99_999, 1.02e-5},
		{1, 1, 0, 0, 0.2929}, // 1 - (1/2)^(1/2)
	} {
		if got := math.Exp(r.Tail(c.n, c.records, c.past, c.pastRecords)); math.Abs(got-c.want) > 0.03*c.want {
			t.Errorf("Tail(%v, %v, %v, %v) = %v, want %v", c.n, c.records, c.past, c.pastRecords, got, c.want)
		}
	}
}

// Where the share stays what it was, hardly an hour in a million is a fact.
func TestTokenRulesKeepQuiet(t *testing.T) {
	r := DefaultTokenRules(24)
	dice := rand.New(rand.NewPCG(1, 2))
	poisson := func(mean float64) (n float64) {
		for p := dice.ExpFloat64(); p < mean; p += dice.ExpFloat64() {
			n++
		}
		return n
	}
	told := 0
	for range 20_000 {
		past := poisson(48)
		if _, is := r.Improbable(poisson(1), 100, past, 4800); is {
			told++
		}
	}
	if told > 0 {
		t.Errorf("%d of 20,000 hours are a fact", told)
	}
	if _, is := r.Improbable(9, 100, 0, 4800); !is {
		t.Error("nine tokens where there never was one are no fact")
	}
}

func TestKeyKind(t *testing.T) {
	for name, want := range map[string]string{
		"web-k2": "web-k#", "web-k13": "web-k#", "svc-key-9": "svc-key-#", "9f86d081": "#", "AKIAIOSFODNN7EXAMPLE": "#", "main": "main",
		"2f1d9c3e-77aa-4b1e-9e0a-5d6f7a8b9c0d": "#-#-#-#-#",
	} {
		if got := KeyKind(name); got != want {
			t.Errorf("KeyKind(%q) = %q, want %q", name, got, want)
		}
	}
}
