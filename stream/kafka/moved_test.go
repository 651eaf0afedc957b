package kafka_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// ofPartitions are the gauges of partitions, and those of the fleet, that a
// working process shows.
var ofPartitions = []string{"weir_closed_seconds", "weir_identities", "weir_tokens_looked_at", "weir_source_lag_seconds", "weir_open_episodes", "weir_alert_threshold"}

// shown counts the series that a process shows of each gauge.
func shown(t testing.TB, reg *prometheus.Registry) map[string]int {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, f := range families {
		if name := f.GetName(); slices.Contains(ofPartitions, name) {
			out[name] = len(f.GetMetric())
		}
	}
	return out
}

// The gauges of a partition move with it: what a process no longer works on it
// no longer shows.
func TestGaugesMove(t *testing.T) { inBubble(t, testGaugesMove) }

func testGaugesMove(t *testing.T) {
	d := newDeployment(t, 4)
	d.produce(t, "access", 4, traffic(t, "greedy-agent", 1, 1, 0.1))
	first, second := prometheus.NewRegistry(), prometheus.NewRegistry()
	o := d.options(t, "first")
	o.Metrics = metrics.New(first)
	p := start(t, o)
	all := map[string]int{
		"weir_closed_seconds": 4, "weir_identities": 4, "weir_tokens_looked_at": 4, "weir_source_lag_seconds": 4,
		"weir_open_episodes": 1, "weir_alert_threshold": len(d.dims) * int(score.NumGroups),
	}
	await(t, "the first process shows all", func() bool { return maps.Equal(shown(t, first), all) })

	o = d.options(t, "second")
	o.Metrics = metrics.New(second)
	q := start(t, o)
	await(t, "each shows its share", func() bool {
		a, b := shown(t, first), shown(t, second)
		for _, name := range ofPartitions[:4] {
			if a[name] == 0 || b[name] == 0 || a[name]+b[name] != 4 {
				return false
			}
		}
		return true
	})
	p.stop()
	if left := shown(t, first); len(left) != 0 {
		t.Errorf("after its end the first process shows %v", left)
	}
	await(t, "the second process shows all", func() bool {
		b := shown(t, second)
		return b["weir_closed_seconds"] == 4 && b["weir_source_lag_seconds"] == 4
	})
	q.stop()
}

// await waits until something holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}
