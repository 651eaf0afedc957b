package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
)

// parameterRing is how many bins' parameters the compacted topic keeps. A
// detect task in need of one bin's has not closed that bin, so correlate is
// never further ahead than that; a restore reaches back by one bin.
const parameterRing = 64

// correlateTask runs the correlate.Task on the one partition of weir.evidence,
// and on weir.verdicts beside it. Where it stands in both is in its checkpoint.
type correlateTask struct {
	shared
	config   correlate.Config
	settings []byte // in force, as JSON
	checks   *Checkpoints
}

func (t *correlateTask) run(ctx context.Context, partition int32, at func(int64)) error {
	name := taskName(t.topics.Evidence, partition)
	t.ready.begin(name)
	defer t.ready.forget(name)
	cl, err := t.taskClient(ctx, "correlate")
	if err != nil {
		return err
	}
	defer cl.Close()
	c, b := correlate.New(t.config), &ledgerWriter{}
	_, err = t.conn.readAll(ctx, t.topics.Fleet, 0, func(r *kgo.Record) error { return errors.Join(c.Load(r.Key, r.Value), b.Load(r.Key, r.Value)) })
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	if err := t.openLedger(ctx, cl, b); err != nil {
		return err
	}
	start, _, err := t.conn.bounds(ctx, t.topics.Evidence, 0)
	if err != nil {
		return err
	}
	if c.Offset() == 0 {
		c.StartAt(start)
	}
	if c.Offset() < start {
		return deleted(t.topics.Evidence, 0, start, c.Offset())
	}
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{
		t.topics.Evidence: {0: kgo.NewOffset().At(c.Offset())},
		t.topics.Verdicts: {0: kgo.NewOffset().At(c.VerdictOffset())},
	})
	t.ready.done(name)
	saved, when := offsets(c), time.Now()
	checkpoints := newCheckpointer(t.checks)
	for {
		if err := t.poll(ctx, cl, c); err != nil {
			return err
		}
		committed, err := t.advance(ctx, cl, c, b, offsets(c) != saved && time.Since(when) > settleAfter)
		if err != nil {
			return err
		}
		if committed {
			saved, when = offsets(c), time.Now()
		}
		if err := checkpoints.step(ctx, t, cl, b); err != nil {
			return err
		}
		at(c.Offset())
	}
}

// offsets is where the task stands in both its topics.
func offsets(c *correlate.Task) [2]int64 { return [2]int64{c.Offset(), c.VerdictOffset()} }

func (t *correlateTask) poll(ctx context.Context, cl *kgo.Client, c *correlate.Task) error {
	fetches, err := pollTask(ctx, cl)
	if err != nil {
		return err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		rec := iter.Next()
		if rec.Topic == t.topics.Verdicts {
			t.hear(c, rec)
			continue
		}
		report, err := stream.DecodeReport(rec.Value)
		if err == nil {
			err = c.Apply(rec.Offset, report)
		}
		if err != nil {
			return fmt.Errorf("%s offset %d: %w", rec.Topic, rec.Offset, err)
		}
	}
	return nil
}

// hear takes in a verdict. One that cannot be read was written by something
// else than weir: it is counted and passed over, since nothing would ever make
// it readable.
func (t *correlateTask) hear(c *correlate.Task, rec *kgo.Record) {
	v, err := correlate.DecodeVerdict(rec.Value)
	if err != nil {
		t.metrics.verdicts.WithLabelValues("unreadable").Inc()
		t.log.Warn("a verdict is passed over", "topic", rec.Topic, "offset", rec.Offset, "error", err)
		c.SkipVerdict(rec.Offset)
		return
	}
	c.ApplyVerdict(rec.Offset, v)
}

// Advance works through what all partitions have closed and commits when there
// is something to tell: alerts, or the parameters of a finished bin; and when
// it must, so that a restore needs nothing old of weir.evidence.
func (t *correlateTask) advance(ctx context.Context, cl *kgo.Client, c *correlate.Task, b *ledgerWriter, must bool) (committed bool, err error) {
	found := c.Advance()
	if found.Empty() && !must {
		t.metrics.heartbeat.WithLabelValues("correlate").SetToCurrentTime()
		return false, nil
	}
	began := time.Now()
	tx := transaction{client: cl}
	for i := range found.Alerts {
		a := &found.Alerts[i]
		tx.add(t.topics.Alerts, 0, []byte(a.DedupKey), a.AppendJSON(nil))
	}
	for i := range found.Suppressed {
		s := &found.Suppressed[i]
		tx.add(t.topics.Suppressed, 0, []byte(s.Alert.DedupKey), s.AppendJSON(nil))
	}
	if params := found.Parameters; params != nil {
		key := strconv.FormatInt(params.Bin%parameterRing, 10)
		tx.add(t.topics.Parameters, 0, []byte(key), params.AppendBinary(nil))
	}
	if err := b.write(&tx, t.topics, &found); err != nil {
		return false, err
	}
	for _, change := range c.Snapshot() {
		tx.add(t.topics.Fleet, 0, change.Key, change.Value)
	}
	if err := tx.commit(ctx); err != nil {
		t.metrics.commits.WithLabelValues("correlate", "failed").Inc()
		return false, err
	}
	t.tell(&found, c)
	t.metrics.ledger.Set(float64(b.Head.Seq))
	t.metrics.committed("correlate", began)
	return true, nil
}

func (t *correlateTask) tell(found *correlate.Findings, c *correlate.Task) {
	m := t.metrics
	m.heartbeat.WithLabelValues("correlate").SetToCurrentTime()
	for _, a := range found.Alerts {
		m.alerts.WithLabelValues(string(a.Status), a.Severity.String(), a.Dimension).Inc()
		t.log.Info("alert", "status", a.Status, "severity", a.Severity, "dimension", a.Dimension, "dedup_key", a.DedupKey)
	}
	for _, s := range found.Suppressed {
		m.suppressed.WithLabelValues(string(s.By.Kind)).Inc()
		t.log.Info("suppressed", "by", s.By.Kind, "name", s.By.Name, "status", s.Alert.Status, "dimension", s.Alert.Dimension, "dedup_key", s.Alert.DedupKey)
	}
	for _, e := range found.Effects {
		m.verdicts.WithLabelValues(string(e.Verdict.Kind)).Inc()
		t.log.Info("verdict", "kind", e.Verdict.Kind, "dedup_key", e.Verdict.DedupKey, "author", e.Verdict.Author)
	}
	status := c.Status()
	m.episodes.Set(float64(status.Open))
	m.campaigns.Set(float64(status.Campaigns))
	m.folded.Set(float64(status.Suppressed))
	m.realised.Set(status.Realised)
	m.unheard.Set(float64(status.Waiting))
	if found.Parameters != nil {
		for i, name := range t.config.Dimensions {
			m.threshold.WithLabelValues(name).Set(status.Thresholds[i])
		}
	}
}
