package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/plugin/kslog"
)

// Connection says how to reach the cluster.
type Connection struct {
	Brokers  []string
	ClientID string
	TLS      *tls.Config    // nil: plain text
	SASL     sasl.Mechanism // nil: none
	Logger   *slog.Logger
	Hooks    []kgo.Hook // metrics of the client library
	// Extra options, for tests.
	Extra []kgo.Opt
}

// Options are what every client of this process shares. No request of a client and
// no closing waits for a broker longer than ctx lasts.
func (c *Connection) Options(ctx context.Context) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.WithContext(ctx),
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID(c.ClientID),
		kgo.WithHooks(c.Hooks...),
		kgo.WithLogger(quiet{kslog.New(c.Logger.With("component", "kafka"))}),
		// Identities are routed by us and by nothing else.
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()),
		// One record holds what one commit counted for a whole partition.
		kgo.ProducerLinger(0),
		kgo.RetryTimeout(30 * time.Second),
		kgo.RecordDeliveryTimeout(30 * time.Second),
	}
	if c.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(c.TLS))
	}
	if c.SASL != nil {
		opts = append(opts, kgo.SASL(c.SASL))
	}
	return append(opts, c.Extra...)
}

// quiet shows what the client library tells at its info level, several lines a
// transaction, only where debugging is on.
type quiet struct{ kgo.Logger }

// Level is what the client library asks before it logs.
func (q quiet) Level() kgo.LogLevel {
	switch level := q.Logger.Level(); level {
	case kgo.LogLevelDebug:
		return kgo.LogLevelInfo
	case kgo.LogLevelInfo:
		return kgo.LogLevelWarn
	default:
		return level
	}
}

// LastingClient opens a client that works on after ctx has ended, for as long as
// Finishing does: for what a stop must not cut off.
func (c *Connection) LastingClient(ctx context.Context, more ...kgo.Opt) (*kgo.Client, error) {
	return c.Client(Finishing(ctx), more...)
}

// Client opens a client; the caller closes it. For ctx see Options.
func (c *Connection) Client(ctx context.Context, more ...kgo.Opt) (*kgo.Client, error) {
	cl, err := kgo.NewClient(append(c.Options(ctx), more...)...)
	if err != nil {
		return nil, fmt.Errorf("making a Kafka client: %w", err)
	}
	return cl, nil
}

// Ping checks within the given time that a broker answers and lets us in. The
// error says what to look at.
func (c *Connection) Ping(ctx context.Context, timeout time.Duration) error {
	cl, err := c.Client(ctx)
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := cl.Ping(ctx); err != nil {
		return fmt.Errorf("reaching Kafka at %v: %w", c.Brokers, Explain(err))
	}
	return nil
}

// Sleep waits for the duration, or returns ctx's error if ctx ends before.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
