// Package rivals measures package sketches beside what one would use instead:
// rings of HyperLogLog sketches (axiomhq/hyperloglog, apache/datasketches-go)
// with buckets of 5 minutes, an hour and a day, and exact maps. It holds tests
// only, so that the libraries compared are nobody else's dependencies.
//
// make bench-sketches prints the tables of docs/sketches.md.
package rivals
