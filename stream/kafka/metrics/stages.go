package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/join"
)

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
	m.held.WithLabelValues(partition).Set(float64(s.HeldBytes))
	m.overdue.WithLabelValues(partition).Set(float64(s.Overdue))
	m.notKept.WithLabelValues(partition).Set(float64(s.NotKept))
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

// ForgetSource deletes the gauges of a source partition that this process does
// not read any longer.
func (m *Metrics) ForgetSource(topic string, partition int32) {
	for _, g := range []*prometheus.GaugeVec{m.LagOffsets, m.LagSeconds, m.EventSpeed, m.TimeLeft, m.Paused} {
		g.DeleteLabelValues(topic, Label(partition))
	}
}

// ForgetDetect deletes the gauges of a partition of identities.
func (m *Metrics) ForgetDetect(partition int32) {
	for _, g := range []*prometheus.GaugeVec{m.watermark, m.closed, m.identities, m.notKept, m.overdue, m.held, m.waiting, m.unknown, m.RestoreTime} {
		g.DeleteLabelValues(Label(partition))
	}
	m.holder.Reset() // the partitions that are left show it again
	if partition == 0 {
		m.missing.Reset() // the first partition shows it
	}
}

// ForgetJoin deletes the gauges of a partition of tokens.
func (m *Metrics) ForgetJoin(partition int32) {
	m.tokens.DeletePartialMatch(prometheus.Labels{"partition": Label(partition)})
	m.tokenShare.DeleteLabelValues(Label(partition))
	m.joinMark.DeleteLabelValues(Label(partition))
}

// ForgetCorrelate deletes the gauges of the fleet. That the ledger is broken
// stays: the process that correlates now may find its end whole again.
func (m *Metrics) ForgetCorrelate() {
	for _, g := range []Fleet{m.Episodes, m.Campaigns, m.HeldBack, m.BudgetRealised, m.WaitingVerdicts, m.Ledger, m.Checkpoint} {
		g.Reset()
	}
	m.Threshold.Reset()
}

// ForgetDestination deletes the gauges of a destination.
func (m *Metrics) ForgetDestination(name string) {
	m.Queued.DeleteLabelValues(name)
	m.HeartbeatSent.DeleteLabelValues(name)
}
