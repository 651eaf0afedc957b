package integration_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Limits decide only when a test gives up; nothing is expected to take so long. A soak
// runs for hours beside whatever else the machine does.
var (
	shortLimit = limit(30*time.Second, 5*time.Minute)
	longLimit  = limit(3*time.Minute, 15*time.Minute)
)

func limit(usual, soaking time.Duration) time.Duration {
	if soak() {
		return soaking
	}
	return usual
}

// scratch is a folder that lives as long as this test process.
var scratch = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "weir-integration-")
	if err != nil {
		panic(err) // there is no test without one
	}
	return dir
})

// build compiles the command once in a process, unless WEIR_BINARY names one
// that is to be tested as it is, say that of a release.
var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("WEIR_BINARY"); path != "" {
		return path, nil
	}
	path := filepath.Join(scratch(), "weir")
	out, err := exec.Command("go", "build", "-o", path, "github.com/weirhq/weir/cmd/weir").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building weir: %w\n%s", err, out)
	}
	return path, nil
})

// binary is the path of the compiled command.
func binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// result is what a command left behind.
type result struct {
	code           int
	stdout, stderr string
}

// weir runs a command that ends by itself.
func weir(t testing.TB, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), longLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		t.Fatalf("weir %s: %v\n%s", strings.Join(args, " "), errors.Join(err, ctx.Err()), &stderr)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must runs a command that has to succeed, and returns its standard output.
func must(t testing.TB, args ...string) string {
	t.Helper()
	r := weir(t, args...)
	if r.code != 0 {
		t.Fatalf("weir %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// process is one running `weir run`.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdout *lockedBuffer
	stderr *lockedBuffer
	ended  chan struct{} // closed after the end
	meant  bool          // the test has ended it
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// lockedBuffer may be read while the process writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// startProcess runs `weir run` with a configuration file. It is killed when the
// test ends, if nothing else ended it; its log is shown when the test failed.
func startProcess(t testing.TB, name, config string, args ...string) *process {
	t.Helper()
	p := &process{name: name, stdout: &lockedBuffer{}, stderr: &lockedBuffer{}, ended: make(chan struct{})}
	p.cmd = exec.Command(binary(t), append([]string{"run", "-c", config}, args...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting weir: %v", err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code is read from ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // may have ended long ago
		<-p.ended
		if !t.Failed() {
			return
		}
		text := p.stderr.String()
		file := fmt.Sprintf("%s-%d.log", p.name, p.cmd.Process.Pid)
		write(t, filepath.Join(t.ArtifactDir(), file), text)
		t.Logf("the end of the log of %s (whole: go test -artifacts keeps %s):\n%s", p.name, file, tail(text, 25))
	})
	return p
}

// tail returns the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// kill ends the process at once, as a crash does.
func (p *process) kill(t testing.TB) {
	t.Helper()
	p.meant = true
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatalf("killing %s, which should run: %v\n%s", p.name, err, tail(p.stderr.String(), 25))
	}
	<-p.ended
}

// wait returns the exit code of a process that ends.
func (p *process) wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(shortLimit):
		t.Fatalf("%s still runs after %v", p.name, shortLimit)
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop asks the process to end, as a service manager does, and expects 0.
func (p *process) stop(t testing.TB) {
	t.Helper()
	p.meant = true
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("stopping %s, which should run: %v\n%s", p.name, err, tail(p.stderr.String(), 25))
	}
	if code := p.wait(t); code != 0 {
		t.Errorf("%s, asked to stop, ended with exit code %d, want 0\n%s", p.name, code, tail(p.stderr.String(), 25))
	}
}

// address is where the process serves HTTP, as its log says.
func (p *process) address(t testing.TB) string {
	t.Helper()
	address := ""
	eventually(t, shortLimit, p.name+" serves HTTP", func() bool {
		for scan := bufio.NewScanner(strings.NewReader(p.stderr.String())); scan.Scan(); {
			var line struct{ Msg, Address string }
			if json.Unmarshal(scan.Bytes(), &line) == nil && line.Address != "" {
				address = line.Address
				return true
			}
		}
		return false
	})
	return address
}

// get asks the process by HTTP.
func (p *process) get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	resp, err := http.Get("http://" + p.address(t) + path)
	if err != nil {
		t.Fatalf("asking %s for %s: %v", p.name, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("asking %s for %s: %v", p.name, path, err)
	}
	return resp.StatusCode, string(text)
}

// ready waits until the process says that it is.
func (p *process) ready(t testing.TB) {
	t.Helper()
	eventually(t, shortLimit, p.name+" is ready", func() bool {
		status, _ := p.get(t, "/readyz")
		return status == http.StatusOK
	})
}

// metric sums a counter or gauge over all series that have the given labels, as
// pairs of name and value. One that is not there is 0.
func (p *process) metric(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	_, text := p.get(t, "/metrics")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("reading the metrics of %s: %v", p.name, err)
	}
	sum := 0.0
series:
	for _, m := range families[name].GetMetric() {
		has := map[string]string{}
		for _, l := range m.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		for i := 0; i < len(labels); i += 2 {
			if has[labels[i]] != labels[i+1] {
				continue series
			}
		}
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return sum
}

// eventually polls until the condition holds and fails the test when it never
// does.
func eventually(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain until %s", limit, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
