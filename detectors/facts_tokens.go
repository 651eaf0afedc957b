package detectors

import "math"

// TokenRules say when tokens that nobody issued are a fact. Logs of logins are
// never complete, so each identity has a missing share of its own: the rate of
// unissued tokens by record read, in the past that is no part of the case.
type TokenRules struct {
	// Chance is how improbable a count of unissued tokens must be under the
	// identity's own missing share.
	Chance float64
	// Least is the fewest unissued tokens that are ever a fact, and Ratio how many
	// times the expected number they must be: a share drifts, and a forger adds.
	Least, Ratio float64
	// Horizon is over how many bins the missing share is learned, decayed
	// exponentially.
	Horizon float64
	// Learn is how many bins of it there must be before anything is judged.
	Learn float64
}

// DefaultTokenRules are the rules of a deployment, for the given bins a day.
func DefaultTokenRules(binsPerDay float64) TokenRules {
	return TokenRules{Chance: 1e-5, Least: 3, Ratio: 2, Horizon: 2 * binsPerDay, Learn: binsPerDay}
}

// missingShape is the prior of the missing share: a Gamma of shape one half,
// the one of Jeffreys for a Poisson rate. Its weight is one record.
const missingShape = 0.5

// Tail returns the natural log of the probability of at least n unissued tokens
// among records reads, where past tokens were unissued among pastRecords. The
// number of tokens is Poisson, its rate by record Gamma distributed, so that
// what is not known of the rate widens the tail: a negative binomial.
func (r *TokenRules) Tail(n, records, past, pastRecords float64) float64 {
	shape, weight := missingShape+past, 1+pastRecords
	p := records / (records + weight)
	if n <= 0 || p <= 0 {
		return 0
	}
	if n <= shape*p/(1-p) {
		return 0 // no more than the mean
	}
	lg := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	first := lg(n+shape) - lg(shape) - lg(n+1) + n*math.Log(p) + shape*math.Log1p(-p)
	sum, term := 1.0, 1.0
	for i := n; term > 1e-9*sum && i < n+10_000; i++ {
		term *= (i + shape) / (i + 1) * p
		sum += term
	}
	return min(first+math.Log(sum), 0)
}

// Improbable reports whether so many unissued tokens are a fact, and how many
// were to be expected.
func (r *TokenRules) Improbable(n, records, past, pastRecords float64) (expected float64, is bool) {
	expected = (missingShape + past) / (1 + pastRecords) * records
	return expected, n >= r.Least && n >= r.Ratio*expected && r.Tail(n, records, past, pastRecords) < math.Log(r.Chance)
}

// Taught returns how many of the unissued tokens of one bin teach the missing
// share: a burst, as when the log of logins had failed, teaches it little. past
// is what was learned so far.
func (r *TokenRules) Taught(n, past float64) float64 { return min(n, 5+3*past/r.Horizon) }

// Weight returns how many bins of the past the missing share rests on, when it
// has been watched for the given number of bins.
func (r *TokenRules) Weight(bins float64) float64 {
	return r.Horizon * (1 - math.Exp(-max(bins, 0)/r.Horizon))
}

// Fade returns what is left of a number after the given number of bins.
func (r *TokenRules) Fade(bins float64) float64 { return math.Exp(-max(bins, 0) / r.Horizon) }
