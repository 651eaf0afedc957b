// Package kafkatest runs a real Apache Kafka for tests: one broker in a
// container, or a cluster of several, with the listener, the authentication and
// the faults that a test asks for.
//
// A broker keeps its address for life, so that it can be stopped, killed and
// started under a client. It has two listeners on the host: the client listener
// (Addr), which is what the options make of it, and a plain one (AdminAddr) for
// the test's own preparations, on which everything is allowed.
//
// Without a Docker engine the tests that need one are skipped, loudly; with
// WEIR_REQUIRE_DOCKER=1, which CI sets, they fail. See Require.
package kafkatest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DefaultImage is the image that runs unless WEIR_KAFKA_IMAGE names another.
// Where it cannot be pulled, integration/kafka-image/build.sh makes it.
const DefaultImage = "apache/kafka:4.3.0"

// InternalAddr is the broker's plain listener as seen inside the container: the
// --bootstrap-server of the tools that Exec runs.
const InternalAddr = "localhost:9094"

// Limits on waiting. A broker starts in 3 to 6 s on an idle machine; the limits
// are wide, since they only decide when a test gives up.
const (
	startLimit = 10 * time.Minute
	stopLimit  = 30 * time.Second
)

// Ports inside the container.
const (
	clientPort     = "9092/tcp"
	controllerPort = "9093"
	internalPort   = "9094"
	adminPort      = "9095/tcp"
)

// Broker is one running Kafka. Its methods fail the test that they are given,
// and must be called from that test's goroutine.
type Broker struct {
	ctr      testcontainers.Container
	docker   client.APIClient
	settings settings
	host     string
	port     int // of the client listener, on the host
	admin    int // of the plain listener, on the host
	ca       *authority
	files    TLSFiles
	id       int       // of the node
	cluster  []*Broker // all brokers of its cluster, itself too
	network  string    // on which the brokers of a cluster reach each other; empty: alone
}

// Start runs a broker and waits until it answers. The broker is removed when
// the test ends; its log is shown when the test failed.
func Start(t testing.TB, opts ...Option) *Broker {
	t.Helper()
	Require(t)
	dir := t.TempDir()
	b, err := start(dir, newSettings(opts))
	if err != nil {
		t.Fatalf("starting Kafka: %v", err)
	}
	t.Cleanup(func() {
		b.logOnFailure(t)
		b.remove()
	})
	return b
}

// start makes the container of a broker that is alone, and waits for it.
func start(dir string, s settings) (*Broker, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	engine, err := engine()
	if err != nil {
		return nil, err
	}
	b := &Broker{docker: engine.client, settings: s, host: engine.host, id: 1}
	b.cluster = []*Broker{b}
	if s.tls {
		if b.ca, err = newAuthority(b.host); err != nil {
			return nil, err
		}
		if b.files, err = b.ca.writeClientFiles(dir); err != nil {
			return nil, err
		}
	}
	if err := b.create(ctx); err != nil {
		return nil, err
	}
	if err := b.prepare(ctx); err != nil {
		err = fmt.Errorf("%w\nits log:\n%s", err, tail(b.log(), 60))
		b.remove()
		return nil, err
	}
	return b, nil
}

// create makes the container and starts it. A port is free when it is chosen and
// may be taken when Docker binds it, so it tries again with others.
func (b *Broker) create(ctx context.Context) (err error) {
	for attempt := 1; ; attempt++ {
		if b.port, b.admin, err = freePorts(); err != nil {
			return err
		}
		b.ctr, err = testcontainers.GenericContainer(ctx, b.request())
		if err == nil {
			return nil
		}
		b.remove()
		if attempt == 3 || !strings.Contains(err.Error(), "port is already allocated") &&
			!strings.Contains(err.Error(), "address already in use") {
			return fmt.Errorf("%w\n%s", err, noImageHint)
		}
	}
}

const noImageHint = `If the image cannot be pulled: integration/kafka-image/build.sh makes it, and TESTCONTAINERS_RYUK_DISABLED=true
does without testcontainers' own image. If the address is wrong: TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1. .ci/run does all three.`

