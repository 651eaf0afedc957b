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
	"github.com/weirhq/weir/stream/kafka/supervise"
)

// reportCandidates is how many candidates go into one record of weir.evidence,
// so that it stays well below the size that brokers accept.
const reportCandidates = 200

// mostHeld is how many identities and ticks a task holds before it stops
// reading while it waits for parameters.
const mostHeld = 500_000

// Detect runs a detect.Task on one partition of weir.partials.
type Detect struct {
	supervise.Env
	Config detect.Config
}

// Run restores the state of a partition, and then takes in partials and closes
// ticks until ctx ends or something fails.
func (t *Detect) Run(ctx context.Context, partition int32, at func(int64)) error {
	name := supervise.TaskName(t.Topics.Partials, partition)
	t.Ready.Begin(name)
	defer t.Ready.Forget(name)
	began := time.Now()
	cl, err := t.TaskClient(ctx, "detect-"+metrics.Label(partition), kgo.FetchMaxPartitionBytes(4<<20))
	if err != nil {
		return err
	}
	defer cl.Close()
	d, err := t.restore(ctx, cl, partition)
	if err != nil {
		return err
	}
	paused, warned, quiet := false, false, time.Now()
	for {
		if !d.Restoring() && t.Ready.Done(name) {
			took := time.Since(began)
			t.Metrics.RestoreTime.WithLabelValues(metrics.Label(partition)).Set(took.Seconds())
			t.Log.Info("restored", "partition", partition, "identities", d.Stats().Identities, "seconds", took.Seconds())
		}
		came, err := t.poll(ctx, cl, d)
		if err != nil {
			return err
		}
		if came {
			quiet = time.Now()
		} else if time.Since(quiet) > settleAfter {
			d.Settle()
			quiet = time.Now()
		}
		waiting, err := t.advance(ctx, cl, d, partition)
		if err != nil {
			return err
		}
		at(d.Offset())
		if inputs := d.Stats().Inputs; partition == 0 && t.Config.Facts != nil {
			t.Metrics.Inputs(inputs)
			if !warned && time.Since(began) > settleAfter {
				warned = true
				for _, input := range inputs.Missing() {
					t.Log.Warn("an input is missing", "input", input.Name, "so", input.String())
				}
			}
		}
		// A backlog waits in Kafka, not in memory.
		if full := waiting && d.Held() > mostHeld; full != paused {
			paused = full
			part := map[string][]int32{t.Topics.Partials: {partition}}
			if full {
				cl.PauseFetchPartitions(part)
			} else {
				cl.ResumeFetchPartitions(part)
			}
		}
	}
}

// restore loads the state of a partition and sets the client to read on.
func (t *Detect) restore(ctx context.Context, cl *kgo.Client, partition int32) (*detect.Task, error) {
	config := t.Config
	config.Partition = partition
	r := detect.NewRestore(config)
	_, err := t.Conn.ReadAll(ctx, t.Topics.State, partition, func(rec *kgo.Record) error {
		return r.Load(rec.Key, rec.Value)
	})
	if err != nil {
		return nil, fmt.Errorf("restoring: %w", err)
	}
	start, _, err := t.Conn.Bounds(ctx, t.Topics.Partials, partition)
	if err != nil {
		return nil, err
	}
	d, offset, err := r.Begin(start)
	if err != nil {
		return nil, fmt.Errorf("restoring: %w", err)
	}
	if offset < start {
		return nil, supervise.Deleted(t.Topics.Partials, partition, start, offset)
	}
	next, err := t.Conn.ReadAll(ctx, t.Topics.Parameters, 0, func(rec *kgo.Record) error { return setParameters(d, rec.Value) })
	if err != nil {
		return nil, fmt.Errorf("restoring: %w", err)
	}
	if err := d.Resume(); err != nil {
		return nil, err
	}
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{
		t.Topics.Partials:   {partition: kgo.NewOffset().At(offset)},
		t.Topics.Parameters: {0: kgo.NewOffset().At(next)},
	})
	return d, nil
}

func setParameters(d *detect.Task, value []byte) error {
	p, err := stream.DecodeParameterRecord(value)
	if err != nil {
		return err
	}
	d.SetParameters(p)
	return nil
}

// poll takes in what has come, and reports whether anything has. It returns
// after pollFor at the latest.
func (t *Detect) poll(ctx context.Context, cl *kgo.Client, d *detect.Task) (came bool, err error) {
	fetches, err := supervise.PollTask(ctx, cl)
	if err != nil {
		return false, err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		rec := iter.Next()
		if rec.Topic != t.Topics.Partials {
			if err := setParameters(d, rec.Value); err != nil {
				return false, err
			}
			continue
		}
		batch, err := stream.DecodeBatch(rec.Value)
		if err == nil {
			err = d.Apply(rec.Offset, batch)
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", rec.Topic, err)
		}
	}
	return fetches.NumRecords() > 0, nil
}

// advance closes what can be closed and commits it, in portions. It reports
// whether it stopped for want of parameters.
func (t *Detect) advance(ctx context.Context, cl *kgo.Client, d *detect.Task, partition int32) (waiting bool, err error) {
	for {
		waiting = d.Advance()
		again := d.Unfinished()
		t.Metrics.Progress(metrics.Label(partition), d.Stats(), waiting)
		if err := t.commit(ctx, cl, d, partition); err != nil {
			t.Metrics.Commits.WithLabelValues("detect", "failed").Inc()
			return waiting, err
		}
		t.Metrics.Heartbeat.WithLabelValues("detect").SetToCurrentTime()
		if !again {
			return waiting, nil
		}
	}
}

// commit writes what was found, if anything was closed: the report, the changed
// states and where the task stands, all at once.
func (t *Detect) commit(ctx context.Context, cl *kgo.Client, d *detect.Task, partition int32) error {
	report, changes := d.Take()
	if report == nil {
		return nil
	}
	began := time.Now()
	tx := cluster.Transaction{Client: cl}
	size := 0
	for _, c := range append(changes, d.Checkpoint()) {
		tx.Add(t.Topics.State, partition, c.Key, c.Value)
		size += len(c.Key) + len(c.Value)
	}
	t.Metrics.StateBytes.WithLabelValues(metrics.Label(partition)).Add(float64(size))
	for _, c := range report.Candidates {
		t.Metrics.Candidates.WithLabelValues(t.Config.Dimensions[c.Dimension]).Inc()
	}
	for _, c := range report.Facts {
		t.Metrics.Noticed.WithLabelValues(string(c.Fact)).Inc()
	}
	for _, part := range report.Split(reportCandidates) {
		value, err := part.Encode()
		if err != nil {
			return err
		}
		size += len(value)
		tx.Add(t.Topics.Evidence, 0, nil, value)
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	t.Metrics.Bytes.WithLabelValues("detect", "written").Add(float64(size))
	t.Metrics.Committed("detect", began)
	return nil
}
