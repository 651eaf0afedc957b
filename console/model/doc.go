// Package model folds what weir has said, what was held back and what people
// answered into one picture of all episodes and campaigns: the read model of the
// console.
//
// It is pure: it knows neither Kafka nor clock. What it is given is what was
// committed, in any interleaving of the topics; the picture does not depend on it.
// A Snapshot never changes, so that any number of pages read it without a lock.
//
// Its memory is bounded by MaxEpisodes, MaxMessages, MaxVerdicts, MaxHolders and
// MaxWatched.
package model
