package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/event"
)

// fileSink writes one event a line.
type fileSink struct {
	name    string
	buf     *bufio.Writer
	packer  io.WriteCloser // nil: not compressed
	flusher interface{ Flush() error }
	file    *os.File // nil: stdout
}

// openFileSink creates the file, or takes stdout for "-".
func openFileSink(name string, stdout io.Writer) (*fileSink, error) {
	s := &fileSink{name: name}
	out := stdout
	if name != "-" {
		file, err := os.Create(name)
		if err != nil {
			return nil, fmt.Errorf("creating the output: %w", err)
		}
		s.file, out = file, file
	}
	switch {
	case strings.HasSuffix(name, ".gz"):
		z := gzip.NewWriter(out)
		s.packer, s.flusher, out = z, z, z
	case strings.HasSuffix(name, ".zst"):
		// One encoder goroutine keeps the bytes the same on every machine.
		z, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("opening the compressor of %s: %w", name, err)
		}
		s.packer, s.flusher, out = z, z, z
	}
	s.buf = bufio.NewWriterSize(out, 1<<18)
	return s, nil
}

func (s *fileSink) put(_ context.Context, _ *event.Event, line []byte) error {
	_, err := s.buf.Write(line)
	if err == nil {
		err = s.buf.WriteByte('\n')
	}
	return s.wrap(err)
}

func (s *fileSink) flush(context.Context) error {
	if s.buf.Buffered() == 0 {
		return nil
	}
	err := s.buf.Flush()
	if err == nil && s.flusher != nil {
		err = s.flusher.Flush()
	}
	return s.wrap(err)
}

func (s *fileSink) close(context.Context) error {
	err := s.buf.Flush()
	if s.packer != nil {
		err = errors.Join(err, s.packer.Close())
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	return s.wrap(err)
}

func (s *fileSink) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing %s: %w", s.name, err)
}

// reachTimeout is how long Kafka may take to answer at all.
const reachTimeout = 15 * time.Second

// topicSink produces to a Kafka topic, acknowledged by all in-sync replicas.
type topicSink struct {
	client  *kgo.Client
	topic   string
	byActor bool
	failed  atomic.Pointer[error] // of the first record that could not be written
	records context.Context       // outlives the run's by lastWords, for what is still on its way
}

// lastWords is how long records may take to arrive after an interrupt.
const lastWords = 10 * time.Second

// openTopicSink connects, and creates the topic if partitions is not zero.
func openTopicSink(ctx context.Context, brokers []string, topic string, byActor bool, partitions int32) (*topicSink, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.ClientID("weir-simulate"),
		kgo.DefaultProduceTopic(topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()),
	)
	if err != nil {
		return nil, usagef("reading --brokers: %w", err)
	}
	reach, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if err := client.Ping(reach); err != nil {
		client.Close()
		return nil, fmt.Errorf("reaching Kafka at %s: %w (is it up, and are --brokers right?)", strings.Join(brokers, ","), err)
	}
	if partitions > 0 {
		if err := createSourceTopic(reach, client, topic, partitions); err != nil {
			client.Close()
			return nil, err
		}
	}
	records, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(lastWords, end) })
	return &topicSink{client: client, topic: topic, byActor: byActor, records: records}, nil
}

// createSourceTopic creates the topic if it is not there. Its records carry
// event times that may lie weeks back, so retention by time would delete the
// history while it is being written.
func createSourceTopic(ctx context.Context, client *kgo.Client, topic string, partitions int32) error {
	keep := "-1"
	_, err := kadm.NewClient(client).CreateTopic(ctx, partitions, -1, map[string]*string{"retention.ms": &keep}, topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("creating the topic %s: %w", topic, err)
	}
	return nil
}

func (s *topicSink) put(_ context.Context, ev *event.Event, line []byte) error {
	r := &kgo.Record{Value: bytes.Clone(line), Timestamp: time.UnixMilli(ev.Time)}
	if s.byActor && ev.Actor != "" {
		r.Key = []byte(ev.Actor)
	}
	s.client.Produce(s.records, r, s.done)
	return s.err()
}

// done remembers the first failure.
func (s *topicSink) done(_ *kgo.Record, err error) {
	if err != nil {
		s.failed.CompareAndSwap(nil, &err)
	}
}

// err returns the first failure, with the way out.
func (s *topicSink) err() error {
	p := s.failed.Load()
	if p == nil {
		return nil
	}
	hint := ""
	if errors.Is(*p, kerr.UnknownTopicOrPartition) {
		hint = " (create it, or let --create-topic do it)"
	}
	return fmt.Errorf("producing to the topic %s: %w%s", s.topic, *p, hint)
}

// flush does nothing: the client sends what it has without being asked.
func (s *topicSink) flush(context.Context) error { return s.err() }

func (s *topicSink) close(ctx context.Context) error {
	defer s.client.Close()
	if err := s.client.Flush(ctx); err != nil {
		return fmt.Errorf("producing to the topic %s: waiting for the last records: %w", s.topic, err)
	}
	return s.err()
}
