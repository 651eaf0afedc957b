package supervise

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// pollFor is how long a task waits for records before it looks around.
const pollFor = 500 * time.Millisecond

// TaskClient returns the client of a task, under a transactional id of the
// task's own, which it has taken over. It reads committed records from the
// offsets that it is given.
func (s *Env) TaskClient(ctx context.Context, id string, opts ...kgo.Opt) (*kgo.Client, error) {
	cl, err := s.Conn.LastingClient(ctx, append(opts,
		kgo.TransactionalID(s.Group+"-"+id),
		kgo.TransactionTimeout(cluster.TransactionLimit),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
	)...)
	if err != nil {
		return nil, err
	}
	if err := cluster.TakeOver(ctx, cl); err != nil {
		cl.Close()
		return nil, err
	}
	return cl, nil
}

// PollTask returns what has come for a task, after pollFor at the latest.
func PollTask(ctx context.Context, cl *kgo.Client) (kgo.Fetches, error) {
	wait, cancel := context.WithTimeout(ctx, pollFor)
	defer cancel()
	fetches := cl.PollFetches(wait)
	return fetches, cluster.TaskError(ctx, fetches)
}

// Deleted says that a topic no longer holds what a restore must read.
func Deleted(topic string, partition int32, start, needed int64) error {
	return fmt.Errorf("restoring: %s partition %d begins at offset %d, and the state needs it from %d: its retention was shorter than the outage; start over with `weir reset --from TIME`",
		topic, partition, start, needed)
}
