// Package lab measures how well weir detects. It plants leaks whose truth is
// known in a log, replays the log through the same operators that run on Kafka,
// and says what was caught, how late, how much was gone by then, and what would
// have been caught by chance.
//
// Two ways lead to a truth: a Leak is added to a real log (weir backtest
// --inject, weir tune), or a simulated company has one from the start. Beside
// them stand the detectors of theory and of today's rules, which the engine is
// compared with at equal realised false alarms. Everything is drawn from seeds:
// the same log, leak and seed give the same figures.
package lab
