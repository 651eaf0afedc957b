package kafka

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
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

// options are what every client of this process shares.
func (c *Connection) options() []kgo.Opt {
	opts := []kgo.Opt{
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

// client opens a client; the caller closes it.
func (c *Connection) client(more ...kgo.Opt) (*kgo.Client, error) {
	cl, err := kgo.NewClient(append(c.options(), more...)...)
	if err != nil {
		return nil, fmt.Errorf("making a Kafka client: %w", err)
	}
	return cl, nil
}

// Ping checks within the given time that a broker answers and lets us in. The
// error says what to look at.
func (c *Connection) Ping(ctx context.Context, timeout time.Duration) error {
	cl, err := c.client()
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

// Explain adds to an error of Kafka what the reader can do about it.
func Explain(err error) error {
	hint := ""
	var recordHeader tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var closed *kgo.ErrFirstReadEOF
	switch {
	case err == nil:
		return nil
	case errors.As(err, &recordHeader):
		hint = "the broker's port does not speak TLS: set kafka.tls.enabled to false, or use its TLS port"
	case errors.As(err, &closed):
		hint = "what the port speaks and what kafka.tls.enabled and kafka.sasl say may differ: a plain listener hangs up on TLS, and one with SASL on a client without it"
	case strings.Contains(err.Error(), "plaintext connection speaking to a tls endpoint"): // it has no type
		hint = "the broker's port wants TLS: set kafka.tls.enabled to true, or use its plain port"
	case errors.As(err, &certificate):
		hint = "the broker's certificate is not trusted: set kafka.tls.ca_file to the CA that signed it, and kafka.tls.server_name if the name differs"
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		hint = "user name, password or mechanism is wrong: see kafka.sasl"
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		hint = "the broker does not offer this mechanism: see kafka.sasl.mechanism"
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed),
		errors.Is(err, kerr.TransactionalIDAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		hint = "the principal lacks a permission: `weir topics` prints the ACLs that weir needs"
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		hint = "the topic does not exist: check sources in the configuration, or create weir's own topics with `weir topics --create`"
	case errors.Is(err, kgo.ErrRecordTimeout), errors.Is(err, kgo.ErrRecordRetries):
		// The client keeps trying and forgets what the broker said.
		hint = "the broker refused what was written, or did not answer, until time was up: its log says why; check its disks (KAFKA_STORAGE_ERROR) and the replicas in sync (NOT_ENOUGH_REPLICAS)"
	case errors.Is(err, kerr.KafkaStorageError):
		hint = "the broker cannot write its log: check its disks"
	case errors.Is(err, kerr.InvalidReplicationFactor):
		hint = "there are fewer brokers than replication_factor"
	case errors.Is(err, context.DeadlineExceeded), isNetwork(err):
		hint = "no broker answered: check kafka.brokers, the network, and whether the port wants TLS (kafka.tls.enabled) or SASL"
	default:
		return err
	}
	return fmt.Errorf("%w (%s)", err, hint)
}

func isNetwork(err error) bool {
	var timeout interface{ Timeout() bool }
	return kgo.IsRetryableBrokerErr(err) || errors.As(err, &timeout)
}

// stalled is how long readAll waits in silence. Transactions of weir's own end
// or time out sooner.
const stalled = 2 * transactionLimit

// readAll hands every committed record of a partition, control records
// excepted, to fn, up to the end that the log has now, and returns that end.
// The end is the high watermark, not the last stable offset: what a fenced
// predecessor had committed may stand above an older open transaction.
func (c *Connection) readAll(ctx context.Context, topic string, partition int32, fn func(*kgo.Record) error) (int64, error) {
	return c.readFrom(ctx, topic, partition, 0, fn)
}

// readFrom is readAll from an offset on, or from the first that there is.
func (c *Connection) readFrom(ctx context.Context, topic string, partition int32, from int64, fn func(*kgo.Record) error) (int64, error) {
	cl, err := c.client(
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
		if err := fetchError(ctx, fetches); err != nil {
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

// last returns the last committed record of a partition, or nil.
func (c *Connection) last(ctx context.Context, topic string, partition int32) (rec *kgo.Record, err error) {
	start, end, err := c.bounds(ctx, topic, partition)
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

// taskError is fetchError for a task, whose input must have no gap: what
// retention has deleted before it was read cannot be made up for.
func taskError(ctx context.Context, fetches kgo.Fetches) error {
	for _, e := range fetches.Errors() {
		var loss *kgo.ErrDataLoss
		if errors.As(e.Err, &loss) || errors.Is(e.Err, kerr.OffsetOutOfRange) {
			return fmt.Errorf("reading %s partition %d: %w (records were deleted before they were read: start over with `weir reset --from TIME`)", e.Topic, e.Partition, e.Err)
		}
	}
	return fetchError(ctx, fetches)
}

// fetchError returns the first error of a poll that is not a sign of a passing
// fault which the client repairs by itself.
func fetchError(ctx context.Context, fetches kgo.Fetches) error {
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

// bounds is the function bounds with a client of its own.
func (c *Connection) bounds(ctx context.Context, topic string, partition int32) (start, end int64, err error) {
	cl, err := c.client()
	if err != nil {
		return 0, 0, err
	}
	defer cl.Close()
	return bounds(ctx, kadm.NewClient(cl), topic, partition)
}
