// Package task runs the operators join, detect and correlate on Kafka: each task
// restores its state from its topics, takes in records, and writes what it found
// with its changed state and its position in one transaction. Correlate also
// chains the ledger and sends its checkpoints.
//
// A task that fails is thrown away; the next run restores it. A task that another
// process has taken over cannot commit any longer, and fails.
package task
