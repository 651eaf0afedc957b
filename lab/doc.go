// Package lab measures how well weir detects. It plants leaks whose truth is
// known in a log, replays the log through the same operators that run on Kafka,
// and says what was caught, how late, how much was gone by then, and what would
// have been caught by chance.
//
// The truth is known in two ways: a Leak is added to a real log (weir backtest
// --inject, weir tune), or a simulated company has one from the start. Everything
// is drawn from seeds: the same log, leak and seed give the same figures.
//
// An Experiment first reads the log as it is, which gives the false alarms and a
// Profile of each identity. From the Profile it lays out a Plan of the leak for
// one identity, reads the log with that leak in it, and judges the Outcome.
//
// What weir is compared with stands in packages of its own: lab/theory holds the
// detectors of theory, lab/rules the rules that people use today.
package lab
