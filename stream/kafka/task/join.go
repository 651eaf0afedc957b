package task

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/join"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
	"github.com/weirhq/weir/stream/kafka/position"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

// Join runs a join.Task on each partition of weir.sessions that is placed here.
type Join struct {
	supervise.Env
	Config    join.Config
	Positions *supervise.Positions // what the tasks say of themselves
}

// Run restores the tokens of a partition, and then matches reads with logins
// until ctx ends or something fails.
func (t *Join) Run(ctx context.Context, partition int32, at func(int64)) error {
	cl, err := t.TaskClient(ctx, "join-"+metrics.Label(partition), kgo.FetchMaxPartitionBytes(4<<20))
	if err != nil {
		return err
	}
	defer cl.Close()
	r := &joinRun{Join: t, partition: partition, client: cl}
	if err := r.restore(ctx); err != nil {
		return err
	}
	return r.loop(ctx, at)
}

// Forget drops what the metrics show of a partition that has moved away.
func (t *Join) Forget(partition int32) { t.Metrics.ForgetJoin(partition) }

// joinRun is one run of a partition's task.
type joinRun struct {
	*Join
	partition int32
	client    *kgo.Client
	join      *join.Task
}

func (r *joinRun) loop(ctx context.Context, at func(int64)) error {
	name := supervise.TaskName(r.Topics.Sessions, r.partition)
	saved, when := r.join.Offset(), time.Now()
	for {
		if err := r.poll(ctx); err != nil {
			return err
		}
		if !r.join.Restoring() && r.Ready.Done(name) {
			r.Log.Info("restored", "part", "join", "partition", r.partition, "tokens", r.join.Stats().Tokens)
		}
		r.join.Advance()
		// After a long silence the position is written too, so that a restore
		// needs nothing of a log that forgets.
		must := r.join.Offset() != saved && time.Since(when) > settleAfter
		committed, err := r.commit(ctx, must)
		if err != nil {
			r.Metrics.Commits.WithLabelValues("join", "failed").Inc()
			return err
		}
		if committed {
			saved, when = r.join.Offset(), time.Now()
		}
		stats := r.join.Stats()
		r.Metrics.Joined(metrics.Label(r.partition), stats)
		r.Positions.Set(r.partition, position.Join{Closed: stats.ClosedMS, Held: stats.Held, Logins: stats.Logins})
		r.Metrics.Heartbeat.WithLabelValues("join").SetToCurrentTime()
		at(r.join.Offset())
	}
}

// restore loads the tokens of the partition and sets the client to read on.
func (r *joinRun) restore(ctx context.Context) error {
	config := r.Config
	config.Partition = r.partition
	state := join.NewRestore(config)
	_, err := r.Conn.ReadAll(ctx, r.Topics.Tokens, r.partition, func(rec *kgo.Record) error {
		return state.Load(rec.Key, rec.Value)
	})
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	start, _, err := r.Conn.Bounds(ctx, r.Topics.Sessions, r.partition)
	if err != nil {
		return err
	}
	task, from, unseen := state.Begin(start)
	if unseen < start {
		return supervise.Deleted(r.Topics.Sessions, r.partition, start, unseen)
	}
	r.join = task
	r.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{r.Topics.Sessions: {r.partition: kgo.NewOffset().At(from)}})
	return nil
}

// poll takes in what has come. It returns after a while even if nothing has.
func (r *joinRun) poll(ctx context.Context) error {
	fetches, err := supervise.PollTask(ctx, r.client)
	if err != nil {
		return err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		rec := iter.Next()
		batch, err := stream.DecodeSessions(rec.Value)
		if err == nil {
			err = r.join.Apply(rec.Offset, batch)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", rec.Topic, err)
		}
	}
	return nil
}

// commit writes what was found in the ticks that were closed, how far that is,
// the changed tokens and the position of the task, all at once.
func (r *joinRun) commit(ctx context.Context, must bool) (committed bool, err error) {
	found, changes := r.join.Take()
	if found == nil && (!must || r.join.Restoring()) {
		return false, nil
	}
	began := time.Now()
	tx := cluster.Transaction{Client: r.client}
	size := 0
	for _, f := range found {
		tx.Add(r.Topics.Partials, f.Partition, nil, f.Value)
		size += len(f.Value)
	}
	for _, c := range append(changes, r.join.Checkpoint()) {
		tx.Add(r.Topics.Tokens, r.partition, c.Key, c.Value)
		size += len(c.Key) + len(c.Value)
	}
	if err := tx.Commit(ctx); err != nil {
		return false, err
	}
	r.Metrics.Bytes.WithLabelValues("join", "written").Add(float64(size))
	r.Metrics.Committed("join", began)
	return true, nil
}
