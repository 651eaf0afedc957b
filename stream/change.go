package stream

// Change is one record for the compacted state topic; a nil Value is a
// tombstone.
type Change struct{ Key, Value []byte }

// StateVersion is the version of everything detect and correlate keep in
// Kafka, including how identities are spread over partitions.
const StateVersion = 15
