package task

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

// Follow has a table follow weir.aliases: the one that all operators of a process go by.
// What they do waits until it is complete for it.
type Follow struct {
	supervise.Env
	Table *alias.Table

	next int64 // offset; what the table has is not read again
}

// Run reads until ctx ends or something fails.
func (t *Follow) Run(ctx context.Context) error {
	start, _, err := t.Conn.Bounds(ctx, t.Topics.Aliases, 0)
	if err != nil {
		return err
	}
	cl, err := t.Conn.LastingClient(ctx, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	if err != nil {
		return err
	}
	defer cl.Close()
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{t.Topics.Aliases: {0: kgo.NewOffset().At(max(start, t.next))}})
	for {
		fetches, err := supervise.PollTask(ctx, cl)
		if err != nil {
			return err
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			rec := iter.Next()
			if err := t.Table.Follow(rec.Key, rec.Value); err != nil {
				return fmt.Errorf("%s offset %d: %w", rec.Topic, rec.Offset, err)
			}
			t.next = rec.Offset + 1
		}
		t.Metrics.Aliases.Set(float64(t.Table.Len()))
	}
}
