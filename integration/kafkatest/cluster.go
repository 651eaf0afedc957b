package kafkatest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// StartCluster runs so many brokers that are controllers too, on a network of their
// own, and waits until all answer. A topic has three copies, two of which must be in
// step. The brokers are removed when the test ends.
func StartCluster(t testing.TB, n int, opts ...Option) []*Broker {
	t.Helper()
	Require(t)
	s := newSettings(opts)
	if s.tls || s.sasl {
		t.Fatal("the brokers of a cluster speak plain text only")
	}
	engine, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	network := UniqueName(t)
	if _, err := engine.client.NetworkCreate(ctx, network, client.NetworkCreateOptions{Driver: "bridge", Labels: ownerLabels()}); err != nil {
		t.Fatalf("making a network for Kafka: %v", err)
	}
	t.Cleanup(func() {
		_, _ = engine.client.NetworkRemove(context.Background(), network, client.NetworkRemoveOptions{})
	})
	cluster := make([]*Broker, n)
	for i := range cluster {
		cluster[i] = &Broker{docker: engine.client, settings: s, host: engine.host, id: i + 1, cluster: cluster, network: network}
	}
	for _, b := range cluster {
		if err := b.create(ctx); err != nil {
			t.Fatalf("starting broker %d: %v", b.id, err)
		}
		t.Cleanup(func() {
			b.logOnFailure(t)
			b.remove()
		})
	}
	for _, b := range cluster {
		if err := b.waitReady(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return cluster
}

// Addrs are the bootstrap addresses of the client listeners of all brokers of the
// cluster, which for a broker alone is Addr.
func (b *Broker) Addrs() []string { return b.addrs((*Broker).Addr) }

// AdminAddrs are the bootstrap addresses of the plain listeners likewise.
func (b *Broker) AdminAddrs() []string { return b.addrs((*Broker).AdminAddr) }

func (b *Broker) addrs(of func(*Broker) string) []string {
	out := make([]string, len(b.cluster))
	for i, member := range b.cluster {
		out[i] = of(member)
	}
	return out
}

// WaitInStep returns once every copy of every topic is in step, so that any broker
// may be lost again.
func (b *Broker) WaitInStep(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	adm, err := kadm.NewOptClient(kgo.SeedBrokers(b.AdminAddrs()...), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatalf("making a Kafka admin client: %v", err)
	}
	defer adm.Close()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		behind := 0
		topics, err := adm.ListTopicsWithInternal(ctx)
		for _, topic := range topics {
			for _, p := range topic.Partitions {
				if p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
					behind++
				}
			}
		}
		if err == nil && behind == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waiting until all copies are in step: %d partitions are not (%v)", behind, err)
		}
	}
}

// copies is how many copies topics have.
func (b *Broker) copies() int16 { return int16(min(len(b.cluster), 3)) }

// name is that by which other brokers reach a broker.
func (b *Broker) name() string {
	if b.network == "" {
		return "localhost"
	}
	return fmt.Sprint("kafka", b.id)
}

// voters are the controllers, as controller.quorum.voters takes them.
func (b *Broker) voters() string {
	list := ""
	for i, member := range b.cluster {
		if i > 0 {
			list += ","
		}
		list += fmt.Sprintf("%d@%s:%s", member.id, member.name(), controllerPort)
	}
	return list
}
