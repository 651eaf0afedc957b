package task

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
	"github.com/weirhq/weir/stream/kafka/position"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

// reportCandidates is how many candidates go into one record of weir.evidence,
// so that it stays well below the size that brokers accept.
const reportCandidates = 200

// mostHeld is how many bytes of memory the partials may take that a task holds before
// it stops reading while it waits for parameters. While it waits for the watermark it
// reads on, since what it waits for stands behind what it has read.
const mostHeld = 32 << 20

// Detect runs a detect.Task on each partition of weir.partials that is placed
// here.
type Detect struct {
	supervise.Env
	Config    detect.Config
	Positions *supervise.Positions // what the tasks say of themselves
}

// Run restores the state of a partition, and then takes in partials and closes
// ticks until ctx ends or something fails.
func (t *Detect) Run(ctx context.Context, partition int32, at func(int64)) error {
	began := time.Now()
	cl, err := t.TaskClient(ctx, "detect-"+metrics.Label(partition), kgo.FetchMaxPartitionBytes(4<<20))
	if err != nil {
		return err
	}
	defer cl.Close()
	r := &detectRun{Detect: t, partition: partition, client: cl, began: began, quiet: time.Now()}
	if err := r.restore(ctx); err != nil {
		return err
	}
	return r.loop(ctx, at)
}

// Forget drops what the metrics show of a partition that has moved away.
func (t *Detect) Forget(partition int32) { t.Metrics.ForgetDetect(partition) }

// detectRun is one run of a partition's task.
type detectRun struct {
	*Detect
	partition int32
	client    *kgo.Client
	detect    *detect.Task
	began     time.Time        // wall clock
	quiet     time.Time        // wall clock since when nothing came
	paused    bool             // weir.partials is not read
	warned    bool             // the log has a warning of the inputs that are missing
	said      time.Time        // wall clock at which the position was told last
	judged    int64            // event time up to which it is judged, as told last
	counted   time.Time        // wall clock at which the identities were counted last
	sizes     []int64          // identities by dimension, as of then
	never     stream.NeverSeen // as of then
}

func (r *detectRun) loop(ctx context.Context, at func(int64)) error {
	name := supervise.TaskName(r.Topics.Partials, r.partition)
	for {
		if !r.detect.Restoring() && r.Ready.Done(name) {
			took := time.Since(r.began)
			r.Metrics.RestoreTime.WithLabelValues(metrics.Label(r.partition)).Set(took.Seconds())
			r.Log.Info("restored", "partition", r.partition, "identities", r.detect.Stats().Identities, "seconds", took.Seconds())
		}
		came, err := r.poll(ctx)
		if err != nil {
			return err
		}
		if came {
			r.quiet = time.Now()
		} else if time.Since(r.quiet) > settleAfter {
			r.detect.Settle()
			r.quiet = time.Now()
		}
		waiting, err := r.advance(ctx)
		if err != nil {
			return err
		}
		at(r.detect.Offset())
		r.showInputs()
		r.tell(waiting)
		r.pause(waiting && r.detect.Held() > mostHeld)
	}
}

// restore loads the state of the partition and sets the client to read on.
func (r *detectRun) restore(ctx context.Context) error {
	config := r.Config
	config.Partition = r.partition
	state := detect.NewRestore(config)
	_, err := r.Conn.ReadAll(ctx, r.Topics.State, r.partition, func(rec *kgo.Record) error {
		return state.Load(rec.Key, rec.Value)
	})
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	start, _, err := r.Conn.Bounds(ctx, r.Topics.Partials, r.partition)
	if err != nil {
		return err
	}
	task, offset, err := state.Begin(start)
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	if offset < start {
		return supervise.Deleted(r.Topics.Partials, r.partition, start, offset)
	}
	r.detect = task
	next, err := r.Conn.ReadAll(ctx, r.Topics.Parameters, 0, func(rec *kgo.Record) error { return r.setParameters(rec.Value) })
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	if err := task.Resume(); err != nil {
		return err
	}
	r.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{
		r.Topics.Partials:   {r.partition: kgo.NewOffset().At(offset)},
		r.Topics.Parameters: {0: kgo.NewOffset().At(next)},
	})
	return nil
}

func (r *detectRun) setParameters(value []byte) error {
	p, err := stream.DecodeParameterRecord(value)
	if err != nil {
		return err
	}
	r.detect.SetParameters(p)
	return nil
}

// poll takes in what has come, and reports whether anything has. It returns
// after a while even if nothing has.
func (r *detectRun) poll(ctx context.Context) (came bool, err error) {
	fetches, err := supervise.PollTask(ctx, r.client)
	if err != nil {
		return false, err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		rec := iter.Next()
		if rec.Topic != r.Topics.Partials {
			if err := r.setParameters(rec.Value); err != nil {
				return false, err
			}
			continue
		}
		batch, err := stream.DecodeBatch(rec.Value)
		if err == nil {
			err = r.detect.Apply(rec.Offset, batch)
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", rec.Topic, err)
		}
	}
	return fetches.NumRecords() > 0, nil
}

