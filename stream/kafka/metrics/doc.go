// Package metrics defines what weir tells Prometheus of its work on Kafka, by
// stage, topic and partition.
package metrics
