// Package kafka runs weir on Kafka: a Process takes roles, checks what it finds
// in the cluster, and works until it is stopped.
//
//   - Ingest (package sources) is a consumer group on the source topics. One
//     transaction writes what was counted and commits the offsets, each with the
//     progress of its partition in the commit's metadata. It keeps nothing
//     between commits.
//   - Join, detect and correlate (package task) are tasks: one for each partition
//     of weir.sessions, one for each partition of weir.partials, one for the
//     fleet. A task has a transactional id of its own, so a process that takes a
//     task over fences the process that had it. The position of a task stands in
//     its own state topic and is written in the transaction of its output. The
//     consumer group only says which process runs which task.
//   - Notify (package deliver) is one task a destination, on weir.alerts.
//
// Below them, one way: supervise starts them and starts them again, metrics
// counts, topics knows weir's own topics, and cluster reaches Kafka.
//
// A task that fails, for whatever reason, throws its memory away and restores
// from Kafka. There is no other way back, so every run tries that way.
package kafka
