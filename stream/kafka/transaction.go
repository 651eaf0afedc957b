package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// taskClient returns the client of a task, under a transactional id of the
// task's own, which it has taken over. It reads committed records from where
// it is told.
func (s *shared) taskClient(ctx context.Context, id string, opts ...kgo.Opt) (*kgo.Client, error) {
	cl, err := s.conn.client(append(opts,
		kgo.TransactionalID(s.group+"-"+id),
		kgo.TransactionTimeout(transactionLimit),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
	)...)
	if err != nil {
		return nil, err
	}
	if err := takeOver(ctx, cl); err != nil {
		cl.Close()
		return nil, err
	}
	return cl, nil
}

// pollTask returns what has come for a task, after pollFor at the latest.
func pollTask(ctx context.Context, cl *kgo.Client) (kgo.Fetches, error) {
	wait, cancel := context.WithTimeout(ctx, pollFor)
	defer cancel()
	fetches := cl.PollFetches(wait)
	return fetches, taskError(ctx, fetches)
}

// deleted says that a topic no longer holds what a restore must read.
func deleted(topic string, partition int32, start, needed int64) error {
	return fmt.Errorf("restoring: %s partition %d begins at offset %d, and the state needs it from %d: its retention was shorter than the outage; start over with `weir reset --from TIME`",
		topic, partition, start, needed)
}

// takeOver claims the client's transactional id: from here on whoever had it
// before can write no more, and what it left unfinished is aborted at once
// instead of when it times out.
func takeOver(ctx context.Context, cl *kgo.Client) error {
	if _, _, err := cl.ProducerID(ctx); err != nil {
		return fmt.Errorf("taking over: %w", Explain(err))
	}
	return nil
}

// transaction is what one task writes at once: all of it or nothing. A task
// that fails to commit is thrown away, so there is no way to go on after an
// error.
type transaction struct {
	client  *kgo.Client
	records []*kgo.Record
}

func (t *transaction) add(topic string, partition int32, key, value []byte) {
	t.records = append(t.records, &kgo.Record{Topic: topic, Partition: partition, Key: key, Value: value})
}

// commit writes the records and ends the transaction. It finishes even when
// the process is asked to stop, within the client's own time limits.
func (t *transaction) commit(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if err := t.client.BeginTransaction(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	if err := t.client.ProduceSync(ctx, t.records...).FirstErr(); err != nil {
		return fmt.Errorf("writing: %w", Explain(err))
	}
	if err := t.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("committing: %w", Explain(err))
	}
	t.records = t.records[:0]
	return nil
}
