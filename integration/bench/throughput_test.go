package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/integration/kafkatest"
)

const roleWeir = "weir"

// BenchmarkThroughput measures CPU-seconds per million events, user and system,
// of whole processes: a reader, one that parses with a fast JSON library, one
// that decodes events, and weir, with ingest, detect, correlate, state and
// transactions, in its five default dimensions. They take turns over the same
// topic of lz4-compressed native events; medians count. So does what the broker takes
// behind each of them. It does so for a dense load, a Monday morning of a company, and
// for a sparse one.
//
// WEIR_BENCH_EVENTS (1,000,000) and WEIR_BENCH_RUNS (5) scale it.
func BenchmarkThroughput(b *testing.B) {
	kafkatest.Require(b)
	binary := build(b)
	broker := kafkatest.Start(b, kafkatest.WithJVM("1G"))
	b.Run("dense", func(b *testing.B) { throughput(b, binary, broker, company(b, 1)) })
	b.Run("sparse", func(b *testing.B) { throughput(b, binary, broker, newSparse(1)) })
}

// load makes events in order of their times.
type load interface {
	Next(ev *event.Event) bool // false: there are no more
}

// throughput measures all roles over one load, prints a table and reports ratios.
func throughput(b *testing.B, binary string, broker *kafkatest.Broker, from load) {
	events, runs := setting(b, "WEIR_BENCH_EVENTS", 1_000_000), setting(b, "WEIR_BENCH_RUNS", 5)
	topic := broker.Topic(b, 4)
	size, last := fill(b, broker, topic, events, from)
	say("\n%s: %d events of %d bytes on average, %d runs\n", b.Name(), events, size/events, runs)

	roles := []string{roleRead, roleFastJSON, roleDecode, roleWeir}
	cpu, behind := map[string][]time.Duration{}, map[string][]time.Duration{}
	memory := int64(0) // peak of weir, bytes
	for run := range runs {
		for _, role := range roles {
			took, before := time.Duration(0), brokerTime(b, broker)
			if role == roleWeir {
				var peak int64
				took, peak = watch(b, binary, broker, topic, last)
				memory = max(memory, peak)
			} else {
				took = read(b, broker, role, topic, events)
			}
			cpu[role] = append(cpu[role], took)
			behind[role] = append(behind[role], brokerTime(b, broker)-before)
			say("run %d: %-14s %6.2f CPU-s/M\n", run+1, role, took.Seconds()*1e6/float64(events))
		}
	}
	var table strings.Builder
	base := median(cpu[roleFastJSON]).Seconds()
	for _, role := range roles {
		m := median(cpu[role]).Seconds()
		fmt.Fprintf(&table, "%-14s %6.2f CPU-s/M (median; %.2f to %.2f), %5.2f of read+fastjson; the broker %.2f CPU-s/M\n", role, m*1e6/float64(events),
			slices.Min(cpu[role]).Seconds()*1e6/float64(events), slices.Max(cpu[role]).Seconds()*1e6/float64(events), m/base,
			median(behind[role]).Seconds()*1e6/float64(events))
		b.ReportMetric(m*1e6/float64(events), role+"-cpu-s/M")
	}
	b.ReportMetric(median(cpu[roleWeir]).Seconds()/median(cpu[roleDecode]).Seconds(), "weir/read+decode")
	b.ReportMetric(median(cpu[roleWeir]).Seconds()/base, "weir/read+fastjson")
	b.ReportMetric(float64(memory)/(1<<20), "weir-peak-MiB")
	b.ReportMetric(0, "ns/op") // meaningless here
	say("%sweir's peak memory: %d MiB\n", table.String(), memory>>20)
}

// brokerTime returns the CPU time that a broker has taken, to a hundredth of a second.
func brokerTime(b *testing.B, broker *kafkatest.Broker) time.Duration {
	b.Helper()
	_, fields, _ := strings.Cut(broker.Exec(b, "cat", "/proc/1/stat"), ") ") // see proc_pid_stat(5)
	times := strings.Fields(fields)
	if len(times) < 13 {
		b.Fatalf("reading what the broker takes: %q", fields)
	}
	user, err := strconv.Atoi(times[11])
	system, err2 := strconv.Atoi(times[12])
	if err != nil || err2 != nil {
		b.Fatalf("reading what the broker takes: %q", fields)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

func median(d []time.Duration) time.Duration { return slices.Sorted(slices.Values(d))[len(d)/2] }

// fill writes events to the topic, in runs of a few to each partition, and
// returns their size in bytes and the time of the last (Unix ms).
func fill(b *testing.B, broker *kafkatest.Broker, topic string, events int, from load) (size int, last int64) {
	b.Helper()
	cl := producer(b, broker)
	var ev event.Event
	for i := range events {
		if !from.Next(&ev) {
			b.Fatalf("the load has only %d events", i)
		}
		value := event.AppendNative(nil, &ev)
		size, last = size+len(value), max(last, ev.Time)
		cl.Produce(context.Background(), &kgo.Record{Topic: topic, Partition: int32(i / 8 % 4), Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := cl.Flush(context.Background()); err != nil || b.Failed() {
		b.Fatalf("writing the events: %v", err)
	}
	return size, last
}

// producer returns a client that writes as services do: lz4, batched.
func producer(b *testing.B, broker *kafkatest.Broker) *kgo.Client {
	b.Helper()
	return broker.Client(b, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(20*time.Millisecond),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.MaxBufferedRecords(50_000))
}

// read runs one of the readers over the topic and returns its CPU time.
func read(b *testing.B, broker *kafkatest.Broker, role, topic string, events int) time.Duration {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envRole+"="+role, envBrokers+"="+broker.Addr(), envTopic+"="+topic, fmt.Sprintf("%s=%d", envCount, events))
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", role, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// watch runs a new deployment of weir over the topic and returns its CPU time, and the
// largest part of its memory that was resident, in bytes.
func watch(b *testing.B, binary string, broker *kafkatest.Broker, topic string, last int64) (cpu time.Duration, peak int64) {
	b.Helper()
	prefix := kafkatest.UniqueName(b)
	p := startWeir(b, binary, configure(b, broker, topic, prefix, ""))
	p.await(b, broker, prefix, last)
	peak = peakMemory(b, p.cmd.Process.Pid)
	return p.stop(b), peak
}

// peakMemory returns the largest part of a process's memory that was resident, in
// bytes. What the process says of itself at its end would count its parent too.
func peakMemory(tb testing.TB, pid int) int64 {
	tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		tb.Fatalf("reading how much memory a process takes: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
		tb.Fatalf("reading how much memory a process takes: %v", err)
	}
	return kib << 10
}

func TestPeakMemory(t *testing.T) {
	if peak := peakMemory(t, os.Getpid()); peak < 1<<20 {
		t.Errorf("%d bytes", peak)
	}
}
