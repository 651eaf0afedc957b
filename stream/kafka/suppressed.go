package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream/correlate"
)

// ReadSuppressed hands every alert that nobody was sent to fn, oldest first.
func ReadSuppressed(ctx context.Context, conn *Connection, topics Topics, fn func(*correlate.Suppressed) error) error {
	_, err := conn.readAll(ctx, topics.Suppressed, 0, func(r *kgo.Record) error {
		s, err := correlate.DecodeSuppressed(r.Value)
		if err != nil {
			return fmt.Errorf("%s offset %d: %w", r.Topic, r.Offset, err)
		}
		return fn(s)
	})
	if err != nil {
		return fmt.Errorf("reading what was suppressed: %w", err)
	}
	return nil
}
