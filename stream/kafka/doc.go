// Package kafka puts the operators of package stream on Kafka: consumer groups
// spread the work, transactions make it exact, compacted topics keep the state.
//
//   - Ingest is a consumer group on the source topics. One transaction writes
//     what was counted and commits the offsets, each with the progress of its
//     partition in the commit's metadata. It keeps nothing between commits.
//   - Join, detect and correlate are tasks: one per partition of weir.sessions,
//     one per partition of weir.partials, one for the fleet. A task has a transactional id of its own, so whoever takes
//     it over fences whoever held it; its position stands in its own state
//     topic, written in the same transaction as its output. The consumer group
//     only says who runs which task.
//   - Notify is a consumer group per destination on weir.alerts.
//
// A task that fails, for whatever reason, throws its memory away and restores
// from Kafka. There is no other way back, so that the one way is well trodden.
package kafka
