package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// stalled is how long readAll waits in silence. Transactions of weir's own end
// or time out sooner.
const stalled = 2 * TransactionLimit

// ReadAll hands every committed record of a partition, control records
// excepted, to fn, up to the end that the log has now, and returns that end.
// The end is the high watermark, not the last stable offset: what a fenced
// predecessor had committed may stand above an older open transaction.
func (c *Connection) ReadAll(ctx context.Context, topic string, partition int32, fn func(*kgo.Record) error) (int64, error) {
	return c.readFrom(ctx, topic, partition, 0, fn)
}

// readFrom is readAll from an offset on, or from the first that there is.
func (c *Connection) readFrom(ctx context.Context, topic string, partition int32, from int64, fn func(*kgo.Record) error) (int64, error) {
	cl, err := c.Client(ctx,
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.FetchMaxPartitionBytes(8<<20),
	)
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	start, end, err := bounds(ctx, kadm.NewClient(cl), topic, partition)
	if err != nil {
		return 0, err
	}
	from = max(from, start)
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(from)}})
	for next := from; next < end; {
		wait, cancel := context.WithTimeout(ctx, stalled)
		fetches := cl.PollFetches(wait)
		cancel()
		if err := FetchError(ctx, fetches); err != nil {
			return 0, err
		}
		if fetches.NumRecords() == 0 && wait.Err() != nil {
			c.Logger.Warn("reading waits, for a broker or for a transaction that does not end; if it lasts, look with kafka-transactions.sh find-hanging",
				"topic", topic, "partition", partition, "offset", next, "end", end, "waited", stalled)
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			r := iter.Next()
			next = r.Offset + 1
			if r.Attrs.IsControl() || r.Offset >= end {
				continue
			}
			if err := fn(r); err != nil {
				return 0, fmt.Errorf("%s partition %d offset %d: %w", topic, partition, r.Offset, err)
			}
		}
	}
	return end, nil
}

// Last returns the last committed record of a partition, or nil.
func (c *Connection) Last(ctx context.Context, topic string, partition int32) (rec *kgo.Record, err error) {
	start, end, err := c.Bounds(ctx, topic, partition)
	if err != nil {
		return nil, err
	}
	// Offsets at the end may be those of markers and of what was aborted.
	for back := int64(64); ; back *= 8 {
		_, err := c.readFrom(ctx, topic, partition, end-back, func(r *kgo.Record) error { rec = r; return nil })
		if err != nil || rec != nil || end-back <= start {
			return rec, err
		}
	}
}

// bounds returns the first offset and the high watermark of a partition.
func bounds(ctx context.Context, adm *kadm.Client, topic string, partition int32) (start, end int64, err error) {
	starts, err := adm.ListStartOffsets(ctx, topic)
	if err != nil {
		return 0, 0, fmt.Errorf("listing the offsets of %s: %w", topic, Explain(err))
	}
	ends, err := adm.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, 0, fmt.Errorf("listing the offsets of %s: %w", topic, Explain(err))
	}
	s, _ := starts.Lookup(topic, partition)
	e, ok := ends.Lookup(topic, partition)
	if err := cmp.Or(s.Err, e.Err); err != nil {
		return 0, 0, fmt.Errorf("listing the offsets of %s: %w", topic, Explain(err))
	}
	if !ok {
		return 0, 0, fmt.Errorf("%s has no partition %d", topic, partition)
	}
	return s.Offset, e.Offset, nil
}

// TaskError is fetchError for a task, whose input must have no gap: what
// retention has deleted before it was read cannot be made up for.
func TaskError(ctx context.Context, fetches kgo.Fetches) error {
	for _, e := range fetches.Errors() {
		var loss *kgo.ErrDataLoss
		if errors.As(e.Err, &loss) || errors.Is(e.Err, kerr.OffsetOutOfRange) {
			return fmt.Errorf("reading %s partition %d: %w (records were deleted before they were read: start over with `weir reset --from TIME`)", e.Topic, e.Partition, e.Err)
		}
	}
	return FetchError(ctx, fetches)
}

// FetchError returns the first error of a poll that is not a sign of a passing
// fault which the client repairs by itself.
func FetchError(ctx context.Context, fetches kgo.Fetches) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, e := range fetches.Errors() {
		var loss *kgo.ErrDataLoss
		if kgo.IsRetryableBrokerErr(e.Err) || kerr.IsRetriable(e.Err) || errors.As(e.Err, &loss) || errors.Is(e.Err, context.DeadlineExceeded) {
			continue
		}
		return fmt.Errorf("reading %s partition %d: %w", e.Topic, e.Partition, Explain(e.Err))
	}
	return nil
}

// Bounds is the function bounds with a client of its own.
func (c *Connection) Bounds(ctx context.Context, topic string, partition int32) (start, end int64, err error) {
	cl, err := c.Client(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer cl.Close()
	return bounds(ctx, kadm.NewClient(cl), topic, partition)
}
