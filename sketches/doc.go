// Package sketches counts distinct records over sliding windows of event time,
// in memory that fits a million identities.
//
// A [Window] remembers, for one identity, which records it touched and when
// each was last seen. It serves twice: as the partial that one ingest task
// built for one tick, and as the state that detect keeps. Up to [ExactLimit]
// records it is a sorted list and answers every question without error; beyond
// that it is a timestamped register matrix, which keeps for each (register,
// rank) cell of a PCSA split of the hash (Flajolet and Martin, 1985) the last
// minute in which the cell was hit. The records seen since any minute are then
// the cells hit since that minute, and their number is estimated by maximum
// likelihood.
//
// What a window holds is a function of the set of (record, minute) pairs put
// in: neither order, nor repetition, nor the way in which the set was cut into
// partials can be seen in it. Merge is commutative, associative and idempotent.
//
// An [Exposure] is the union of all records that an episode has exposed, over
// months, on a HyperLogLog sketch of 2^14 registers.
//
// Every answer is an [Estimate]: a number with its 95 % interval.
//
// The package is pure: no clock, no I/O, no goroutine, no randomness. Hashes
// must come from a keyed hash, so that nobody can choose records that collide.
// None of its types may be used by several goroutines at once.
package sketches
