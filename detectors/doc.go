// Package detectors is the folder of what weir decides. It holds no code; each
// subject is a package of its own:
//
//	score     what is expected of one identity in a bin, and the evidence of
//	          what it did
//	fleet     what all identities teach about each: peers, hours, thresholds
//	fact      what is known rather than inferred: accounts, keys, tokens, sources
//	episode   the life of an episode, its severity and its confidence
//	campaign  what many identities do together
//
// All of it is pure: no clock, no I/O, no goroutine, no order of a map. The same
// calls give the same bits.
package detectors
