package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Label is the form of a partition in labels and in names.
func Label(partition int32) string { return strconv.Itoa(int(partition)) }

// Fleet is a gauge of the whole fleet. Only the process that correlates shows it.
type Fleet struct{ *prometheus.GaugeVec }

// Set sets the gauge.
func (f Fleet) Set(v float64) { f.WithLabelValues().Set(v) }

// Metrics are what weir tells of itself, by stage. A gauge of a partition is
// deleted when the partition moves to another process; heartbeats stay, since a
// stage that nobody works on must show.
type Metrics struct {
	Events          *prometheus.CounterVec   // topic, outcome
	Rejects         *prometheus.CounterVec   // topic, partition, reason
	Notes           *prometheus.CounterVec   // topic, note
	LostOffsets     *prometheus.CounterVec   // topic: offsets that were gone before they were read
	LagOffsets      *prometheus.GaugeVec     // topic, partition
	LagSeconds      *prometheus.GaugeVec     // topic, partition
	EventSpeed      *prometheus.GaugeVec     // topic, partition
	TimeLeft        *prometheus.GaugeVec     // topic, partition
	Paused          *prometheus.GaugeVec     // topic, partition
	Unjudged        *prometheus.GaugeVec     // worker
	Pending         *prometheus.GaugeVec     // what: entries, identities
	Bytes           *prometheus.CounterVec   // stage, direction
	Commits         *prometheus.CounterVec   // stage, result
	commitTime      *prometheus.HistogramVec // stage
	watermark       *prometheus.GaugeVec     // partition
	closed          *prometheus.GaugeVec     // partition
	holder          *prometheus.GaugeVec     // topic, partition
	identities      *prometheus.GaugeVec     // partition
	tokens          *prometheus.GaugeVec     // partition, state
	tokenShare      *prometheus.GaugeVec     // partition
	joinMark        *prometheus.GaugeVec     // partition
	Facts           *prometheus.CounterVec   // kind: facts taken in
	Noticed         *prometheus.CounterVec   // fact: each tick
	missing         *prometheus.GaugeVec     // input
	overdue         *prometheus.GaugeVec     // partition
	notKept         *prometheus.GaugeVec     // partition
	held            *prometheus.GaugeVec     // partition
	waiting         *prometheus.GaugeVec     // partition
	unknown         *prometheus.GaugeVec     // partition
	StateBytes      *prometheus.CounterVec   // partition
	RestoreTime     *prometheus.GaugeVec     // partition
	Restoring       prometheus.Gauge
	Failures        *prometheus.CounterVec // part
	Candidates      *prometheus.CounterVec // dimension
	Alerts          *prometheus.CounterVec // status, severity, dimension
	Episodes        Fleet
	Campaigns       Fleet
	HeldBack        Fleet
	Suppressed      *prometheus.CounterVec // by, name
	BudgetRealised  Fleet
	Verdicts        *prometheus.CounterVec // kind
	WaitingVerdicts Fleet
	Aliases         prometheus.Gauge
	AliasesRefused  prometheus.Counter
	Threshold       *prometheus.GaugeVec // dimension
	Deliveries      *prometheus.CounterVec
	Retries         *prometheus.CounterVec
	Queued          *prometheus.GaugeVec // destination
	Ledger          Fleet
	LedgerBroken    prometheus.Gauge
	Checkpoint      Fleet
	Heartbeat       *prometheus.GaugeVec // stage
	HeartbeatSent   *prometheus.GaugeVec // destination
}

