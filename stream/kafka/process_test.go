package kafka_test

import (
	"fmt"
	"testing"
	"time"
)

func TestKafkaEqualsLocal(t *testing.T) { inBubble(t, testKafkaEqualsLocal) }

func testKafkaEqualsLocal(t *testing.T) {
	d := newDeployment(t, 4)
	events, want, _ := d.leak(t)
	if !testing.Short() {
		events = traffic(t, "demo", 1, 15, 0.1)
		want, _ = d.local(t, events)
	}
	d.produce(t, "access", 3, events)
	for i := range 2 {
		stop := start(t, d.options(t, fmt.Sprint("p", i))).stop
		defer stop()
	}
	compare(t, d.alerts(t, len(want), 6*time.Minute), want)
}
