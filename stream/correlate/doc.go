// Package correlate is the operator that sees what stands out of the whole
// fleet. It opens, updates and closes episodes, gathers them into campaigns,
// decides what is told and what is held back, and publishes the parameters that
// detect uses in the next bin.
//
// [Task] works through one tick after the other (tick.go). Each step is the work
// of one type:
//
//	inbox        what detect has reported and no tick has used yet
//	fleetModel   what was learned of the fleet, and the parameters from it
//	episodeStore  the episodes, a record of each, and what belongs to what
//	campaigns    asks package campaign who belongs together, and acts on it
//	verdicts     what people said, when it takes effect, and what it does
//	notices      what weir has to say of itself, in the next tick
//	suppression  what holds an episode back: a rule, a verdict, a campaign
//	alertMaker   an alert from the record of an episode
//	command.Queue  what detect is told to do, until it must have read it
//
// It computes no statistics: thresholds and fleet are package fleet's, the life of
// an episode package episode's, chance package campaign's.
//
// checkpoint.go brings all of it to weir.fleet and back. A task that is restored
// from there goes on as if nothing had happened.
package correlate