// New registers weir's metrics.
func New(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: "weir_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return f.NewGaugeVec(prometheus.GaugeOpts{Name: "weir_" + name, Help: help}, labels)
	}
	one := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Name: "weir_" + name, Help: help})
	}
	fleet := func(name, help string) Fleet {
		g := Fleet{gauge(name, help)}
		g.Set(0)
		return g
	}
	return &Metrics{
		tokens:      gauge("tokens", "Tokens by what the join of a partition makes of them: known, waiting for a login, and, since its start, older than the log, unissued, unjudged.", "partition", "state"),
		tokenShare:  gauge("tokens_looked_at", "Share of tokens that the join looks at; below 1 when there are more than it has room for.", "partition"),
		joinMark:    gauge("join_watermark_seconds", "Event time, Unix seconds, up to which a partition of tokens takes input as complete.", "partition"),
		Facts:       counter("facts_total", "Facts taken in, by kind.", "kind"),
		Noticed:     counter("fact_candidates_total", "Identities for which a fact holds, each tick.", "fact"),
		missing:     gauge("input_missing", "1 while facts of a kind have never been seen, so that what follows from them cannot be told.", "input"),
		Events:      counter("events_total", "Events taken in, by what became of them.", "topic", "outcome"),
		Rejects:     counter("rejected_total", "Events that could not be taken in, by reason; each is recorded on the rejects topic.", "topic", "partition", "reason"),
		Notes:       counter("event_notes_total", "Oddities in events that were taken in all the same.", "topic", "note"),
		LostOffsets: counter("source_offsets_lost_total", "Source offsets that were deleted before they were read.", "topic", "partition"),
		LagOffsets:  gauge("source_lag_offsets", "Records of a source partition that wait to be read.", "topic", "partition"),
		LagSeconds:  gauge("source_lag_seconds", "Wall clock less the largest event time read of a source partition.", "topic", "partition"),
		Paused:      gauge("source_paused", "1 while a source partition is not read because it is too far past what detect has judged.", "topic", "partition"),
		EventSpeed:  gauge("source_event_speed", "Seconds of event time that are read of a source partition in a second, over the last five minutes.", "topic", "partition"),
		TimeLeft:    gauge("source_left_seconds", "Seconds until a source partition is read to its end, at the pace of the last five minutes; +Inf if its lag does not shrink.", "topic", "partition"),
		Unjudged:    gauge("ingest_unjudged_bytes", "Bytes that an ingest worker has written and that detect has not judged yet.", "worker"),
		Pending:     gauge("ingest_pending", "What ingest holds for its next commit.", "what"),
		Bytes:       counter("bytes_total", "Bytes of record values read from the sources and written to weir's topics, uncompressed.", "stage", "direction"),
		Commits:     counter("commits_total", "Transactions, by result.", "stage", "result"),
		commitTime: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "weir_commit_seconds", Help: "Time from the first write of a transaction to its end.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 12),
		}, []string{"stage"}),
		watermark:       gauge("watermark_seconds", "Event time, Unix seconds, up to which a partition of identities takes input as complete.", "partition"),
		closed:          gauge("closed_seconds", "Event time, Unix seconds, up to which a partition of identities has been judged.", "partition"),
		holder:          gauge("watermark_holder", "1 for the source partition that holds the watermark back.", "topic", "partition"),
		identities:      gauge("identities", "Identities whose state is held.", "partition"),
		notKept:         gauge("identities_not_kept", "Identities that acted and found no room among those that are kept, each tick in which they acted, since the task was restored.", "partition"),
		overdue:         gauge("overdue_partials", "Partials that came after their tick had closed, from a source declared idle too early; counted one tick later.", "partition"),
		held:            gauge("held_bytes", "Bytes of memory that a partition of identities takes for partials whose tick is not closed yet.", "partition"),
		waiting:         gauge("waiting_for_parameters", "1 while a partition waits for correlate to publish the parameters of the bin before.", "partition"),
		unknown:         gauge("unknown_dimension_records", "Partials and states of dimensions that the configuration does not have.", "partition"),
		StateBytes:      counter("state_bytes_total", "Bytes written to the state topic.", "partition"),
		RestoreTime:     gauge("restore_seconds", "How long the last restore of a partition took.", "partition"),
		Restoring:       one("restoring", "Tasks that are being restored now."),
		Failures:        counter("task_failures_total", "Parts of the process that failed and were started again.", "part"),
		Candidates:      counter("candidates_total", "Identities whose evidence passed the candidate cut, each tick.", "dimension"),
		Alerts:          counter("alerts_total", "Alerts written.", "status", "severity", "dimension"),
		Episodes:        fleet("open_episodes", "Episodes that are open."),
		Campaigns:       fleet("open_campaigns", "Campaigns that are open."),
		HeldBack:        fleet("suppressed_episodes", "Open episodes that people have no message of: expected, or told in a campaign's."),
		Suppressed:      counter("suppressed_total", "Alerts that nobody was sent, by what held them back; all are on the suppressed topic.", "by"),
		BudgetRealised:  fleet("budget_realised", "Statistical episodes and campaigns that people were told of, a day of event time, over the last 28 days."),
		Verdicts:        counter("verdicts_total", "Verdicts that took effect, by kind, and those that were refused, or repeated.", "kind"),
		WaitingVerdicts: fleet("verdicts_waiting", "Verdicts on episodes that are not known (yet)."),
		Aliases:         one("aliases", "Names of which it is known whose they are."),
		AliasesRefused:  f.NewCounter(prometheus.CounterOpts{Name: "weir_aliases_refused_total", Help: "Aliases that cannot be one; the log says why."}),
		Threshold:       gauge("alert_threshold", "Log evidence that opens an episode, by dimension and group of statistics.", "dimension", "group"),
		Deliveries:      counter("deliveries_total", "Deliveries, by what became of them.", "destination", "outcome"),
		Retries:         counter("delivery_retries_total", "Delivery attempts that failed and are repeated.", "destination"),
		Ledger:          fleet("ledger_records", "Number of the last record of the ledger."),
		Checkpoint:      fleet("ledger_checkpoint_timestamp_seconds", "Wall clock of the last checkpoint of the ledger that was sent."),
		LedgerBroken:    one("ledger_broken", "1 if the end of the ledger is not what correlate has written; `weir ledger verify` says more."),
		Queued:          gauge("queued_messages", "Messages that wait for a destination in memory; those behind them wait in Kafka.", "destination"),
		HeartbeatSent:   gauge("heartbeat_sent_timestamp_seconds", "Wall clock at which a destination took its last heartbeat.", "destination"),
		Heartbeat:       gauge("heartbeat_timestamp_seconds", "Wall clock at which a stage last did its work without fault; alert when it is old.", "stage"),
	}
}
