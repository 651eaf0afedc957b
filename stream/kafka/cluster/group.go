package cluster

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Times of the consumer groups.
const (
	sessionTimeout   = 10 * time.Second
	heartbeat        = 2 * time.Second
	rebalanceTimeout = 30 * time.Second
)

// GroupOptions are the options of every consumer group of weir.
func GroupOptions(group string) []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumerGroup(group),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(sessionTimeout),
		kgo.HeartbeatInterval(heartbeat),
		kgo.RebalanceTimeout(rebalanceTimeout),
	}
}
