package kafka

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/detect"
)

func label(partition int32) string { return strconv.Itoa(int(partition)) }

// pollFor is how long a task waits for records before it looks around.
const pollFor = 500 * time.Millisecond

// reportCandidates is how many candidates go into one record of weir.evidence,
// so that it stays well below the size that brokers accept.
const reportCandidates = 200

// mostHeld is how many identities and ticks a task holds before it stops
// reading while it waits for parameters.
const mostHeld = 500_000

// settleAfter is how long nothing must come for a task to write down all it
// knows, so that a restore after a long silence needs nothing from topics that
// forget.
const settleAfter = 10 * time.Minute

// detectTask runs a detect.Task on one partition of weir.partials.
type detectTask struct {
	shared
	config detect.Config
}

func (t *detectTask) run(ctx context.Context, partition int32, at func(int64)) error {
	name := taskName(t.topics.Partials, partition)
	t.ready.begin(name)
	defer t.ready.forget(name)
	began := time.Now()
	cl, err := t.taskClient(ctx, "detect-"+label(partition), kgo.FetchMaxPartitionBytes(4<<20))
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
		if !d.Restoring() && t.ready.done(name) {
			took := time.Since(began)
			t.metrics.restoreTime.WithLabelValues(label(partition)).Set(took.Seconds())
			t.log.Info("restored", "partition", partition, "identities", d.Stats().Identities, "seconds", took.Seconds())
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
		if inputs := d.Stats().Inputs; partition == 0 && t.config.Facts != nil {
			t.metrics.inputs(inputs)
			if !warned && time.Since(began) > settleAfter {
				warned = true
				for _, input := range inputs.Missing() {
					t.log.Warn("an input is missing", "input", input.Name, "so", input.String())
				}
			}
		}
		// A backlog waits in Kafka, not in memory.
		if full := waiting && d.Held() > mostHeld; full != paused {
			paused = full
			part := map[string][]int32{t.topics.Partials: {partition}}
			if full {
				cl.PauseFetchPartitions(part)
			} else {
				cl.ResumeFetchPartitions(part)
			}
		}
	}
}

// restore loads the state of a partition and sets the client to read on.
func (t *detectTask) restore(ctx context.Context, cl *kgo.Client, partition int32) (*detect.Task, error) {
	config := t.config
	config.Partition = partition
	r := detect.NewRestore(config)
	_, err := t.conn.readAll(ctx, t.topics.State, partition, func(rec *kgo.Record) error {
		return r.Load(rec.Key, rec.Value)
	})
	if err != nil {
		return nil, fmt.Errorf("restoring: %w", err)
	}
	start, _, err := t.conn.bounds(ctx, t.topics.Partials, partition)
	if err != nil {
		return nil, err
	}
	d, offset, err := r.Begin(start)
	if err != nil {
		return nil, fmt.Errorf("restoring: %w", err)
	}
	if offset < start {
		return nil, deleted(t.topics.Partials, partition, start, offset)
	}
	next, err := t.conn.readAll(ctx, t.topics.Parameters, 0, func(rec *kgo.Record) error { return setParameters(d, rec.Value) })
	if err != nil {
		return nil, fmt.Errorf("restoring: %w", err)
	}
	if err := d.Resume(); err != nil {
		return nil, err
	}
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{
		t.topics.Partials:   {partition: kgo.NewOffset().At(offset)},
		t.topics.Parameters: {0: kgo.NewOffset().At(next)},
	})
	return d, nil
}

func setParameters(d *detect.Task, value []byte) error {
	p, err := stream.DecodeParameters(value)
	if err != nil {
		return err
	}
	d.SetParameters(p)
	return nil
}

// poll takes in what has come, and reports whether anything has. It returns
// after pollFor at the latest.
func (t *detectTask) poll(ctx context.Context, cl *kgo.Client, d *detect.Task) (came bool, err error) {
	fetches, err := pollTask(ctx, cl)
	if err != nil {
		return false, err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		rec := iter.Next()
		if rec.Topic != t.topics.Partials {
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

// Advance closes what can be closed and commits it, in portions. It reports
// whether it stopped for want of parameters.
func (t *detectTask) advance(ctx context.Context, cl *kgo.Client, d *detect.Task, partition int32) (waiting bool, err error) {
	for {
		waiting = d.Advance()
		again := d.Unfinished()
		t.metrics.progress(label(partition), d.Stats(), waiting)
		if err := t.commit(ctx, cl, d, partition); err != nil {
			t.metrics.commits.WithLabelValues("detect", "failed").Inc()
			return waiting, err
		}
		t.metrics.heartbeat.WithLabelValues("detect").SetToCurrentTime()
		if !again {
			return waiting, nil
		}
	}
}

// commit writes what was found, if anything was closed: the report, the changed
// states and where the task stands, all at once.
func (t *detectTask) commit(ctx context.Context, cl *kgo.Client, d *detect.Task, partition int32) error {
	report, changes := d.Take()
	if report == nil {
		return nil
	}
	began := time.Now()
	tx := transaction{client: cl}
	size := 0
	for _, c := range append(changes, d.Checkpoint()) {
		tx.add(t.topics.State, partition, c.Key, c.Value)
		size += len(c.Key) + len(c.Value)
	}
	t.metrics.stateBytes.WithLabelValues(label(partition)).Add(float64(size))
	for _, c := range report.Candidates {
		t.metrics.candidates.WithLabelValues(t.config.Dimensions[c.Dimension]).Inc()
	}
	for _, c := range report.Facts {
		t.metrics.noticed.WithLabelValues(string(c.Fact)).Inc()
	}
	for _, part := range report.Split(reportCandidates) {
		value, err := part.Encode()
		if err != nil {
			return err
		}
		size += len(value)
		tx.add(t.topics.Evidence, 0, nil, value)
	}
	if err := tx.commit(ctx); err != nil {
		return err
	}
	t.metrics.bytes.WithLabelValues("detect", "written").Add(float64(size))
	t.metrics.committed("detect", began)
	return nil
}
