// Package detect is the operator that keeps the state of identities. It holds
// partials until the watermark has passed their tick, unites them by identity
// and tick, counts the union, and scores it: early at each tick, for good at the
// end of a bin. What stands out goes to correlate as a stream.EvidenceReport.
package detect
