// Package trial compares detectors on logs in which nothing is known to be
// stolen, at as many false alarms.
//
// A log is counted once, exactly. Leaks whose truth is known are drawn: an actor,
// a day on which to begin, a thief who chooses records in one of five ways, a
// rate or a dump. Each is added to the counts of its actor in a shadow, a copy of
// what the detector knew of the actor when the leak began; so one pass over the
// log plays all leaks beside the calm log, and each leak is paired with the same
// days without it. A detector is told nothing of them and learns nothing from
// shadows about the fleet.
//
// The log's time is cut in three: the detector learns on the first quarter; on
// what follows, up to 0.6, the threshold is set at which it gives so many false
// alarms per actor-year (230 days with work); on the rest it is judged with that
// threshold: false alarms as realised, leaks caught, and, as chance, how many of
// the same actors alarm in the same days without a leak. Intervals are by
// bootstrap over actors.
package trial
