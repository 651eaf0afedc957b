package bench

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirhq/weir/integration/kafkatest"
)

// The backlogs are of the sparse load, but of fewer actors: all of them are seen within
// the shortest, so that a longer one has no more identities.
const (
	backlogRate   = 1 // events a second
	backlogActors = 3_000
)

// BenchmarkBacklog starts weir before a backlog of 3, 10 and 30 days, on a real Kafka,
// and prints the largest part of its memory that was resident, and its CPU time.
//
// WEIR_BENCH_RATE (1) is how many events a second there are.
func BenchmarkBacklog(b *testing.B) {
	kafkatest.Require(b)
	binary := build(b)
	broker := kafkatest.Start(b, kafkatest.WithJVM("1G"))
	rate := setting(b, "WEIR_BENCH_RATE", backlogRate)
	for _, days := range []int{3, 10, 30} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			from := newSparse(1)
			from.every = time.Second / time.Duration(rate)
			from.actors = rand.NewZipf(from.dice, sparseSkew, 1, backlogActors-1)
			from.networks = backlogActors / 5
			events := days * 24 * 3600 * rate
			topic := broker.Topic(b, 4)
			_, last := fill(b, broker, topic, events, from)
			took, peak := watch(b, binary, broker, topic, last)
			say("%d days, %d events: at most %d MiB, %.1f CPU-s/M\n", days, events, peak>>20, took.Seconds()*1e6/float64(events))
			b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
			b.ReportMetric(took.Seconds()*1e6/float64(events), "cpu-s/M")
			b.ReportMetric(0, "ns/op") // meaningless here
		})
	}
}
