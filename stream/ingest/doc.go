// Package ingest is the first operator: it decides for each event whether it
// counts, is late, is a fact or is rejected, and folds what counts into one
// partial for each identity and tick. Flush writes the partials, the progress of
// the source partitions and the facts as records of weir.partials. Between two
// flushes it keeps nothing but progress, so there is nothing to restore.
package ingest
