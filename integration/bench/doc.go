// Package bench measures what the whole of weir costs: the CPU of the pipeline
// beside that of a bare reader and of one that decodes, the bytes it writes to
// Kafka for each byte it reads, and the time to restore a million identities.
//
// It has benchmarks only, so that go test leaves it alone; `make bench` runs
// them, and docs/performance.md says what they print. What is compared runs in
// turns within one run, each in a process of its own, against a real Kafka, so
// that the ratios hold on another machine even where the figures do not.
package bench
