package kafka_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/weirhq/weir/stream/kafka"
)

// frozen is a connection to a broker that stops answering: what is written is
// lost, and what comes is not read.
type frozen struct {
	net.Conn
	now *atomic.Bool
}

func (f frozen) Write(b []byte) (int, error) {
	if f.now.Load() {
		return len(b), nil
	}
	return f.Conn.Write(b)
}

func (f frozen) Read(b []byte) (int, error) {
	for {
		n, err := f.Conn.Read(b)
		if err != nil || !f.now.Load() {
			return n, err
		}
	}
}

// A stop ends within the grace although no broker answers: one that has gone
// away, or one that is frozen, while every part is at work. No part is cut off.
func TestStopWithoutBrokerGone(t *testing.T)   { inBubble(t, testStopWithoutBrokerGone) }
func TestStopWithoutBrokerFrozen(t *testing.T) { inBubble(t, testStopWithoutBrokerFrozen) }

func testStopWithoutBrokerGone(t *testing.T) {
	d := newDeployment(t, 2)
	d.stopWithout(t, d.options(t, "p"), d.broker.Close)
}

func testStopWithoutBrokerFrozen(t *testing.T) {
	d := newDeployment(t, 2)
	now := &atomic.Bool{}
	o := d.options(t, "p")
	o.Connection.Extra = []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d.network.DialContext(ctx, network, address)
		return frozen{conn, now}, err
	})}
	d.stopWithout(t, o, func() { now.Store(true) })
}

// stopWithout lets a process work until its broker is lost in the midst of a
// write, and stops it later.
func (d *deployment) stopWithout(t *testing.T, o *kafka.Options, lose func()) {
	t.Helper()
	events, _, _ := d.leak(t)
	d.produce(t, "access", 2, events)
	writes := 0
	lost := make(chan struct{})
	d.broker.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		d.broker.KeepControl()
		if writes++; writes == 60 { // each part has written
			close(lost)
		}
		return nil, nil, false
	})
	p := start(t, o)
	<-lost
	lose()
	time.Sleep(10 * time.Second) // each part runs into it
	began := time.Now()
	p.stop() // fails the test where a part is cut off
	if took := time.Since(began); took > o.StopGrace+time.Second {
		t.Errorf("the stop took %v; the grace is %v", took, o.StopGrace)
	}
}
