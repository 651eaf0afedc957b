// Package score decides on one identity. It holds what is expected of an identity, weighs
// what it did against that, and says how much the weight of evidence is.
//
// The data flows one way. Counts of one identity in one bin go into Engine
// (Early while the bin runs, Close when it ends), which holds them against the
// identity's State (its own level, hours and dispersion) and the fleet's
// Parameters (hour-of-week shape, peers' prior, common mode) and returns
// Evidence. What each closed bin tells of the whole fleet is added into the
// Sums of package fleet, which makes the Parameters of the next bin.
//
// The method is a mixture of Shiryaev-Roberts statistics over negative-binomial
// bins (Shiryaev 1963, Roberts 1966, Pollak 1985); docs/detection.md tells it
// with its formulas, priors and measured delays.
//
// Everything here is pure: no clock, no I/O, no goroutine, no order of a map.
// The same calls give the same bits.
package score
