package bench

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/integration/kafkatest"
	"github.com/weirhq/weir/simulate"
)

// BenchmarkRestore measures the seconds from the start of a process until it
// has a million identities again, from a real Kafka: their written states, and
// the hour of partials since, which all of them were active in.
//
// WEIR_BENCH_IDENTITIES (1,000,000) scales it.
func BenchmarkRestore(b *testing.B) {
	kafkatest.Require(b)
	identities := setting(b, "WEIR_BENCH_IDENTITIES", 1_000_000)
	binary := build(b)
	broker := kafkatest.Start(b, kafkatest.WithJVM("1G"))
	topic := broker.Topic(b, 4)
	last := crowd(b, broker, topic, identities)
	prefix := kafkatest.UniqueName(b)
	config := configure(b, broker, topic, prefix, "dimensions: {user: [actor]}\nidentities: 2000000")
	p := startWeir(b, binary, config)
	p.await(b, broker, prefix, last)
	p.stop(b)

	b.ResetTimer()
	began := time.Now()
	p = startWeir(b, binary, config)
	found, slowest := p.restored(b)
	took := time.Since(began)
	b.StopTimer()
	cpu := p.stop(b)
	if found != identities {
		b.Fatalf("%d identities came back, want %d", found, identities)
	}
	say("\n%d identities restored in %.1f s from the start of the process (the slowest task %.1f s), %.1f CPU-s\n", found, took.Seconds(), slowest, cpu.Seconds())
	b.ReportMetric(took.Seconds(), "s")
	b.ReportMetric(cpu.Seconds(), "cpu-s")
	b.ReportMetric(0, "ns/op") // seconds say it
}

// crowd writes two hours in which each identity has one event an hour, of five
// records, and returns the time of the last.
func crowd(b *testing.B, broker *kafkatest.Broker, topic string, identities int) (last int64) {
	b.Helper()
	cl := producer(b, broker)
	start := simulate.DefaultStart.UnixMilli()
	const hour = int64(3_600_000)
	for i := range 2 * identities {
		who := i % identities
		ev := event.Event{Time: start + hour*int64(i)/int64(identities), Actor: fmt.Sprintf("u%09d", who)}
		for r := range 5 {
			ev.Records = append(ev.Records, strconv.Itoa(5*who+r))
		}
		last = ev.Time
		cl.Produce(context.Background(), &kgo.Record{Topic: topic, Partition: int32(i / 8 % 4), Value: event.AppendNative(nil, &ev)}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := cl.Flush(context.Background()); err != nil || b.Failed() {
		b.Fatalf("writing the events: %v", err)
	}
	return last
}

var restoredLine = regexp.MustCompile(`msg=restored .*identities=(\d+) seconds=(\S+)`)

// restored returns once every detect task has told that it is restored.
func (p *process) restored(b *testing.B) (identities int, slowest float64) {
	b.Helper()
	for wait := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		lines := restoredLine.FindAllStringSubmatch(p.log.String(), -1)
		if len(lines) == weirPartitions {
			for _, l := range lines {
				n, _ := strconv.Atoi(l[1]) // digits
				s, _ := strconv.ParseFloat(l[2], 64)
				identities, slowest = identities+n, max(slowest, s)
			}
			return identities, slowest
		}
		if time.Since(wait) > 5*time.Minute {
			b.Fatalf("only %d of %d tasks are restored:\n%s", len(lines), weirPartitions, p.log.String())
		}
	}
}
