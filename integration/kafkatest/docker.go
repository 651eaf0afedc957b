package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// remedy is what whoever wants the tests on a real Kafka does.
const remedy = "To run these tests, start one (systemctl start docker, or dockerd as root). Without a registry in reach, sudo .ci/run prepares all on Debian; docs/operations.md says how by hand."

// Require ends a test that needs a Docker engine where none answers: it is
// skipped with the reason, or failed if WEIR_REQUIRE_DOCKER is 1. With -short it
// is skipped in any case, since a broker takes many seconds. Start and Shared
// call Require; a test calls it itself to be skipped before costly work.
func Require(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("on a real Kafka: not with -short")
	}
	_, err := engine()
	switch {
	case err == nil:
	case os.Getenv("WEIR_REQUIRE_DOCKER") == "1":
		t.Fatalf("no Docker engine: %v (WEIR_REQUIRE_DOCKER=1 makes this a failure)", err)
	default:
		// The report of make test knows "no X: why" and tells it in its last lines.
		t.Skipf("no Docker engine: %s. %s", strings.ReplaceAll(err.Error(), "\n", " "), remedy)
	}
}

// dockerEngine is the engine that testcontainers finds, and the host at which
// its published ports are reached.
type dockerEngine struct {
	client client.APIClient
	host   string
}

// engine looks for the Docker engine once in a process, and then removes the
// brokers of test processes that died without doing so.
var engine = sync.OnceValues(func() (e dockerEngine, err error) {
	// testcontainers panics where it finds no engine at all.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	tclog.SetDefault(tclog.NewNoopLogger()) // it greets in every package's output
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return dockerEngine{}, err
	}
	if err := provider.Health(ctx); err != nil {
		return dockerEngine{}, err
	}
	host, err := provider.DaemonHost(ctx)
	if err != nil {
		return dockerEngine{}, fmt.Errorf("finding the engine's address: %w", err)
	}
	e = dockerEngine{client: provider.Client(), host: host}
	return e, e.sweep(ctx)
})

// Labels that tell whose a broker is: the process and its machine.
const (
	labelPID  = "weir.kafkatest.pid"
	labelHost = "weir.kafkatest.host"
)

func ownerLabels() map[string]string {
	host, _ := os.Hostname()
	return map[string]string{labelPID: strconv.Itoa(os.Getpid()), labelHost: host}
}

// sweep removes brokers and networks whose test process has ended, say by SIGKILL
// or by a test timeout, on this machine. It does without testcontainers' reaper, whose
// image not every machine can pull.
func (e dockerEngine) sweep(ctx context.Context) error {
	ours := make(client.Filters).Add("label", labelHost+"="+ownerLabels()[labelHost])
	found, err := e.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return fmt.Errorf("looking for brokers left behind: %w", err)
	}
	for _, c := range found.Items {
		if isOrphan(c.Labels) { // another process may be sweeping it at the same time
			_, _ = e.client.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		}
	}
	networks, err := e.client.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
	if err != nil {
		return fmt.Errorf("looking for networks left behind: %w", err)
	}
	for _, n := range networks.Items {
		if isOrphan(n.Labels) {
			_, _ = e.client.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		}
	}
	return nil
}

// isOrphan reports whether the process that the labels name has ended.
func isOrphan(labels map[string]string) bool {
	pid, err := strconv.Atoi(labels[labelPID])
	return err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
