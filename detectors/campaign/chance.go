package campaign

import "math"

// binomialTail returns minus the natural log of Chernoff's bound on the
// probability of k or more of m, each with probability p.
func binomialTail(k, m, p float64) float64 {
	p = min(max(p, 1e-6), 1-1e-6)
	q := k / m
	if q <= p {
		return 0
	}
	kl := q * math.Log(q/p)
	if q < 1 {
		kl += (1 - q) * math.Log((1-q)/(1-p))
	}
	return m * kl
}

// poissonTail returns minus the natural log of Chernoff's bound on the
// probability of n or more, where mean are expected.
func poissonTail(n, mean float64) float64 {
	if n <= mean || mean <= 0 {
		return 0
	}
	return n*math.Log(n/mean) - n + mean
}
