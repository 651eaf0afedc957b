package integration_test

import (
	"testing"

	"github.com/weirhq/weir/integration/kafkatest"
)

// What runs on Kafka and what reads files decide alike, whatever the form of
// the events.
func TestRunEqualsBacktest(t *testing.T) {
	c := company(t, 8)
	b := kafkatest.Shared(t)
	for format, path := range map[string]string{"native": c.native, "ocsf": c.ocsf} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			same(t, "backtest of "+format, backtest(t, format, path), c.alerts)
			source := b.Topic(t, 3)
			produce(t, producer(t, b), source, interleaved(3), 0, lines(t, path))
			d := deploy(t, b, source)
			d.format = format
			p := d.start(t, "one")
			same(t, "run on "+format, d.complete(t, len(c.alerts)), c.alerts)
			p.stop(t)
		})
	}
}
