// Package sources reads the source topics: each Worker is a member of one
// consumer group, counts events into partials, and commits them with the offsets
// in one transaction. It finds out which partitions are idle, and pauses those
// that are far ahead of others in event time.
//
// What was read and not committed is read again after a fault or a rebalance,
// by whichever worker has the partition then.
package sources
