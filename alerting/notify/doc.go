// Package notify brings alerts to people: it says which destinations get an
// alert, when, in which order, how hard a delivery is tried, and what became of
// it. It knows no Kafka: stream/kafka reads weir.alerts, calls this package and
// commits the records that come back.
//
// An alert goes through it in this order, once for each destination:
//
//  1. Routes decide whether the destination gets the alert (Policy.Accept).
//  2. Hold decides until when it waits, for quiet hours or a group; a critical
//     alert never waits.
//  3. Queue decides which message is next: messages of one episode keep their
//     order, and an episode that fails does not delay another.
//  4. Deliverer waits for the destination's limit, adds links (Policy.Prepare)
//     and makes one attempt by Destination, the one thing that a package of a
//     vendor implements.
//  5. The attempt ends as taken, to be tried again after a wait, refused for
//     good, or given up. All but the second make a Delivery, the record in the
//     delivery log; the last two also a dead letter, and NewUndelivered tells of
//     it by another destination.
//
// Delivery is at least once: what was not recorded is sent again after a
// restart, under the same message id. A destination that is down delays its own
// messages only. A destination that panics is taken to have refused.
package notify
