package sources

import (
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// joining is a hook of a client that knows whether the client's group is being put
// together anew: a commit of offsets would wait for that.
type joining struct{ now atomic.Bool }

// OnBrokerWrite notes that the client asks to join its group.
func (j *joining) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if key == kmsg.JoinGroup.Int16() {
		j.now.Store(true)
	}
}

// OnBrokerE2E notes that the client has learned what is its part.
func (j *joining) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key == kmsg.SyncGroup.Int16() && e.Err() == nil {
		j.now.Store(false)
	}
}
