package deployment

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A process has several clients at once, and closes some before others: all of
// them count in one set of metrics, which stays.
func TestClientsShareMetrics(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	reg := prometheus.NewRegistry()
	metrics := newClientMetrics(reg)
	connects := func() (n float64) {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "weir_kafka_connects_total" {
				for _, m := range f.GetMetric() {
					n += m.GetCounter().GetValue()
				}
			}
		}
		return n
	}
	before := 0.0
	for i := range 3 {
		cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.WithHooks(metrics))
		if err != nil {
			t.Fatal(err)
		}
		if err := cl.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			cl.Close()
		} else {
			defer cl.Close()
		}
		if now := connects(); now <= before {
			t.Errorf("client %d: %v connections in the metrics, %v before it", i, now, before)
		} else {
			before = now
		}
	}
}
