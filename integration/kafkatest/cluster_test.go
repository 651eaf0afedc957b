package kafkatest_test

import (
	"os"
	"testing"
	"time"

	"github.com/weirhq/weir/integration/kafkatest"
)

// A broker of a cluster that is killed, stopped or frozen comes back, and meanwhile the
// others serve what it led.
func TestSoakClusterLosesOne(t *testing.T) {
	if os.Getenv("WEIR_SOAK") == "" {
		t.Skip("three brokers: make soak")
	}
	cluster := kafkatest.StartCluster(t, 3, kafkatest.WithHeap("256M"))
	topic := cluster[0].Topic(t, 6)
	cluster[0].WaitInStep(t)
	for i, lose := range []func(*kafkatest.Broker){
		func(b *kafkatest.Broker) { b.Kill(t) },
		func(b *kafkatest.Broker) { b.Stop(t) },
		func(b *kafkatest.Broker) { b.Pause(t) },
	} {
		lost := cluster[i]
		lose(lost)
		produce(t, lost.Client(t), topic, "a", "b", "c")
		if i == 2 {
			lost.Unpause(t)
		} else {
			lost.Start(t)
		}
		began := time.Now()
		lost.WaitInStep(t)
		t.Logf("broker %d is in step after %v", i+1, time.Since(began))
	}
}
