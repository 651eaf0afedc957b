package kafka_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
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
	d.stopWithout(t, d.options(t, "p"), writes, d.broker.Close)
}

func testStopWithoutBrokerFrozen(t *testing.T) { newDeployment(t, 2).stopFrozen(t, writes) }

// A stop ends within the grace too where the broker freezes in the midst of something
// else than a write.
func TestStopFrozenAt(t *testing.T) {
	for name, at := range map[string]moment{
		"a task takes over":      {kmsg.InitProducerID, 2},
		"a process joins":        {kmsg.JoinGroup, 3},
		"a state is restored":    {kmsg.Fetch, 1},
		"tasks read":             {kmsg.Fetch, 12},
		"offsets are committed":  {kmsg.TxnOffsetCommit, 2},
		"a transaction ends":     {kmsg.EndTxn, 5},
		"positions are shown":    {kmsg.OffsetCommit, 1},
		"a worker looks around":  {kmsg.OffsetFetch, 4},
		"offsets are looked for": {kmsg.ListOffsets, 5},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) { newDeployment(t, 2).stopFrozen(t, at) })
		})
	}
}

// moment is when a broker is lost: at one of its requests of a kind.
type moment struct {
	kind  kmsg.Key
	count int
}

// writes is a moment at which each part has written.
var writes = moment{kmsg.Produce, 60}

// stopFrozen stops a process whose broker has frozen.
func (d *deployment) stopFrozen(t *testing.T, at moment) {
	t.Helper()
	now := &atomic.Bool{}
	o := d.options(t, "p")
	o.Connection.Extra = []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d.network.DialContext(ctx, network, address)
		return frozen{conn, now}, err
	})}
	d.stopWithout(t, o, at, func() { now.Store(true) })
}

// stopWithout lets a process work until its broker is lost, and stops it later.
func (d *deployment) stopWithout(t *testing.T, o *kafka.Options, at moment, lose func()) {
	t.Helper()
	events, _, _ := d.leak(t)
	d.produce(t, "access", 2, events)
	count := 0
	lost := make(chan struct{})
	d.broker.ControlKey(int16(at.kind), func(kmsg.Request) (kmsg.Response, error, bool) {
		d.broker.KeepControl()
		if count++; count == at.count {
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

// A stop while a process starts is prompt, although the port that it reaches takes
// connections and never answers.
func TestStopWhileReaching(t *testing.T) { inBubble(t, testStopWhileReaching) }

func testStopWhileReaching(t *testing.T) {
	network := &kfake.VirtualNetwork{}
	mute, err := network.Listen("tcp", "127.0.0.1:9092")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	go func() {
		for {
			conn, err := mute.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	}()
	d := newDeploymentOn(t, 2, []string{"127.0.0.1:9092"})
	d.conn.Extra = []kgo.Opt{kgo.Dialer(network.DialContext)}
	p, err := kafka.New(*d.options(t, "p"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	time.Sleep(3 * time.Second)
	began := time.Now()
	cancel()
	<-done
	if took := time.Since(began); took > time.Second {
		t.Errorf("the stop took %v", took)
	}
}
