package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/stream/kafka"
)

// findings writes to the topic of a kafka destination. It opens its client at
// the first finding: a configuration can be checked without a broker.
type findings struct {
	conn  *kafka.Connection
	topic string

	mu     sync.Mutex
	client *kgo.Client
}

// Produce writes one record and waits until the in-sync replicas have it.
func (f *findings) Produce(ctx context.Context, key, value []byte) (retry bool, err error) {
	client, err := f.open()
	if err != nil {
		return false, err
	}
	err = client.ProduceSync(ctx, &kgo.Record{Topic: f.topic, Key: key, Value: value}).FirstErr()
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return true, fmt.Errorf("topic %s: %w; create it, weir does not", f.topic, err)
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		return false, fmt.Errorf("topic %s: %w; allow weir's principal to write it", f.topic, err)
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.InvalidRecord):
		return false, fmt.Errorf("topic %s: %w", f.topic, err)
	}
	return true, fmt.Errorf("topic %s: %w", f.topic, kafka.Explain(err))
}

func (f *findings) open() (*kgo.Client, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.client != nil {
		return f.client, nil
	}
	opts := []kgo.Opt{kgo.SeedBrokers(f.conn.Brokers...), kgo.ClientID(f.conn.ClientID), kgo.WithHooks(f.conn.Hooks...)}
	if f.conn.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(f.conn.TLS))
	}
	if f.conn.SASL != nil {
		opts = append(opts, kgo.SASL(f.conn.SASL))
	}
	client, err := kgo.NewClient(append(opts, f.conn.Extra...)...)
	if err != nil {
		return nil, fmt.Errorf("making a Kafka client: %w", err)
	}
	f.client = client // lives as long as the process
	return client, nil
}
