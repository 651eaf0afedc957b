package teams

import (
	"testing"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify/notifytest"
)

func TestHeartbeatGolden(t *testing.T) {
	notifytest.Suite{Taken: notifytest.Answer(202)}.Heartbeats(t, *rewrite, build)
}

// Every heartbeat fits into what Teams takes.
func TestHeartbeatFits(t *testing.T) {
	for name, h := range alertingtest.Heartbeats() {
		r := h.Report(nil)
		if n := size(fit(func(limit int) *message { return newHeartbeat(h, r, limit) })); n > maxMessage {
			t.Errorf("%s has %d bytes", name, n)
		}
	}
}
