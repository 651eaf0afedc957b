package kafka_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// runOnce starts a process and returns why it refused, or nil if it was still
// running after it had become ready.
func runOnce(t *testing.T, o *kafka.Options) error {
	t.Helper()
	p, err := kafka.New(*o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	for {
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Millisecond):
			if p.Ready() {
				cancel()
				return <-done
			}
		}
	}
}

// A process that starts while a broker is away waits for others to take over what that
// broker led.
func TestStartOutlastsABroker(t *testing.T) { inBubble(t, testStartOutlastsABroker) }

func testStartOutlastsABroker(t *testing.T) {
	d := newDeployment(t, 2)
	d.produce(t, "access", 1, nil)
	away := time.Now().Add(30 * time.Second)
	d.broker.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		d.broker.KeepControl()
		return nil, errors.New("the broker hangs up"), time.Now().Before(away)
	})
	if err := runOnce(t, d.options(t, "first")); err != nil {
		t.Errorf("the process has given up: %v", err)
	}
	if time.Now().Before(away) {
		t.Error("the process has started while the broker was away: nothing is shown")
	}
}

// A state that was made with another configuration is refused, and the message
// says what differs and what to do.
func TestMismatchIsRefused(t *testing.T) { inBubble(t, testMismatchIsRefused) }

func testMismatchIsRefused(t *testing.T) {
	d := newDeployment(t, 2)
	d.produce(t, "access", 1, nil)
	if err := runOnce(t, d.options(t, "first")); err != nil {
		t.Fatal(err)
	}
	other := event.NewHasher([event.KeySize]byte([]byte("another-key-....")))
	half, err := eventtime.NewGrid(5*time.Minute, 30*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	fewer := d.dims[:len(d.dims)-1]
	renamed := append([]event.Dimension{{Name: "user", Fields: []string{"session"}}}, d.dims[1:]...)
	for _, tc := range []struct {
		name     string
		manifest topics.Manifest
		want     []string
	}{
		{"another record key", topics.NewManifest(other, 2, d.grid, d.dims), []string{"record key", "no record is recognised", "weir reset --from TIME"}},
		{"another bin", topics.NewManifest(event.FixedHasher(), 2, half, d.dims), []string{"time.bin", "set it back"}},
		{"fewer dimensions", topics.NewManifest(event.FixedHasher(), 2, d.grid, fewer), []string{"dimensions", "set them back"}},
		{"a dimension of other fields", topics.NewManifest(event.FixedHasher(), 2, d.grid, renamed), []string{"dimensions", "session"}},
	} {
		p := d.options(t, "second")
		p.Manifest = tc.manifest
		err := runOnce(t, p)
		if !errors.Is(err, topics.ErrMismatch) {
			t.Errorf("%s: got %v, want a refusal", tc.name, err)
			continue
		}
		for _, part := range tc.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: the message lacks %q:\n%v", tc.name, part, err)
			}
		}
	}

	p := d.options(t, "second")
	p.Manifest = topics.NewManifest(event.FixedHasher(), 3, d.grid, d.dims)
	p.Ingest.Partitions, p.Correlate.Partitions = 3, 3
	err = runOnce(t, p)
	if err == nil || !strings.Contains(err.Error(), "weir.partials has 2 partitions, the configuration says 3") {
		t.Errorf("another partition count: got %v", err)
	}

	if err := runOnce(t, d.options(t, "second")); err != nil {
		t.Errorf("the same again: %v", err)
	}
}

// A state topic that would be deleted by time, or a log that would be
// compacted, is refused.
func TestTopicPolicyIsRefused(t *testing.T) { inBubble(t, testTopicPolicyIsRefused) }

func testTopicPolicyIsRefused(t *testing.T) {
	d := newDeployment(t, 2)
	cl, err := kgo.NewClient(append(d.conn.Extra, kgo.SeedBrokers(d.conn.Brokers...))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	wrong := "delete"
	if _, err := kadm.NewClient(cl).CreateTopic(context.Background(), 2, 1, map[string]*string{"cleanup.policy": &wrong}, "weir.state"); err != nil {
		t.Fatal(err)
	}
	err = topics.Ensure(context.Background(), &d.conn, topics.Named("weir.").Specs(2), 1)
	if err == nil || !strings.Contains(err.Error(), "weir.state has cleanup.policy=delete, want compact") {
		t.Fatalf("got %v", err)
	}
}

// What a source lacks is told at the start, with all that is wrong at once.
func TestMissingSourceIsRefused(t *testing.T) { inBubble(t, testMissingSourceIsRefused) }

func testMissingSourceIsRefused(t *testing.T) {
	d := newDeployment(t, 2)
	err := runOnce(t, d.options(t, "p"))
	if err == nil || !strings.Contains(err.Error(), "source topic access") || !strings.Contains(err.Error(), "check sources") {
		t.Fatalf("got %v", err)
	}
}

func TestNoBroker(t *testing.T) {
	d := newDeploymentOn(t, 2, []string{"127.0.0.1:1"})
	err := d.conn.Ping(context.Background(), time.Second)
	if err == nil || !strings.Contains(err.Error(), "check kafka.brokers") {
		t.Fatalf("got %v", err)
	}
}
