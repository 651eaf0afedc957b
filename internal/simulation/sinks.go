package simulation

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
	"github.com/weirhq/weir/internal/usage"
)

// fileSink writes one event a line.
type fileSink struct {
	name    string
	buf     *bufio.Writer
	packer  io.WriteCloser // nil: not compressed
	flusher interface{ Flush() error }
	file    *os.File // nil: stdout
}

// OpenFile creates a file and returns a Sink that writes one event a line to it,
// compressed if the name ends in .gz or .zst. The name - is stdout.
func OpenFile(name string, stdout io.Writer) (Sink, error) {
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

// Put writes one line.
func (s *fileSink) Put(_ context.Context, _ *event.Event, line []byte) error {
	_, err := s.buf.Write(line)
	if err == nil {
		err = s.buf.WriteByte('\n')
	}
	return s.wrap(err)
}

// Flush writes out what is buffered.
func (s *fileSink) Flush(context.Context) error {
	if s.buf.Buffered() == 0 {
		return nil
	}
	err := s.buf.Flush()
	if err == nil && s.flusher != nil {
		err = s.flusher.Flush()
	}
	return s.wrap(err)
}

// Close ends the compression and the file.
func (s *fileSink) Close(context.Context) error {
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

// OpenTopic connects to Kafka and returns a Sink that produces to a topic, with
// the actors as keys if byActor is set. It creates the topic with so many
// partitions, unless they are 0 or it is there.
func OpenTopic(ctx context.Context, brokers []string, topic string, byActor bool, partitions int32) (Sink, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.ClientID("weir-simulate"),
		kgo.DefaultProduceTopic(topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()),
	)
	if err != nil {
		return nil, usage.Errorf("reading --brokers: %w", err)
	}
	reach, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if err := client.Ping(reach); err != nil {
		client.Close()
		return nil, fmt.Errorf("reaching Kafka at %s: %w (is it up, and are --brokers right?)", strings.Join(brokers, ","), err)
	}
	if partitions > 0 {
		if err := CreateTopic(reach, client, topic, partitions); err != nil {
			client.Close()
			return nil, err
		}
	}
	records, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(lastWords, end) })
	return &topicSink{client: client, topic: topic, byActor: byActor, records: records}, nil
}

// CreateTopic creates a topic of events if it is not there. Its records carry
// event times that may lie weeks back, so retention by time would delete the
// history while it is being written.
func CreateTopic(ctx context.Context, client *kgo.Client, topic string, partitions int32) error {
	keep := "-1"
	_, err := kadm.NewClient(client).CreateTopic(ctx, partitions, -1, map[string]*string{"retention.ms": &keep}, topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("creating the topic %s: %w", topic, err)
	}
	return nil
}

// Put produces one record and does not wait for it.
func (s *topicSink) Put(_ context.Context, ev *event.Event, line []byte) error {
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

// Flush does nothing: the client sends what it has without being asked.
func (s *topicSink) Flush(context.Context) error { return s.err() }

// Close waits for all records.
func (s *topicSink) Close(ctx context.Context) error {
	defer s.client.Close()
	if err := s.client.Flush(ctx); err != nil {
		return fmt.Errorf("producing to the topic %s: waiting for the last records: %w", s.topic, err)
	}
	return s.err()
}
