package kafkatest

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/moby/moby/client"
	tcexec "github.com/testcontainers/testcontainers-go/exec"
)

// Stop ends the broker in order, as a rolling restart does, and keeps its data
// (unless WithDisk holds them in memory).
func (b *Broker) Stop(t testing.TB) {
	t.Helper()
	limit := stopLimit
	if err := b.ctr.Stop(context.Background(), &limit); err != nil {
		t.Fatalf("stopping Kafka: %v", err)
	}
}

// Kill ends the broker at once (SIGKILL), as a crash does, and keeps its data.
func (b *Broker) Kill(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	if _, err := b.docker.ContainerKill(ctx, b.ctr.GetContainerID(), client.ContainerKillOptions{Signal: "KILL"}); err != nil {
		t.Fatalf("killing Kafka: %v", err)
	}
	b.waitStopped(t, ctx)
}

// waitStopped returns once Docker has noticed the end; a Start before that
// would find the container still running and do nothing.
func (b *Broker) waitStopped(t testing.TB, ctx context.Context) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		state, err := b.ctr.State(ctx)
		if err == nil && !state.Running {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waiting for Kafka to end: %v", ctx.Err())
		}
	}
}

// Start starts a stopped or killed broker again, at the same address, and waits
// until it answers.
func (b *Broker) Start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	if err := b.ctr.Start(ctx); err != nil {
		t.Fatalf("starting Kafka again: %v", err)
	}
	if err := b.waitReady(ctx); err != nil {
		t.Fatalf("starting Kafka again: %v", err)
	}
}

// Restart is Stop, then Start.
func (b *Broker) Restart(t testing.TB) {
	t.Helper()
	b.Stop(t)
	b.Start(t)
}

// Pause freezes the broker: its connections stay open and nothing answers, as
// when the machine hangs. Unpause thaws it.
func (b *Broker) Pause(t testing.TB) {
	t.Helper()
	for attempt := 1; ; attempt++ { // where the machine is slow, the engine gives up too early now and then
		_, err := b.docker.ContainerPause(context.Background(), b.ctr.GetContainerID(), client.ContainerPauseOptions{})
		if err == nil {
			return
		}
		if attempt == 5 {
			t.Fatalf("pausing Kafka: %v", err)
		}
		time.Sleep(time.Second)
	}
}

// Unpause ends a Pause.
func (b *Broker) Unpause(t testing.TB) {
	t.Helper()
	if _, err := b.docker.ContainerUnpause(context.Background(), b.ctr.GetContainerID(), client.ContainerUnpauseOptions{}); err != nil {
		t.Fatalf("unpausing Kafka: %v", err)
	}
}

// Exec runs a command in the container and returns what it printed, standard
// output and error together. An exit code other than 0 fails the test. Kafka's
// tools are at /opt/kafka/bin; they reach the broker at InternalAddr.
func (b *Broker) Exec(t testing.TB, cmd ...string) string {
	t.Helper()
	code, out, err := b.ctr.Exec(context.Background(), cmd, tcexec.Multiplexed())
	if err != nil {
		t.Fatalf("running %q in the broker's container: %v", cmd, err)
	}
	text, err := io.ReadAll(out)
	if err != nil {
		t.Fatalf("reading the output of %q: %v", cmd, err)
	}
	if code != 0 {
		t.Fatalf("running %q in the broker's container: exit code %d\n%s", cmd, code, text)
	}
	return string(text)
}
