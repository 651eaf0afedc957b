// Package detect is the operator that keeps what is known of each identity: one
// task for each partition of weir.partials. It counts and scores tick by tick, as
// the watermark passes, and reports what stands out to correlate.
//
// A Task puts the parts together: partials that wait for their tick
// (waitingPartials), all identities, awake and asleep (population), the bins that are
// not closed (openBins), what correlate has published (fleetParameters), lifecycle
// events and the register that judges by them (facts), and when an identity is
// written to the state (snapshots). What is decided of an identity is decided in
// detectors/score and detectors/fact.
package detect
