package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/join"
)

// Label is the form of a partition in labels and in names.
func Label(partition int32) string { return strconv.Itoa(int(partition)) }

// Metrics are what weir tells of itself, by stage.
type Metrics struct {
	Events          *prometheus.CounterVec   // topic, outcome
	Rejects         *prometheus.CounterVec   // topic, partition, reason
	Notes           *prometheus.CounterVec   // topic, note
	LostOffsets     *prometheus.CounterVec   // topic: offsets that were gone before they were read
	LagOffsets      *prometheus.GaugeVec     // topic, partition
	LagSeconds      *prometheus.GaugeVec     // topic, partition
	Paused          *prometheus.GaugeVec     // topic, partition
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
	waiting         *prometheus.GaugeVec     // partition
	unknown         *prometheus.GaugeVec     // partition
	StateBytes      *prometheus.CounterVec   // partition
	RestoreTime     *prometheus.GaugeVec     // partition
	Restoring       prometheus.Gauge
	Failures        *prometheus.CounterVec // part
	Candidates      *prometheus.CounterVec // dimension
	Alerts          *prometheus.CounterVec // status, severity, dimension
	Episodes        prometheus.Gauge
	Campaigns       prometheus.Gauge
	HeldBack        prometheus.Gauge
	Suppressed      *prometheus.CounterVec // by, name
	BudgetRealised  prometheus.Gauge
	Verdicts        *prometheus.CounterVec // kind
	WaitingVerdicts prometheus.Gauge
	Threshold       *prometheus.GaugeVec // dimension
	Deliveries      *prometheus.CounterVec
	Retries         *prometheus.CounterVec
	Queued          *prometheus.GaugeVec // destination
	Ledger          prometheus.Gauge
	LedgerBroken    prometheus.Gauge
	Checkpoint      prometheus.Gauge
	Heartbeat       *prometheus.GaugeVec // stage
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
		Paused:      gauge("source_paused", "1 while a source partition waits for others because it is far ahead in event time.", "topic", "partition"),
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
		overdue:         gauge("overdue_partials", "Partials that came after their tick had closed, from a source declared idle too early; counted one tick later.", "partition"),
		waiting:         gauge("waiting_for_parameters", "1 while a partition waits for correlate to publish the parameters of the bin before.", "partition"),
		unknown:         gauge("unknown_dimension_records", "Partials and states of dimensions that the configuration does not have.", "partition"),
		StateBytes:      counter("state_bytes_total", "Bytes written to the state topic.", "partition"),
		RestoreTime:     gauge("restore_seconds", "How long the last restore of a partition took.", "partition"),
		Restoring:       one("restoring", "Tasks that are being restored now."),
		Failures:        counter("task_failures_total", "Parts of the process that failed and were started again.", "part"),
		Candidates:      counter("candidates_total", "Identities whose evidence passed the candidate cut, each tick.", "dimension"),
		Alerts:          counter("alerts_total", "Alerts written.", "status", "severity", "dimension"),
		Episodes:        one("open_episodes", "Episodes that are open."),
		Campaigns:       one("open_campaigns", "Campaigns that are open."),
		HeldBack:        one("suppressed_episodes", "Open episodes that people have no message of: expected, or told in a campaign's."),
		Suppressed:      counter("suppressed_total", "Alerts that nobody was sent, by what held them back; all are on the suppressed topic.", "by"),
		BudgetRealised:  one("budget_realised", "Statistical episodes and campaigns that people were told of, a day of event time, over the last 28 days."),
		Verdicts:        counter("verdicts_total", "Verdicts that took effect, by kind, and those that could not be read.", "kind"),
		WaitingVerdicts: one("verdicts_waiting", "Verdicts on episodes that are not known (yet)."),
		Threshold:       gauge("alert_threshold", "Log evidence that opens an episode, by dimension and group of statistics.", "dimension", "group"),
		Deliveries:      counter("deliveries_total", "Deliveries, by what became of them.", "destination", "outcome"),
		Retries:         counter("delivery_retries_total", "Delivery attempts that failed and are repeated.", "destination"),
		Ledger:          one("ledger_records", "Number of the last record of the ledger."),
		Checkpoint:      one("ledger_checkpoint_timestamp_seconds", "Wall clock of the last checkpoint of the ledger that was sent."),
		LedgerBroken:    one("ledger_broken", "1 if the end of the ledger is not what correlate has written; `weir ledger verify` says more."),
		Queued:          gauge("queued_messages", "Messages that wait for a destination in memory; those behind them wait in Kafka.", "destination"),
		Heartbeat:       gauge("heartbeat_timestamp_seconds", "Wall clock at which a stage last did its work without fault; alert when it is old.", "stage"),
	}
}

// Progress shows how far detect is with a partition, and whether that waits for
// parameters.
func (m *Metrics) Progress(partition string, s detect.Stats, waiting bool) {
	wait := 0.0
	if waiting {
		wait = 1
	}
	m.waiting.WithLabelValues(partition).Set(wait)
	if s.ClosedMS > 0 {
		m.closed.WithLabelValues(partition).Set(float64(s.ClosedMS) / 1000)
	}
	if s.WatermarkMS > 0 {
		m.watermark.WithLabelValues(partition).Set(float64(s.WatermarkMS) / 1000)
	}
	m.identities.WithLabelValues(partition).Set(float64(s.Identities))
	m.overdue.WithLabelValues(partition).Set(float64(s.Overdue))
	m.unknown.WithLabelValues(partition).Set(float64(s.Unknown))
	m.holder.Reset()
	if s.Holder.Topic != "" {
		m.holder.WithLabelValues(s.Holder.Topic, Label(s.Holder.Partition)).Set(1)
	}
}

// Committed counts a commit of a stage that began at that time.
func (m *Metrics) Committed(stage string, began time.Time) {
	m.Commits.WithLabelValues(stage, "committed").Inc()
	m.commitTime.WithLabelValues(stage).Observe(time.Since(began).Seconds())
}

// Inputs shows which kinds of facts have never been seen.
func (m *Metrics) Inputs(in fact.Inputs) {
	for _, input := range fact.AllInputs() {
		m.missing.WithLabelValues(input.Name).Set(0)
	}
	for _, input := range in.Missing() {
		m.missing.WithLabelValues(input.Name).Set(1)
	}
}

// Joined shows what the join knows of the tokens of a partition.
func (m *Metrics) Joined(partition string, s join.Stats) {
	for state, n := range map[string]int64{
		"known": s.Tokens, "waiting": s.Held, "older_than_log": s.Adopted, "unissued": s.Unissued, "unjudged": s.Unjudged,
	} {
		m.tokens.WithLabelValues(partition, state).Set(float64(n))
	}
	m.tokenShare.WithLabelValues(partition).Set(s.Share)
	if s.ClosedMS > 0 {
		m.joinMark.WithLabelValues(partition).Set(float64(s.ClosedMS) / 1000)
	}
}
