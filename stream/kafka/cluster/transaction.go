package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TransactionLimit is how long the broker lets a transaction stay open.
const TransactionLimit = 15 * time.Second

// TakeOver claims the client's transactional id: from here on the client that
// had it before can write no more, and what that left unfinished is aborted at
// once instead of when it times out.
func TakeOver(ctx context.Context, cl *kgo.Client) error {
	if _, _, err := cl.ProducerID(ctx); err != nil {
		return fmt.Errorf("taking over: %w", Explain(err))
	}
	return nil
}

// Transaction is what one task writes at once: all of it or nothing. After an
// error there is no way to go on with the client, and the task is thrown away.
type Transaction struct {
	Client  *kgo.Client
	Records []*kgo.Record
}

// Add puts a record into the transaction.
func (t *Transaction) Add(topic string, partition int32, key, value []byte) {
	t.Records = append(t.Records, &kgo.Record{Topic: topic, Partition: partition, Key: key, Value: value})
}

// Commit writes the records and ends the transaction. A stop does not cut it
// off before the grace is over: see Finishing.
func (t *Transaction) Commit(ctx context.Context) error {
	ctx = Finishing(ctx)
	if err := t.Client.BeginTransaction(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	out := NewWriter(t.Client)
	for _, rec := range t.Records {
		out.Write(ctx, rec)
	}
	if err := out.Flush(ctx); err != nil {
		return fmt.Errorf("writing: %w", Explain(err))
	}
	if err := t.Client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("committing: %w", Explain(err))
	}
	t.Records = t.Records[:0]
	return nil
}
