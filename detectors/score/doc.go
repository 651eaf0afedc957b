// Package score says how surprising an identity's counts are: what is expected of
// one identity in a bin and a day, and the evidence of what it did. It decides
// nothing: thresholds come in with the Parameters, episodes are made of the Evidence
// elsewhere.
//
// # What goes in and out
//
// Counts of one identity in one bin go into an Engine, with the identity's State and
// the Parameters that the package fleet has made of all bins before. Out come the
// Evidence and a Sample, which is what the bin tells of the fleet.
//
//	Early    a running bin, at each tick with news; changes nothing
//	Close    a bin that has ended: with counts always, without counts while Hot
//	Late     counts for a closed bin of the last three days
//	Explain  Early for people
//	Excise   a confirmed leak goes out of the baseline
//
// A bin without counts need not be closed: all silence costs one step when the
// identity comes back.
//
// # What is judged
//
// A day with work is a bin of its own, scored as it stands at each tick and closed
// when the identity works on another day: days differ more than hours, and eight busy
// hours are one witness. Beside it stands the bin, for bursts. Counts are negative
// binomial around the identity's own mean of days (or bins) with work; the share of
// first touches is beta-binomial around the own share. A Shiryaev-Roberts statistic
// for each of five drifts sums likelihood ratios over days or bins; what a bin adds
// is held to what the fleet's own tail allows. Statistics form groups, of which each
// has a threshold and a part of the budget of its own.
//
// docs/detection.md has the formulas and all constants. Everything is pure: no clock,
// no I/O, no goroutine, no order of a map. The same calls give the same bits.
package score
