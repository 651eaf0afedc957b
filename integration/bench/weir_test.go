package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/integration/kafkatest"
	"github.com/weirhq/weir/stream"
)

// weirPartitions is how many partitions of partials the benchmarked weir has.
const weirPartitions = 8

const tick = int64(5 * 60_000) // the default

// build makes the weir command and returns its path.
func build(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "weir")
	out, err := exec.Command("go", "build", "-o", path, "github.com/weirhq/weir/cmd/weir").CombinedOutput()
	if err != nil {
		b.Fatalf("building weir: %v\n%s", err, out)
	}
	return path
}

// configure writes a configuration for one deployment and returns its path.
func configure(b *testing.B, broker *kafkatest.Broker, source, prefix, dimensions string) string {
	b.Helper()
	dir := b.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	key := write("record.key", strings.Repeat("5e", 16)+"\n")
	return write("weir.yaml", fmt.Sprintf(`
kafka: {brokers: ["%s"]}
group: %s
instance: bench
topic_prefix: %s.
partitions: %d
replication_factor: 1
sources: [{topic: %s}]
record_key_file: %s
time: {idle_after: 2s}
alerts: {destinations: []}
http: {listen: "off"}
%s
`, broker.Addr(), prefix, prefix, weirPartitions, source, key, dimensions))
}

// process is a running weir. Its log can be read while it is written.
type process struct {
	cmd *exec.Cmd
	log lockedBuffer
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func startWeir(b *testing.B, binary, config string) *process {
	b.Helper()
	p := &process{cmd: exec.Command(binary, "run", "-c", config)}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		b.Fatalf("starting weir: %v", err)
	}
	b.Cleanup(func() { _ = p.cmd.Process.Kill() }) // for a benchmark that failed halfway
	return p
}

// stop asks weir to end and returns the CPU time it took in all.
func (p *process) stop(b *testing.B) time.Duration {
	b.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		b.Fatalf("stopping weir: %v\n%s", err, p.log.String())
	}
	if err := p.cmd.Wait(); err != nil {
		b.Fatalf("stopping weir: %v\n%s", err, p.log.String())
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// await returns once all detect tasks of a deployment have reported the tick
// that holds the time last (Unix ms) as closed and scored.
func (p *process) await(b *testing.B, broker *kafkatest.Broker, prefix string, last int64) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cl := broker.Client(b, kgo.ConsumeTopics(prefix+".evidence"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.UnknownTopicRetries(-1), kgo.MetadataMinAge(200*time.Millisecond))
	defer cl.Close()
	ready := map[int32]bool{}
	for len(ready) < weirPartitions {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			b.Fatalf("weir has not come to the end of its input:\n%s", p.log.String())
		}
		fetches.EachRecord(func(r *kgo.Record) {
			report, err := stream.DecodeEvidenceReport(r.Value)
			if err != nil {
				b.Fatal(err)
			}
			if report.Done >= last/tick {
				ready[report.Partition] = true
			}
		})
	}
}
