// Package local runs all operators in one process and without Kafka, for files.
package local
