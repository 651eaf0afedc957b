// Package deliver carries weir.alerts to the destinations, one Notifier each. It
// records every delivery, remembers in weir.outbox what each destination has
// got, and keeps what a destination will never take in weir.deadletters.
//
// A destination that fails delays its own messages only. A kill between an
// attempt and its record repeats that one message under the same key.
package deliver
