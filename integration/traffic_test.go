package integration_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/integration/kafkatest"
)

// What all these tests share: a record key, and a budget far above what people
// would want, so that many alerts tell of any difference.
const (
	recordKey = "000102030405060708090a0b0c0d0e0f"
	budget    = "200/day"
)

// traffic is the life of a small company in which data leaks on the last day.
type traffic struct {
	native, ocsf string   // files of the same events in two forms
	events       [][]byte // the native form, in order of time
	alerts       []string // what a backtest says of them
}

// company makes the traffic of so many days; the same days are made once.
func company(t testing.TB, days int) *traffic {
	t.Helper()
	kafkatest.Require(t) // who has no broker needs no traffic
	companies.Lock()
	defer companies.Unlock()
	if c := companies.byDays[days]; c != nil {
		return c
	}
	c := &traffic{}
	for format, path := range map[string]*string{"native": &c.native, "ocsf": &c.ocsf} {
		*path = filepath.Join(scratch(), fmt.Sprintf("%s-%d.ndjson", format, days))
		must(t, "simulate", "--scenario", "demo", "--seed", "3", "--scale", "0.1", "--days", fmt.Sprint(days), "--format", format, "--out", *path)
	}
	c.events = lines(t, c.native)
	c.alerts = backtest(t, "native", c.native)
	if len(c.alerts) < 5 {
		t.Fatalf("%d days of traffic raise %d alerts, too few to compare", days, len(c.alerts))
	}
	companies.byDays[days] = c
	return c
}

var companies = struct {
	sync.Mutex
	byDays map[int]*traffic
}{byDays: map[int]*traffic{}}

// lines returns the lines of a file.
func lines(t testing.TB, path string) [][]byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
}

// backtest returns the alerts that weir backtest prints of some files.
func backtest(t testing.TB, format string, files ...string) []string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "record.key"), recordKey)
	config := write(t, filepath.Join(dir, "weir.yaml"), "record_key_file: record.key\nalerts: {budget: "+budget+"}\n")
	out := must(t, append([]string{"backtest", "-c", config, "--format", format, "-o", "json"}, files...)...)
	return splitLines(out)
}

// splitLines returns the lines of a text, none for the empty one.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}

// write writes a file and returns its path.
func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// spread says into which partition the i-th event goes.
type spread func(i int, event []byte) int32

// runLength is how many events follow each other in a partition.
const runLength = 7

// interleaved deals short runs of events out to the partitions, so that all of
// them differ.
func interleaved(partitions int32) spread {
	return func(i int, _ []byte) int32 { return int32(i/runLength) % partitions }
}

// oneSparse puts about one event in a hundred into the last partition, and
// deals the others out to the rest.
func oneSparse(partitions int32) spread {
	return func(i int, event []byte) int32 {
		h := fnv.New32a()
		_, _ = h.Write(event) // never fails
		if h.Sum32()%100 == 0 {
			return partitions - 1
		}
		return int32(i/runLength) % (partitions - 1)
	}
}

// producer writes to source topics, into the partitions it is told.
func producer(t testing.TB, b *kafkatest.Broker) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.AdminAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxBufferedRecords(200_000), kgo.UnknownTopicRetries(100)) // a topic that was just made
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// produce writes events to a topic and returns when all of them are there.
// first is the number of the first event.
func produce(t testing.TB, cl *kgo.Client, topic string, to spread, first int, events [][]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), longLimit)
	defer cancel()
	var mu sync.Mutex
	var failed error
	for i, value := range events {
		r := &kgo.Record{Topic: topic, Partition: to(first+i, value), Value: value}
		cl.Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		t.Fatalf("producing to %s: %v", topic, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if failed != nil {
		t.Fatalf("producing to %s: %v", topic, failed)
	}
}
