package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// Require ends a test that needs a Docker engine where none answers: it is
// skipped with the reason, or failed if WEIR_REQUIRE_DOCKER is 1. Start and
// Shared call it; a test calls it itself to be skipped before costly work.
func Require(t testing.TB) {
	t.Helper()
	_, err := engine()
	switch {
	case err == nil:
	case os.Getenv("WEIR_REQUIRE_DOCKER") == "1":
		t.Fatalf("no Docker engine: %v (WEIR_REQUIRE_DOCKER=1 makes this a failure)", err)
	default:
		noteSkip(t)
		t.Skipf("no Docker engine: %v (start one and run the test again; WEIR_REQUIRE_DOCKER=1 makes this a failure)", err)
	}
}

// noteSkip adds the test to the file that WEIR_SKIP_LOG names, from which make
// test says in its last lines what it left out.
func noteSkip(t testing.TB) {
	path := os.Getenv("WEIR_SKIP_LOG")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Errorf("noting a skipped test: %v", err)
		return
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%s.%s\n", strings.TrimSuffix(filepath.Base(os.Args[0]), ".test"), t.Name()); err != nil {
		t.Errorf("noting a skipped test: %v", err)
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

// sweep removes brokers whose test process has ended, say by SIGKILL or by a
// test timeout, on this machine. It does without testcontainers' reaper, whose
// image not every machine can pull.
func (e dockerEngine) sweep(ctx context.Context) error {
	found, err := e.client.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", labelHost+"="+ownerLabels()[labelHost]),
	})
	if err != nil {
		return fmt.Errorf("looking for brokers left behind: %w", err)
	}
	for _, c := range found.Items {
		pid, err := strconv.Atoi(c.Labels[labelPID])
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		// Another process may be sweeping it at the same time.
		_, _ = e.client.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	}
	return nil
}