// request describes the container.
func (b *Broker) request() testcontainers.GenericContainerRequest {
	bind := netip.IPv4Unspecified()
	if b.host == "localhost" || b.host == "127.0.0.1" {
		bind = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	req := testcontainers.ContainerRequest{
		Image:        image(),
		Env:          b.env(),
		ExposedPorts: []string{clientPort, adminPort},
		Labels:       ownerLabels(),
		Tmpfs:        map[string]string{},
		HostConfigModifier: func(hc *container.HostConfig) {
			hc.PortBindings = network.PortMap{
				network.MustParsePort(clientPort): {{HostIP: bind, HostPort: strconv.Itoa(b.port)}},
				network.MustParsePort(adminPort):  {{HostIP: bind, HostPort: strconv.Itoa(b.admin)}},
			}
		},
	}
	if b.network != "" {
		req.Networks = []string{b.network}
		req.NetworkAliases = map[string][]string{b.network: {b.name()}}
	}
	if b.ca != nil {
		req.Files = b.ca.serverFiles()
	}
	if b.settings.disk > 0 {
		req.Tmpfs[dataDir] = fmt.Sprintf("rw,mode=1777,size=%d", b.settings.disk)
	}
	return testcontainers.GenericContainerRequest{
		ContainerRequest: req, Started: true, Logger: tclog.NewNoopLogger(),
	}
}

// prepare waits for the broker and makes its SCRAM users.
func (b *Broker) prepare(ctx context.Context) error {
	if err := b.waitReady(ctx); err != nil {
		return err
	}
	return b.createScramUsers(ctx)
}

// waitReady returns once the broker registers itself in its own metadata. It
// gives up early when the container has ended.
func (b *Broker) waitReady(ctx context.Context) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.AdminAddr()), kgo.RetryTimeout(time.Second))
	if err != nil {
		return fmt.Errorf("making the admin client: %w", err)
	}
	defer cl.Close()
	ask := kmsg.NewPtrMetadataRequest()
	ask.Topics = []kmsg.MetadataRequestTopic{} // none
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		meta, err := ask.RequestWith(try, cl) // kadm would answer from what the client has seen
		cancel()
		if err == nil && slices.ContainsFunc(meta.Brokers, func(m kmsg.MetadataResponseBroker) bool { return int(m.NodeID) == b.id }) {
			return nil
		}
		if state, stateErr := b.ctr.State(ctx); stateErr == nil && !state.Running {
			return fmt.Errorf("waiting for the broker: it ended with exit code %d", state.ExitCode)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the broker at %s: %w (last: %w)", b.AdminAddr(), ctx.Err(), err)
		}
	}
}

func (b *Broker) createScramUsers(ctx context.Context) error {
	if len(b.settings.users) == 0 {
		return nil
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.AdminAddr()))
	if err != nil {
		return fmt.Errorf("making the admin client: %w", err)
	}
	defer cl.Close()
	// A user may appear once in a request, so each mechanism has its own.
	for _, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
		var upserts []kadm.UpsertSCRAM
		for _, u := range b.settings.users {
			upserts = append(upserts, kadm.UpsertSCRAM{
				User: u.Name, Password: u.Password, Mechanism: mechanism, Iterations: 4096,
			})
		}
		altered, err := kadm.NewClient(cl).AlterUserSCRAMs(ctx, nil, upserts)
		if err == nil {
			err = altered.Error()
		}
		if err != nil {
			return fmt.Errorf("making the SCRAM users: %w", err)
		}
	}
	return nil
}

// Addr is the bootstrap address of the client listener, host:port. It stays the
// same over Stop, Kill and Restart.
func (b *Broker) Addr() string { return net.JoinHostPort(b.host, strconv.Itoa(b.port)) }

// AdminAddr is the bootstrap address of the plain listener, on which everything
// is allowed whatever the options say of the client listener.
func (b *Broker) AdminAddr() string { return net.JoinHostPort(b.host, strconv.Itoa(b.admin)) }

// Logs returns everything the broker has logged, restarts included.
func (b *Broker) Logs() string { return b.log() }

func (b *Broker) log() string {
	if b.ctr == nil {
		return ""
	}
	r, err := b.ctr.Logs(context.Background())
	if err != nil {
		return fmt.Sprintf("(reading the broker's log: %v)", err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return fmt.Sprintf("%s\n(reading the broker's log: %v)", text, err)
	}
	return string(text)
}

// logOnFailure shows the end of the log of a failed test and puts the whole of
// it among the test's artifacts (go test -artifacts keeps them).
func (b *Broker) logOnFailure(t testing.TB) {
	t.Helper()
	if !t.Failed() {
		return
	}
	text := b.log()
	path := filepath.Join(t.ArtifactDir(), fmt.Sprintf("kafka%d.log", b.id))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Logf("keeping the broker's log: %v", err)
	}
	t.Logf("the end of the broker's log (whole: go test -artifacts keeps %s):\n%s", filepath.Base(path), tail(text, 40))
}

// remove takes the container away with its volumes; nothing of it is worth an
// orderly end.
func (b *Broker) remove() {
	if b.ctr == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	_ = testcontainers.TerminateContainer(b.ctr, testcontainers.StopContext(ctx), testcontainers.StopTimeout(0))
	b.ctr = nil
}

// freePorts returns two ports of the loopback that nothing listens on now. They
// lie below the range from which Linux takes the ports of outgoing connections
// (32768 on): otherwise, while a broker is down, some client could be given its
// port, or connect to itself on it.
func freePorts() (int, int, error) {
	const low, high, tries = 20000, 32000, 100
	var ports []int
	for range tries {
		port := low + rand.IntN(high-low)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		defer l.Close()
		if ports = append(ports, port); len(ports) == 2 {
			return ports[0], ports[1], nil
		}
	}
	return 0, 0, fmt.Errorf("choosing ports for the broker: of %d tried between %d and %d fewer than two are free", tries, low, high)
}

func image() string {
	if name := os.Getenv("WEIR_KAFKA_IMAGE"); name != "" {
		return name
	}
	return DefaultImage
}

// tail returns the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// env is the broker's whole configuration, as variables of the image.
func (b *Broker) env() map[string]string {
	props := b.properties()
	env := make(map[string]string, len(props)+2)
	for key, value := range props {
		env[envName(key)] = value
	}
	maps.Copy(env, map[string]string{
		"KAFKA_HEAP_OPTS":            "-Xmx" + b.settings.heap + " -Xms128M",
		"KAFKA_JVM_PERFORMANCE_OPTS": b.settings.jvm,
	})
	return env
}