// advance closes what can be closed and commits it, in portions. It reports
// whether it stopped for want of parameters.
func (r *detectRun) advance(ctx context.Context) (waiting bool, err error) {
	for {
		waiting = r.detect.Advance()
		again := r.detect.Unfinished()
		r.Metrics.Progress(metrics.Label(r.partition), r.detect.Stats(), waiting)
		if err := r.commit(ctx); err != nil {
			r.Metrics.Commits.WithLabelValues("detect", "failed").Inc()
			return waiting, err
		}
		r.Metrics.Heartbeat.WithLabelValues("detect").SetToCurrentTime()
		if !again {
			return waiting, nil
		}
	}
}

// commit writes what was found, if anything was closed: the report, the changed
// states and the position of the task, all at once.
func (r *detectRun) commit(ctx context.Context) error {
	report, changes := r.detect.Take()
	if report == nil {
		return nil
	}
	began := time.Now()
	tx := cluster.Transaction{Client: r.client}
	size := 0
	for _, c := range append(changes, r.detect.Checkpoint()) {
		tx.Add(r.Topics.State, r.partition, c.Key, c.Value)
		size += len(c.Key) + len(c.Value)
	}
	for _, h := range r.detect.TakeHandovers() {
		tx.Add(r.Topics.Partials, h.Partition, nil, h.Value)
	}
	r.Metrics.StateBytes.WithLabelValues(metrics.Label(r.partition)).Add(float64(size))
	for _, c := range report.Candidates {
		r.Metrics.Candidates.WithLabelValues(r.Config.Dimensions[c.Dimension]).Inc()
	}
	for _, c := range report.Facts {
		r.Metrics.Noticed.WithLabelValues(string(c.Fact)).Inc()
	}
	for _, part := range report.Split(reportCandidates) {
		value, err := part.Encode()
		if err != nil {
			return err
		}
		size += len(value)
		tx.Add(r.Topics.Evidence, 0, nil, value)
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	r.Metrics.Bytes.WithLabelValues("detect", "written").Add(float64(size))
	r.Metrics.Committed("detect", began)
	return nil
}

// showInputs shows which kinds of facts have never been seen: the metrics at
// once, the log once after settleAfter. All partitions know the same; only the
// first shows it.
func (r *detectRun) showInputs() {
	if r.partition != 0 || r.Config.Facts == nil {
		return
	}
	inputs := r.detect.Stats().Inputs
	r.Metrics.Inputs(inputs)
	if r.warned || time.Since(r.began) <= settleAfter {
		return
	}
	r.warned = true
	for _, input := range inputs.Missing() {
		r.Log.Warn("an input is missing", "input", input.Name, "so", input.String())
	}
}

// countEvery is how often the identities of a partition are counted, which looks at
// each. As few as countFew cost next to nothing: they are counted each countFewEvery.
const (
	countEvery    = time.Minute
	countFewEvery = supervise.CommitPositions / 2
	countFew      = 20_000
)

// tell says how far the partition is, for those who look at the group.
func (r *detectRun) tell(waiting bool) {
	now := time.Now()
	judged, known := r.detect.Judged()
	moved := known && judged != r.judged
	if !moved && now.Sub(r.said) < supervise.CommitPositions/2 {
		return
	}
	r.judged, r.said = judged, now
	s := r.detect.Stats()
	every := countEvery
	if s.Identities <= countFew {
		every = countFewEvery
	}
	if now.Sub(r.counted) >= every {
		r.counted, r.sizes, r.never = now, r.detect.Sizes(), r.detect.NeverSeen()
	}
	says := position.Detect{
		Closed: s.ClosedMS, Judged: judged, Watermark: max(s.WatermarkMS, 0), Waiting: waiting, Identities: r.sizes, NeverSeen: r.never, Facts: r.Config.Facts != nil,
	}
	if s.Holder.Topic != "" {
		says.Holder = s.Holder.Topic + "/" + metrics.Label(s.Holder.Partition)
	}
	if says.Facts {
		for _, input := range s.Inputs.Missing() {
			says.Missing = append(says.Missing, input.Name)
		}
	}
	r.Positions.Set(r.partition, says)
	if moved {
		r.Positions.Hurry() // ingest waits for it
	}
}

// pause stops reading partials while the task is full, or reads on: a backlog
// waits in Kafka, not in memory.
func (r *detectRun) pause(full bool) {
	if full == r.paused {
		return
	}
	r.paused = full
	partials := map[string][]int32{r.Topics.Partials: {r.partition}}
	if full {
		r.client.PauseFetchPartitions(partials)
	} else {
		r.client.ResumeFetchPartitions(partials)
	}
}
