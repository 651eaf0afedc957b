package deployment

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"
)

// clientMetrics counts connections, requests and bytes over all Kafka clients
// of a process. The library's metrics are made for one client, which registers
// them and takes them away again; a process has many, some for a moment only.
type clientMetrics struct {
	*kprom.Metrics
	register sync.Once
}

func newClientMetrics(reg *prometheus.Registry) *clientMetrics {
	return &clientMetrics{Metrics: kprom.NewMetrics("weir_kafka",
		kprom.Registerer(withoutFuncs{reg}), kprom.Gatherer(reg))}
}

// OnNewClient registers the metrics with the first client.
func (m *clientMetrics) OnNewClient(cl *kgo.Client) {
	m.register.Do(func() { m.Metrics.OnNewClient(cl) })
}

// OnClientClosed leaves them, since other clients go on.
func (m *clientMetrics) OnClientClosed(*kgo.Client) {}

// withoutFuncs leaves out gauges that ask one client for what it has buffered:
// here they would speak for the first client alone.
type withoutFuncs struct{ prometheus.Registerer }

// MustRegister registers all but functions.
func (r withoutFuncs) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if _, single := c.(prometheus.GaugeFunc); !single {
			r.Registerer.MustRegister(c)
		}
	}
}
