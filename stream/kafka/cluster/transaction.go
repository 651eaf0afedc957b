package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TransactionLimit is how long the broker lets a transaction stay open.
const TransactionLimit = 15 * time.Second

// TakeOver claims the client's transactional id: from here on whoever had it
// before can write no more, and what it left unfinished is aborted at once
// instead of when it times out.
func TakeOver(ctx context.Context, cl *kgo.Client) error {
	if _, _, err := cl.ProducerID(ctx); err != nil {
		return fmt.Errorf("taking over: %w", Explain(err))
	}
	return nil
}

// Transaction is what one task writes at once: all of it or nothing. A task
// that fails to commit is thrown away, so there is no way to go on after an
// error.
type Transaction struct {
	Client  *kgo.Client
	Records []*kgo.Record
}

// Add puts a record into the transaction.
func (t *Transaction) Add(topic string, partition int32, key, value []byte) {
	t.Records = append(t.Records, &kgo.Record{Topic: topic, Partition: partition, Key: key, Value: value})
}

// Commit writes the records and ends the transaction. It finishes even when
// the process is asked to stop, within the client's own time limits.
func (t *Transaction) Commit(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if err := t.Client.BeginTransaction(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	if err := t.Client.ProduceSync(ctx, t.Records...).FirstErr(); err != nil {
		return fmt.Errorf("writing: %w", Explain(err))
	}
	if err := t.Client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("committing: %w", Explain(err))
	}
	t.Records = t.Records[:0]
	return nil
}
