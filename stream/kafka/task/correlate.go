package task

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/position"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

// parameterRing is how many bins' parameters the compacted topic keeps. A
// detect task in need of one bin's has not closed that bin, so correlate is
// never further ahead than that; a restore reaches back by one bin.
const parameterRing = 64

// Correlate runs a correlate.Task on the one partition of weir.evidence, and on
// weir.verdicts beside it. Its position in both is in its own state.
type Correlate struct {
	supervise.Env
	Config      correlate.Config
	Settings    InForce
	Checkpoints *Checkpoints
	Positions   *supervise.Positions // what the task says of itself
}

// Run restores the fleet's state, and then takes in reports and verdicts until
// ctx ends or something fails.
func (t *Correlate) Run(ctx context.Context, partition int32, at func(int64)) error {
	cl, err := t.TaskClient(ctx, "correlate")
	if err != nil {
		return err
	}
	defer cl.Close()
	r := &correlateRun{
		Correlate: t, client: cl, correlate: correlate.New(t.Config),
		ledger: ledgerWriter{names: t.Topics, inForce: t.Settings.JSON}, checkpointer: newCheckpointer(t.Checkpoints),
	}
	if err := r.restore(ctx); err != nil {
		return err
	}
	t.Ready.Done(supervise.TaskName(t.Topics.Evidence, partition))
	return r.loop(ctx, at)
}

// Forget drops what the metrics show of the fleet, which another process
// correlates now.
func (t *Correlate) Forget(int32) { t.Metrics.ForgetCorrelate() }

// correlateRun is one run of the fleet's task.
type correlateRun struct {
	*Correlate
	client       *kgo.Client
	correlate    *correlate.Task
	ledger       ledgerWriter
	checkpointer *checkpointer
	said         time.Time // wall clock at which the position was told last
}

func (r *correlateRun) loop(ctx context.Context, at func(int64)) error {
	saved, when := r.offsets(), time.Now()
	for {
		if err := r.poll(ctx); err != nil {
			return err
		}
		committed, err := r.advance(ctx, r.offsets() != saved && time.Since(when) > settleAfter)
		if err != nil {
			return err
		}
		if committed {
			saved, when = r.offsets(), time.Now()
		}
		if err := r.stepCheckpoint(ctx); err != nil {
			return err
		}
		at(r.correlate.Offset())
		r.tell()
	}
}

// tell says how the fleet is, for those who look at the group.
func (r *correlateRun) tell() {
	if time.Since(r.said) < supervise.CommitPositions/2 {
		return
	}
	r.said = time.Now()
	s := r.correlate.Status()
	thresholds := make([][]float64, len(s.Dimensions))
	for i := range s.Dimensions {
		thresholds[i] = s.Dimensions[i].Threshold[:]
	}
	r.Positions.Set(0, position.Correlate{
		Closed: s.Closed, Since: s.Since, Open: s.Open, Campaigns: s.Campaigns, HeldBack: s.Suppressed,
		Verdicts: s.Waiting, Realised: s.Realised, Thresholds: thresholds, Rare: rare(s),
	})
}

// rare returns how rare what is called rare was, as a position tells it.
func rare(s correlate.Status) [][][3]float64 {
	tenths := func(v float64) float64 { return math.Round(v*10) / 10 }
	out := make([][][3]float64, min(len(s.Rare), position.MostRare))
	for i := range out {
		for _, c := range s.Rare[i] {
			out[i] = append(out[i], [3]float64{tenths(c.Judged), tenths(c.Expected), tenths(c.Counted)})
		}
	}
	return out
}

// restore loads the state of the fleet, opens the ledger and sets the client to
// read on.
func (r *correlateRun) restore(ctx context.Context) error {
	_, err := r.Conn.ReadAll(ctx, r.Topics.Fleet, 0, func(rec *kgo.Record) error {
		return errors.Join(r.correlate.Load(rec.Key, rec.Value), r.ledger.Load(rec.Key, rec.Value))
	})
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	if err := r.openLedger(ctx); err != nil {
		return err
	}
	start, _, err := r.Conn.Bounds(ctx, r.Topics.Evidence, 0)
	if err != nil {
		return err
	}
	if r.correlate.Offset() == 0 {
		r.correlate.StartAt(start)
	}
	if r.correlate.Offset() < start {
		return supervise.Deleted(r.Topics.Evidence, 0, start, r.correlate.Offset())
	}
	verdicts := kgo.NewOffset().At(r.correlate.VerdictOffset())
	if r.correlate.VerdictOffset() == 0 { // a new state; old verdicts may have been erased
		verdicts = kgo.NewOffset().AtStart()
	}
	r.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{
		r.Topics.Evidence: {0: kgo.NewOffset().At(r.correlate.Offset())},
		r.Topics.Verdicts: {0: verdicts},
	})
	return nil
}

// offsets is the position of the task in weir.evidence and in weir.verdicts.
func (r *correlateRun) offsets() [2]int64 {
	return [2]int64{r.correlate.Offset(), r.correlate.VerdictOffset()}
}

