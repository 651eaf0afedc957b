package task

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/join"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

// Join runs a join.Task on one partition of weir.sessions.
type Join struct {
	supervise.Env
	Config  join.Config
	reached sync.Map // partition: event time up to which it is joined, Unix ms
}

// Reach returns, for the metadata of a position, how far a partition is joined.
func (t *Join) Reach(partition int32) string {
	ms, _ := t.reached.Load(partition)
	at, _ := ms.(int64)
	return strconv.FormatInt(at, 10)
}

// Run restores the tokens of a partition, and then matches reads with logins
// until ctx ends or something fails.
func (t *Join) Run(ctx context.Context, partition int32, at func(int64)) error {
	name := supervise.TaskName(t.Topics.Sessions, partition)
	t.Ready.Begin(name)
	defer t.Ready.Forget(name)
	cl, err := t.TaskClient(ctx, "join-"+metrics.Label(partition), kgo.FetchMaxPartitionBytes(4<<20))
	if err != nil {
		return err
	}
	defer cl.Close()
	j, err := t.restore(ctx, cl, partition)
	if err != nil {
		return err
	}
	saved, when := j.Offset(), time.Now()
	for {
		if err := t.poll(ctx, cl, j); err != nil {
			return err
		}
		if !j.Restoring() && t.Ready.Done(name) {
			t.Log.Info("restored", "part", "join", "partition", partition, "tokens", j.Stats().Tokens)
		}
		j.Advance()
		// After a long silence the position is written too, so that a restore
		// needs nothing of a log that forgets.
		must := j.Offset() != saved && time.Since(when) > settleAfter
		committed, err := t.commit(ctx, cl, j, partition, must)
		if err != nil {
			t.Metrics.Commits.WithLabelValues("join", "failed").Inc()
			return err
		}
		if committed {
			saved, when = j.Offset(), time.Now()
		}
		t.Metrics.Joined(metrics.Label(partition), j.Stats())
		t.reached.Store(partition, j.Stats().ClosedMS)
		t.Metrics.Heartbeat.WithLabelValues("join").SetToCurrentTime()
		at(j.Offset())
	}
}

// restore loads the tokens of a partition and sets the client to read on.
func (t *Join) restore(ctx context.Context, cl *kgo.Client, partition int32) (*join.Task, error) {
	config := t.Config
	config.Partition = partition
	r := join.NewRestore(config)
	_, err := t.Conn.ReadAll(ctx, t.Topics.Tokens, partition, func(rec *kgo.Record) error {
		return r.Load(rec.Key, rec.Value)
	})
	if err != nil {
		return nil, fmt.Errorf("restoring: %w", err)
	}
	start, _, err := t.Conn.Bounds(ctx, t.Topics.Sessions, partition)
	if err != nil {
		return nil, err
	}
	j, from, unseen := r.Begin(start)
	if unseen < start {
		return nil, supervise.Deleted(t.Topics.Sessions, partition, start, unseen)
	}
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{t.Topics.Sessions: {partition: kgo.NewOffset().At(from)}})
	return j, nil
}

// poll takes in what has come. It returns after pollFor at the latest.
func (t *Join) poll(ctx context.Context, cl *kgo.Client, j *join.Task) error {
	fetches, err := supervise.PollTask(ctx, cl)
	if err != nil {
		return err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		rec := iter.Next()
		batch, err := stream.DecodeSessions(rec.Value)
		if err == nil {
			err = j.Apply(rec.Offset, batch)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", rec.Topic, err)
		}
	}
	return nil
}

// commit writes what was found in the ticks that were closed, how far that is,
// the changed tokens and where the task stands, all at once.
func (t *Join) commit(ctx context.Context, cl *kgo.Client, j *join.Task, partition int32, must bool) (committed bool, err error) {
	found, changes := j.Take()
	if found == nil && (!must || j.Restoring()) {
		return false, nil
	}
	began := time.Now()
	tx := cluster.Transaction{Client: cl}
	size := 0
	for _, r := range found {
		tx.Add(t.Topics.Partials, r.Partition, nil, r.Value)
		size += len(r.Value)
	}
	for _, c := range append(changes, j.Checkpoint()) {
		tx.Add(t.Topics.Tokens, partition, c.Key, c.Value)
		size += len(c.Key) + len(c.Value)
	}
	if err := tx.Commit(ctx); err != nil {
		return false, err
	}
	t.Metrics.Bytes.WithLabelValues("join", "written").Add(float64(size))
	t.Metrics.Committed("join", began)
	return true, nil
}
