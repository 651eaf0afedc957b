package destinations

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// topic writes to one topic. It opens its client at the first record, so
// that a configuration can be checked without a broker, and keeps it.
type topic struct {
	conn *cluster.Connection
	name string

	mu     sync.Mutex
	client *kgo.Client
}

// Produce writes one record and waits until the in-sync replicas have it.
func (t *topic) Produce(ctx context.Context, key, value []byte) (retry bool, err error) {
	client, err := t.open()
	if err != nil {
		return false, err
	}
	err = client.ProduceSync(ctx, &kgo.Record{Topic: t.name, Key: key, Value: value}).FirstErr()
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return true, fmt.Errorf("topic %s: %w; create it", t.name, err)
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		return false, fmt.Errorf("topic %s: %w; allow weir's principal to write it", t.name, err)
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.InvalidRecord):
		return false, fmt.Errorf("topic %s: %w", t.name, err)
	}
	return true, fmt.Errorf("topic %s: %w", t.name, cluster.Explain(err))
}

func (t *topic) open() (*kgo.Client, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client != nil {
		return t.client, nil
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(t.conn.Brokers...), kgo.ClientID(t.conn.ClientID), kgo.WithHooks(t.conn.Hooks...),
		kgo.AllowIdempotentProduceCancellation(), // an attempt must end; a repetition has the same key
	}
	if t.conn.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(t.conn.TLS))
	}
	if t.conn.SASL != nil {
		opts = append(opts, kgo.SASL(t.conn.SASL))
	}
	client, err := kgo.NewClient(append(opts, t.conn.Extra...)...)
	if err != nil {
		return nil, fmt.Errorf("making a Kafka client: %w", err)
	}
	t.client = client // lives as long as the process
	return client, nil
}