// poll takes in what has come. It returns after a while even if nothing has.
func (r *correlateRun) poll(ctx context.Context) error {
	fetches, err := supervise.PollTask(ctx, r.client)
	if err != nil {
		return err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		rec := iter.Next()
		if rec.Topic == r.Topics.Verdicts {
			r.takeVerdict(rec)
			continue
		}
		report, err := stream.DecodeEvidenceReport(rec.Value)
		if err == nil {
			err = r.correlate.Apply(rec.Offset, report)
		}
		if err != nil {
			return fmt.Errorf("%s offset %d: %w", rec.Topic, rec.Offset, err)
		}
	}
	return nil
}

// takeVerdict takes in a verdict. One that cannot be read was written by something
// else than weir: it is refused.
func (r *correlateRun) takeVerdict(rec *kgo.Record) {
	v, err := correlate.DecodeVerdict(rec.Value)
	if err != nil {
		r.Log.Warn("a record is no verdict", "topic", rec.Topic, "offset", rec.Offset, "error", err)
		r.correlate.RefuseVerdict(rec.Offset, err.Error())
		return
	}
	r.correlate.ApplyVerdict(rec.Offset, v)
}

// advance works through what all partitions have closed and commits when there
// is something new: alerts, or the parameters of a finished bin; and when
// it must, so that a restore needs nothing old of weir.evidence.
func (r *correlateRun) advance(ctx context.Context, must bool) (committed bool, err error) {
	found := r.correlate.Advance()
	if found.Empty() && !must {
		r.Metrics.Heartbeat.WithLabelValues("correlate").SetToCurrentTime()
		return false, nil
	}
	began := time.Now()
	tx := cluster.Transaction{Client: r.client}
	for i := range found.Alerts {
		a := &found.Alerts[i]
		tx.Add(r.Topics.Alerts, 0, []byte(a.DedupKey), a.AppendJSON(nil))
	}
	for i := range found.Suppressed {
		s := &found.Suppressed[i]
		tx.Add(r.Topics.Suppressed, 0, []byte(s.Alert.DedupKey), s.AppendJSON(nil))
	}
	if params := found.Parameters; params != nil {
		key := strconv.FormatInt(params.Bin%parameterRing, 10)
		tx.Add(r.Topics.Parameters, 0, []byte(key), params.AppendBinary(nil))
	}
	if err := r.ledger.write(&tx, &found); err != nil {
		return false, err
	}
	for _, change := range r.correlate.Snapshot() {
		tx.Add(r.Topics.Fleet, 0, change.Key, change.Value)
	}
	if err := tx.Commit(ctx); err != nil {
		r.Metrics.Commits.WithLabelValues("correlate", "failed").Inc()
		return false, err
	}
	r.showFindings(&found)
	r.Metrics.Ledger.Set(float64(r.ledger.Head.Seq))
	r.Metrics.Committed("correlate", began)
	return true, nil
}

// showFindings counts and logs what was committed.
func (r *correlateRun) showFindings(found *correlate.Findings) {
	m := r.Metrics
	m.Heartbeat.WithLabelValues("correlate").SetToCurrentTime()
	for _, a := range found.Alerts {
		m.Alerts.WithLabelValues(string(a.Status), a.Severity.String(), a.Dimension).Inc()
		r.Log.Info("alert", "status", a.Status, "severity", a.Severity, "dimension", a.Dimension, "dedup_key", a.DedupKey)
	}
	for _, s := range found.Suppressed {
		m.Suppressed.WithLabelValues(string(s.By.Kind)).Inc()
		r.Log.Info("suppressed", "by", s.By.Kind, "name", s.By.Name, "status", s.Alert.Status, "dimension", s.Alert.Dimension, "dedup_key", s.Alert.DedupKey)
	}
	for _, e := range found.Effects {
		m.Verdicts.WithLabelValues(string(e.Verdict.Kind)).Inc()
		r.Log.Info("verdict", "kind", e.Verdict.Kind, "dedup_key", e.Verdict.DedupKey, "author", e.Verdict.Author)
	}
	for i := range found.Refusals {
		v := &found.Refusals[i].Verdict
		kind := "refused"
		if found.Refusals[i].IsRepetition() {
			kind = "repeated"
		}
		m.Verdicts.WithLabelValues(kind).Inc()
		r.Log.Warn("a verdict is refused", "why", found.Refusals[i].Refused, "kind", v.Kind, "dedup_key", v.DedupKey, "author", v.Author, "id", v.ID)
	}
	status := r.correlate.Status()
	m.Episodes.Set(float64(status.Open))
	m.Campaigns.Set(float64(status.Campaigns))
	m.HeldBack.Set(float64(status.Suppressed))
	m.BudgetRealised.Set(status.Realised)
	m.WaitingVerdicts.Set(float64(status.Waiting))
	if found.Parameters != nil {
		for i, name := range r.Config.Dimensions {
			for g, threshold := range status.Dimensions[i].Threshold {
				m.Threshold.WithLabelValues(name, score.Group(g).String()).Set(threshold)
			}
		}
	}
}
