package kafka_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fullDisk makes a cluster that answers writes with KAFKA_STORAGE_ERROR, as a
// broker does whose disk is full, from some request on until it is mended.
type fullDisk struct {
	mu      sync.Mutex
	good    int // requests that still succeed
	refused int
	mended  bool
}

func (f *fullDisk) control(c *kfake.Cluster) func(kmsg.Request) (kmsg.Response, error, bool) {
	return func(q kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.good > 0 || f.mended {
			f.good--
			return nil, nil, false
		}
		f.refused++
		req := q.(*kmsg.ProduceRequest)
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range req.Topics {
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
			for _, partition := range topic.Partitions {
				p := kmsg.NewProduceResponseTopicPartition()
				p.Partition, p.ErrorCode = partition.Partition, kerr.KafkaStorageError.Code
				answer.Partitions = append(answer.Partitions, p)
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	}
}

func (f *fullDisk) mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mended = true
}

// text is a log that may be read while it is written.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *text) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *text) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// A broker whose disk is full stops weir, which says where to look; once there
// is room again it goes on, and nothing is lost or said twice.
func TestFullDisk(t *testing.T) { inBubble(t, testFullDisk) }

func testFullDisk(t *testing.T) {
	d := newDeployment(t, 2)
	events, want, _ := d.leak(t)
	d.produce(t, "access", 2, events)

	disk := &fullDisk{good: 40} // the manifest, and the first bins
	d.broker.ControlKey(int16(kmsg.Produce), disk.control(d.broker))
	p := d.options(t, "one")
	log := &text{}
	p.Log = slog.New(slog.NewTextHandler(log, nil))
	p.Connection.Logger = p.Log
	p.Connection.Extra = append(p.Connection.Extra, kgo.RecordDeliveryTimeout(time.Second)) // fail soon
	stop := start(t, p).stop
	defer stop()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(log.String(), "check its disks (KAFKA_STORAGE_ERROR)"); {
		if time.Now().After(deadline) {
			t.Fatalf("the fault is not told; %d writes were refused; the log:\n%s", disk.refused, log)
		}
		time.Sleep(20 * time.Millisecond)
	}
	disk.mend()
	compare(t, d.alerts(t, len(want), 2*time.Minute), want)
}
