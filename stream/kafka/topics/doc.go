// Package topics knows weir's own topics: their names, how each must be made,
// which configuration their state was made with, and what people read from them
// and write to them (alerts, verdicts, the ledger).
//
// It refuses rather than repairs: a topic with another partition count or
// cleanup policy, or a state of another configuration, is an error that says how
// to go on.
package topics
