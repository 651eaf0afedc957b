package task

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

// parameterRing is how many bins' parameters the compacted topic keeps. A
// detect task in need of one bin's has not closed that bin, so correlate is
// never further ahead than that; a restore reaches back by one bin.
const parameterRing = 64

// Correlate runs a correlate.Task on the one partition of weir.evidence,
// and on weir.verdicts beside it. Where it stands in both is in its checkpoint.
type Correlate struct {
	supervise.Env
	Config      correlate.Config
	Settings    []byte // in force, as JSON
	Checkpoints *Checkpoints
}

// Run restores the fleet's state, and then takes in reports and verdicts until
// ctx ends or something fails.
func (t *Correlate) Run(ctx context.Context, partition int32, at func(int64)) error {
	name := supervise.TaskName(t.Topics.Evidence, partition)
	t.Ready.Begin(name)
	defer t.Ready.Forget(name)
	cl, err := t.TaskClient(ctx, "correlate")
	if err != nil {
		return err
	}
	defer cl.Close()
	c, ledger := correlate.New(t.Config), &ledgerWriter{names: t.Topics}
	_, err = t.Conn.ReadAll(ctx, t.Topics.Fleet, 0, func(r *kgo.Record) error { return errors.Join(c.Load(r.Key, r.Value), ledger.Load(r.Key, r.Value)) })
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	if err := t.openLedger(ctx, cl, ledger); err != nil {
		return err
	}
	start, _, err := t.Conn.Bounds(ctx, t.Topics.Evidence, 0)
	if err != nil {
		return err
	}
	if c.Offset() == 0 {
		c.StartAt(start)
	}
	if c.Offset() < start {
		return supervise.Deleted(t.Topics.Evidence, 0, start, c.Offset())
	}
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{
		t.Topics.Evidence: {0: kgo.NewOffset().At(c.Offset())},
		t.Topics.Verdicts: {0: kgo.NewOffset().At(c.VerdictOffset())},
	})
	t.Ready.Done(name)
	saved, when := offsets(c), time.Now()
	checkpoints := newCheckpointer(t.Checkpoints)
	for {
		if err := t.poll(ctx, cl, c); err != nil {
			return err
		}
		committed, err := t.advance(ctx, cl, c, ledger, offsets(c) != saved && time.Since(when) > settleAfter)
		if err != nil {
			return err
		}
		if committed {
			saved, when = offsets(c), time.Now()
		}
		if err := checkpoints.step(ctx, t, cl, ledger); err != nil {
			return err
		}
		at(c.Offset())
	}
}

// offsets is where the task stands in both its topics.
func offsets(c *correlate.Task) [2]int64 { return [2]int64{c.Offset(), c.VerdictOffset()} }

func (t *Correlate) poll(ctx context.Context, cl *kgo.Client, c *correlate.Task) error {
	fetches, err := supervise.PollTask(ctx, cl)
	if err != nil {
		return err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		rec := iter.Next()
		if rec.Topic == t.Topics.Verdicts {
			t.takeVerdict(c, rec)
			continue
		}
		report, err := stream.DecodeEvidenceReport(rec.Value)
		if err == nil {
			err = c.Apply(rec.Offset, report)
		}
		if err != nil {
			return fmt.Errorf("%s offset %d: %w", rec.Topic, rec.Offset, err)
		}
	}
	return nil
}

// takeVerdict takes in a verdict. One that cannot be read was written by something
// else than weir: it is counted and passed over, since nothing would ever make
// it readable.
func (t *Correlate) takeVerdict(c *correlate.Task, rec *kgo.Record) {
	v, err := correlate.DecodeVerdict(rec.Value)
	if err != nil {
		t.Metrics.Verdicts.WithLabelValues("unreadable").Inc()
		t.Log.Warn("a verdict is passed over", "topic", rec.Topic, "offset", rec.Offset, "error", err)
		c.SkipVerdict(rec.Offset)
		return
	}
	c.ApplyVerdict(rec.Offset, v)
}

// advance works through what all partitions have closed and commits when there
// is something to tell: alerts, or the parameters of a finished bin; and when
// it must, so that a restore needs nothing old of weir.evidence.
func (t *Correlate) advance(ctx context.Context, cl *kgo.Client, c *correlate.Task, ledger *ledgerWriter, must bool) (committed bool, err error) {
	found := c.Advance()
	if found.Empty() && !must {
		t.Metrics.Heartbeat.WithLabelValues("correlate").SetToCurrentTime()
		return false, nil
	}
	began := time.Now()
	tx := cluster.Transaction{Client: cl}
	for i := range found.Alerts {
		a := &found.Alerts[i]
		tx.Add(t.Topics.Alerts, 0, []byte(a.DedupKey), a.AppendJSON(nil))
	}
	for i := range found.Suppressed {
		s := &found.Suppressed[i]
		tx.Add(t.Topics.Suppressed, 0, []byte(s.Alert.DedupKey), s.AppendJSON(nil))
	}
	if params := found.Parameters; params != nil {
		key := strconv.FormatInt(params.Bin%parameterRing, 10)
		tx.Add(t.Topics.Parameters, 0, []byte(key), params.AppendBinary(nil))
	}
	if err := ledger.write(&tx, &found); err != nil {
		return false, err
	}
	for _, change := range c.Snapshot() {
		tx.Add(t.Topics.Fleet, 0, change.Key, change.Value)
	}
	if err := tx.Commit(ctx); err != nil {
		t.Metrics.Commits.WithLabelValues("correlate", "failed").Inc()
		return false, err
	}
	t.report(&found, c)
	t.Metrics.Ledger.Set(float64(ledger.Head.Seq))
	t.Metrics.Committed("correlate", began)
	return true, nil
}

// report counts and logs what was committed.
func (t *Correlate) report(found *correlate.Findings, c *correlate.Task) {
	m := t.Metrics
	m.Heartbeat.WithLabelValues("correlate").SetToCurrentTime()
	for _, a := range found.Alerts {
		m.Alerts.WithLabelValues(string(a.Status), a.Severity.String(), a.Dimension).Inc()
		t.Log.Info("alert", "status", a.Status, "severity", a.Severity, "dimension", a.Dimension, "dedup_key", a.DedupKey)
	}
	for _, s := range found.Suppressed {
		m.Suppressed.WithLabelValues(string(s.By.Kind)).Inc()
		t.Log.Info("suppressed", "by", s.By.Kind, "name", s.By.Name, "status", s.Alert.Status, "dimension", s.Alert.Dimension, "dedup_key", s.Alert.DedupKey)
	}
	for _, e := range found.Effects {
		m.Verdicts.WithLabelValues(string(e.Verdict.Kind)).Inc()
		t.Log.Info("verdict", "kind", e.Verdict.Kind, "dedup_key", e.Verdict.DedupKey, "author", e.Verdict.Author)
	}
	status := c.Status()
	m.Episodes.Set(float64(status.Open))
	m.Campaigns.Set(float64(status.Campaigns))
	m.HeldBack.Set(float64(status.Suppressed))
	m.BudgetRealised.Set(status.Realised)
	m.WaitingVerdicts.Set(float64(status.Waiting))
	if found.Parameters != nil {
		for i, name := range t.Config.Dimensions {
			for g, threshold := range status.Thresholds[i] {
				m.Threshold.WithLabelValues(name, score.Group(g).String()).Set(threshold)
			}
		}
	}
}
