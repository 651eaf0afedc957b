package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/simulate"
)

// small is a small company's few days.
func small(days int) Simulation {
	return Simulation{
		Company: simulate.Options{Scenario: "calm", Seed: 1, Days: days, Scale: 0.05},
		Encode:  event.AppendNative, Progress: &progress.Line{},
	}
}

// into returns what opens w as the output.
func into(w io.Writer) func(context.Context) (Sink, error) {
	return func(context.Context) (Sink, error) { return OpenFile("-", w) }
}

// At a pace the whole takes as long as the number of its events, or its span of
// time, asks for.
func TestPace(t *testing.T) {
	for _, tt := range []struct {
		name        string
		rate, speed float64
		want        time.Duration // 0: from the number of events
	}{
		{"100 events a second", 100, 0, 0},
		{"an hour a second", 0, 3600, 24 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var out bytes.Buffer
			s := small(1)
			s.Rate, s.Speed, s.Open = tt.rate, tt.speed, into(&out)
			if err := s.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			n := bytes.Count(out.Bytes(), []byte("\n"))
			want := tt.want
			if want == 0 {
				want = time.Duration(n) * 10 * time.Millisecond
			}
			if d := time.Since(began); d < want*95/100 || d > want*105/100 {
				t.Errorf("%s: %d events took %v, want %v", tt.name, n, d, want)
			}
		})
	}
}

// A topic gets what a file gets, under the actors as keys and at the times of the
// events.
func TestTopic(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	produce := func(partitions int32) error {
		s := small(2)
		s.Open = func(ctx context.Context) (Sink, error) {
			return OpenTopic(ctx, cluster.ListenAddrs(), "access", true, partitions)
		}
		return s.Run(t.Context())
	}
	if err := produce(0); err == nil || !strings.Contains(err.Error(), "let --create-topic do it") {
		t.Errorf("into a topic that is not there: %v", err)
	}
	if err := produce(3); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	s := small(2)
	s.Open = into(&file)
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for line := range strings.Lines(file.String()) {
		want[strings.TrimSpace(line)] = true
	}

	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("access"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	partitionOf := map[string]int32{}
	for len(want) > 0 {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !want[string(r.Value)] {
				t.Fatalf("not in the file, or twice: %s", r.Value)
			}
			delete(want, string(r.Value))
			var ev struct {
				Time  time.Time
				Actor string
			}
			if err := json.Unmarshal(r.Value, &ev); err != nil {
				t.Fatal(err)
			}
			if !r.Timestamp.Equal(ev.Time) || string(r.Key) != ev.Actor {
				t.Fatalf("key %q and timestamp %v of %s", r.Key, r.Timestamp, r.Value)
			}
			if p, ok := partitionOf[ev.Actor]; ok && p != r.Partition {
				t.Fatalf("%s is in partitions %d and %d", ev.Actor, p, r.Partition)
			}
			partitionOf[ev.Actor] = r.Partition
		})
	}
}

func TestKafkaIsNotThere(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := OpenTopic(ctx, []string{"127.0.0.1:1"}, "access", true, 0)
	if err == nil || !strings.HasPrefix(err.Error(), "reaching Kafka at 127.0.0.1:1: ") {
		t.Errorf("without Kafka: %v", err)
	}
}
