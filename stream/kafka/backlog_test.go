package kafka_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// A backlog passes through bounded memory and raises the alerts that the operators
// raise without Kafka: where one partition holds all of it, where 64 do that differ in
// what they hold, and where one is silent for days.
func TestBacklogOnePartition(t *testing.T)    { long(t); inBubble(t, testBacklogOnePartition) }
func TestBacklogSkewed(t *testing.T)          { long(t); inBubble(t, testBacklogSkewed) }
func TestBacklogSilentPartition(t *testing.T) { inBubble(t, testBacklogSilentPartition) }

func testBacklogOnePartition(t *testing.T) {
	newDeployment(t, 2).backlog(t, 1, func(int, int64) int32 { return 0 })
}

func testBacklogSkewed(t *testing.T) {
	newDeployment(t, 2).backlog(t, 64, func(i int, _ int64) int32 {
		p := int32(0)
		for ; p < 63 && i%3 == 0; i /= 3 {
			p++
		}
		return (p*8 + int32(i)%8) % 64
	})
}

func testBacklogSilentPartition(t *testing.T) {
	first := int64(0)
	newDeployment(t, 2).backlog(t, 3, func(i int, at int64) int32 {
		if first == 0 {
			first = at
		}
		if hour := (at - first) / (60 * minute); hour >= 12 && hour < 84 {
			return int32(i % 2)
		}
		return int32(i % 3)
	})
}

// backlogBytes is the bound of the tests, in the place of sources.MaxHeld, and
// mostHeld how many bytes of memory that makes: a batch is held with its table of
// names, and each partition may bring one poll of events beyond the bound.
const (
	backlogBytes = 100_000
	mostHeld     = 12 * backlogBytes
)

// backlog has a process work through events that were dealt to partitions by their
// number and time, Unix ms.
func (d *deployment) backlog(t *testing.T, partitions int32, of func(i int, at int64) int32) {
	t.Helper()
	events, want, _ := d.leak(t)
	times := timesOf(t, events)
	d.deal(t, "access", partitions, events, func(i int) int32 { return of(i, times[i]) })
	reg := prometheus.NewRegistry()
	o := d.options(t, "p")
	o.Metrics, o.Sources.MaxHeld = metrics.New(reg), backlogBytes
	most, paused := watch(t, reg, "weir_held_bytes"), watch(t, reg, "weir_source_paused")
	stop := start(t, o).stop
	defer stop()
	compare(t, d.alerts(t, len(want), 30*time.Minute), want)
	// A partition of which nothing was read brings a poll's worth before it is known
	// to be ahead; 64 of them bring all that there is.
	if got := most(); got == 0 || got > mostHeld && partitions < 64 {
		t.Errorf("%.0f bytes were held, want at most %d", got, int(mostHeld))
	}
	if paused() == 0 {
		t.Error("no partition was ever paused")
	}
}

// While correlate stands still the sources are not read on; when it goes on, so do
// they, and the alerts are the same.
func TestBacklogStalledCorrelate(t *testing.T) { long(t); inBubble(t, testBacklogStalledCorrelate) }

func testBacklogStalledCorrelate(t *testing.T) {
	d := newDeployment(t, 2)
	events, want, _ := d.leak(t)
	d.produce(t, "access", 2, events)
	reg := prometheus.NewRegistry()
	o := d.options(t, "p")
	o.Roles = []kafka.Role{kafka.RoleIngest, kafka.RoleJoin, kafka.RoleDetect}
	o.Metrics, o.Sources.MaxHeld = metrics.New(reg), backlogBytes
	most := watch(t, reg, "weir_held_bytes")
	defer start(t, o).stop()
	await(t, "all sources are paused", func() bool { return sum(t, reg, "weir_source_paused") == 2 })
	time.Sleep(10 * time.Minute)
	if lag := sum(t, reg, "weir_source_lag_offsets"); lag < float64(len(events)/4) {
		t.Errorf("%v of %d events are not read yet", lag, len(events))
	}
	if got := most(); got > mostHeld || got == 0 {
		t.Errorf("%.0f bytes were held, want at most %d", got, int(mostHeld))
	}
	q := d.options(t, "q")
	q.Roles = []kafka.Role{kafka.RoleCorrelate}
	defer start(t, q).stop()
	compare(t, d.alerts(t, len(want), 30*time.Minute), want)
}

// timesOf returns the times of native events, Unix ms.
func timesOf(t testing.TB, events [][]byte) (out []int64) {
	t.Helper()
	native, err := files.LoadFormat("native")
	if err != nil {
		t.Fatal(err)
	}
	decoder := native.NewDecoder()
	for _, value := range events {
		decoder.Decode(value, func(ev *event.Event, _ *event.Reject) { out = append(out, ev.Time) })
	}
	return out
}

// watch looks at a gauge now and then, until the test ends. The function that it
// returns tells the largest sum over all series.
func watch(t testing.TB, reg *prometheus.Registry, name string) (most func() float64) {
	var largest atomic.Int64
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(50 * time.Millisecond):
				largest.Store(max(largest.Load(), int64(sum(t, reg, name))))
			}
		}
	}()
	t.Cleanup(func() { close(ended) })
	return func() float64 { return float64(largest.Load()) }
}

// sum adds up all series of a gauge.
func sum(t testing.TB, reg *prometheus.Registry, name string) (out float64) {
	families, err := reg.Gather()
	if err != nil {
		t.Error(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				out += m.GetGauge().GetValue()
			}
		}
	}
	return out
}

// long leaves a test out of -short, and so of the race detector's run, in which a
// shorter one of the same kind is.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes a minute and more under the race detector")
	}
}
