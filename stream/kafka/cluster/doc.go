// Package cluster reaches Kafka: the connection and its options, reading a
// partition to its end, transactions, and errors that say what to do. It knows
// nothing of weir's topics.
//
// A fault that the client library repairs by itself is waited for and not
// returned. Every other fault is returned with a hint at the setting or the
// broker's log that explains it.
package cluster
