package kafka_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
)

// Events with a wrong date, one of which waits when a process stops, are read again by
// the next, and count: the alerts are those of one task of each kind, each once.
func TestWrongClockOnKafka(t *testing.T) { inBubble(t, testWrongClockOnKafka) }

func testWrongClockOnKafka(t *testing.T) {
	d := newDeployment(t, 2)
	events, _, _ := d.leak(t)
	wrong := event.AppendNative(nil, &event.Event{
		Time: afterTraffic.AddDate(0, -1, 0).UnixMilli(), Actor: "wrong-host", IP: "192.0.2.7", Records: []string{"w"},
	})
	half := len(events) / 2
	var first, second [][]byte
	for i, value := range events {
		if i < half {
			first = append(first, value)
		} else {
			second = append(second, value)
		}
		if i%1000 == 500 && i < half || i == half-10 {
			first = append(first, wrong)
		}
	}
	want, _ := d.local(t, slices.Concat(first, second))
	d.produce(t, "access", 1, first)
	o := d.options(t, "first")
	o.Sources.Idle = time.Hour // so that nothing is judged by its having come to the end
	stop := start(t, o).stop
	defer stop()
	const waiting = 9 // the wrong one, ten events before the half, and those after it
	d.committed(t, int64(len(first)-1-waiting))
	stop()
	d.produce(t, "access", 1, second)
	defer start(t, d.options(t, "second")).stop()
	compare(t, d.alerts(t, len(want), 6*time.Minute), want)
}

// committed waits until ingest has committed an offset of the one partition.
func (d *deployment) committed(t testing.TB, offset int64) {
	t.Helper()
	ctx := context.Background()
	cl, err := kgo.NewClient(append(d.conn.Extra, kgo.SeedBrokers(d.conn.Brokers...))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	at := int64(-1)
	for limit := time.Now().Add(3 * time.Minute); time.Now().Before(limit); time.Sleep(time.Second) {
		offsets, err := kadm.NewClient(cl).FetchOffsets(ctx, "weir-ingest")
		if err != nil {
			continue
		}
		if o, ok := offsets.Lookup("access", 0); ok {
			if at = o.At; at == offset {
				return
			}
		}
	}
	t.Fatalf("ingest has committed offset %d, want %d", at, offset)
}

// Where a partition goes on after five hours with a few events, another that has come
// as far confirms them, before the first is idle.
func TestOthersConfirmOnKafka(t *testing.T) { inBubble(t, testOthersConfirmOnKafka) }

func testOthersConfirmOnKafka(t *testing.T) {
	d := newDeployment(t, 2)
	at := afterTraffic.AddDate(0, 0, -1).UnixMilli()
	var events [][]byte
	run := func(first, step int64) { // seven events: a run of one partition
		for i := range int64(7) {
			events = append(events, event.AppendNative(nil, &event.Event{Time: at + (first+i*step)*minute, Actor: "ann", Records: []string{"r"}}))
		}
	}
	const runs = 6
	for i := range int64(runs) {
		run(i, 0)
		run(i*63, 9)
	}
	run(300, 0)
	d.produce(t, "access", 2, events)
	o := d.options(t, "first")
	o.Sources.Idle = time.Hour
	defer start(t, o).stop()
	d.committed(t, 7*(runs+1))
}

// A partition to which somebody writes a few events that are dated far back, each a little
// later than the one before, is never quiet; it holds the others' alerts for minutes only.
func TestTrickleHoldsNobodyOnKafka(t *testing.T) { inBubble(t, testTrickleHoldsNobodyOnKafka) }

func testTrickleHoldsNobodyOnKafka(t *testing.T) {
	d := newDeployment(t, 2)
	events, _, _ := d.leak(t)
	cl, err := kgo.NewClient(append(d.conn.Extra, kgo.SeedBrokers(d.conn.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	write := func(partition int32, values ...[]byte) {
		for _, v := range values {
			cl.Produce(context.Background(), &kgo.Record{Topic: "access", Partition: partition, Value: v}, nil)
		}
		if err := cl.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	back := simulate.DefaultStart.UnixMilli()
	trickle := func(i int64) {
		write(1, event.AppendNative(nil, &event.Event{Time: back + i, Actor: "somebody", Records: []string{"r"}}))
	}
	d.produce(t, "access", 2, nil)
	trickle(0)
	write(0, events...)
	o := d.options(t, "first")
	o.Sources.Idle = time.Minute
	defer start(t, o).stop()
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := int64(1); ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Second):
				trickle(i)
			}
		}
	})
	d.alerts(t, 1, 20*time.Minute)
	close(stop)
	writer.Wait()
}

// One export after 60 silent hours, at the end of the log, waits for nothing but the
// partition to be quiet; that it was judged is committed, although nothing more was read.
func TestGapOnKafka(t *testing.T) { inBubble(t, testGapOnKafka) }

func testGapOnKafka(t *testing.T) {
	d := newDeployment(t, 2)
	events, _, _ := d.leak(t)
	export := event.AppendNative(nil, &event.Event{
		Time: simulate.DefaultStart.AddDate(0, 0, 4).Add(60 * time.Hour).UnixMilli(), Actor: "thief", Action: event.Export, IP: "192.0.2.7", Rows: 1_000_000,
	})
	events = append(slices.Clone(events), export)
	want, _ := d.local(t, events)
	d.produce(t, "access", 1, events)
	stop := start(t, d.options(t, "first")).stop
	defer stop()
	d.committed(t, int64(len(events)))
	stop()
	defer start(t, d.options(t, "second")).stop()
	compare(t, d.alerts(t, len(want), 6*time.Minute), want)
}
