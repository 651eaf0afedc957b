// Package stream is the topology: the operators between an access event and an
// alert, and what flows between them.
//
//	Ingest ─ Batch (weir.partials) ─► Detect ─ Report (weir.evidence) ─► Correlate ─► alerts
//	                                    ▲                                    │
//	                                    └──── Parameters (weir.parameters) ◄─┘
//
// Beside it, Ingest ─ SessionBatch (weir.sessions) ─► Join ─ Batch (weir.partials)
// finds what was read through tokens that nobody issued.
//
// Each operator is plain Go: it takes values in, gives values out, and knows no
// clock, no Kafka and no goroutine. Kafka (package stream/kafka), files and the
// embedded broker are sources and sinks around the same operators. What comes
// out is a function of the set of events that went in: everything is united on
// a grid of event time before it is counted, so neither the partitioning nor
// the order of arrival can show.
package stream
