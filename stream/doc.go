// Package stream is the topology: the operators between an access event and an
// alert, and what flows between them.
//
//	ingest ─ Batch (weir.partials) ─► detect ─ EvidenceReport (weir.evidence) ─► correlate ─► alerts
//	                                    ▲                                    │
//	                                    └──── Parameters (weir.parameters) ◄─┘
//
// Beside it, ingest ─ SessionBatch (weir.sessions) ─► join ─ Batch (weir.partials)
// finds what was read through tokens that nobody issued.
//
// This package holds what flows between the operators, its binary forms, and
// what several operators share: the watermark, buffers by tick. Each operator is
// a package below it.
//
// Each operator is plain Go: it takes values in, gives values out, and knows no
// clock, no Kafka and no goroutine. Kafka (package stream/kafka), files and the
// embedded broker are sources and sinks around the same operators. What comes
// out is a function of the set of events that went in: everything is united on
// a grid of event time before it is counted, so neither the partitioning nor
// the order of arrival can show.
package stream
