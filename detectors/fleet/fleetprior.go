package fleet

import (
	"math"
)

// Prior turns moments of log levels into a Gamma with the mean and the
// coefficient of variation of the log-normal that they describe. Logarithms,
// because levels of peers spread over decades, and one giant would else decide
// alone. The dispersion is the upper quartile of the peers' own 1/k: a newcomer
// gets a cautious k. What is known is drawn towards those within whom the peers
// are a group, if any, else towards what is taken of peers nobody has seen.
func (q *fleetPeers) prior(m Measure, within *fleetPeers) Prior {
	of := &q.measures[m]
	wider := defaultOf(m)
	if within != nil {
		wider = within.prior(m, nil)
	}
	switch {
	case of.weight <= 0:
		return wider
	case m == RowsRead:
		return of.amounts(wider, peersNeeded, RowsAmong)
	case m != Distinct && m != Subjects:
		return wider
	}
	levels := logNormal{0, defaultSpend, defaultPrior.InverseK}
	if within != nil {
		levels = within.measures[m].logNormal(levels, within.days)
	}
	return of.logNormal(levels, q.days).prior()
}

// logNormal describes the levels of peers: mean and variance of their
// logarithms, and the upper quartile of their 1/k.
type logNormal struct{ center, variance, inverseK float64 }

// logNormal returns what the moments describe, drawn towards something wider by
// the weight of peersNeeded identities a day.
func (q *fleetMeasure) logNormal(wider logNormal, days float64) logNormal {
	n := q.weight / max(days, 1)
	if n <= 0 {
		return wider
	}
	center := q.log / q.weight
	variance := max(0, q.logSq/q.weight-center*center)
	invK := MinInverseK * math.Exp2(histogramQuantile(q.k[:], 0.75)/2)
	draw := func(own, wide float64) float64 { return (n*own + peersNeeded*wide) / (n + peersNeeded) }
	return logNormal{draw(center, wider.center), draw(variance, wider.variance), draw(min(invK, MaxInverseK), wider.inverseK)}
}

// Prior turns it into the prior of a level.
func (l logNormal) prior() Prior {
	return Prior{
		Mean:     math.Exp(l.center + min(l.variance, defaultSpend)/2),
		Strength: min(max(1/math.Expm1(l.variance), 0.05), 4),
		InverseK: l.inverseK,
	}
}

// amounts describes what peers do at a time (exports, or all that newcomers
// read): sizes whose logarithms are normal, drawn towards something wider that
// counts as much as some of them, and never more alike than a least variance.
func (q *fleetMeasure) amounts(wider Prior, some, least float64) Prior {
	w := q.weight + some
	from := math.Log(wider.Mean)
	center := (q.log + some*from) / w
	square := (q.logSq + some*(from*from+wider.InverseK)) / w
	return Prior{Mean: math.Exp(center), Strength: 1, InverseK: max(square-center*center, least)}
}
