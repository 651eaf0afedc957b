package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/integration/kafkatest"
)

// deployment is one weir on a broker: a group and topics of its own, and as
// many processes as a test starts. The fields may be changed before config.
type deployment struct {
	broker     *kafkatest.Broker
	dir        string
	group      string
	prefix     string
	sources    []string // topics
	format     string
	partitions int
	idle       time.Duration
	key        string   // record key
	dimensions string   // empty: the default
	kafka      string   // more lines of the section kafka
	alerts     string   // lines of the section alerts
	http       string   // more lines of the section http
	log        string   // more lines of the section log
	waiting    int64    // records of the sources that may stay unread, since an event far ahead waits for those after it
	brokers    []string // addresses, as processes are told

	processes []*process // all that were started
}

// deploy prepares a deployment that reads the given topics.
func deploy(t testing.TB, b *kafkatest.Broker, sources ...string) *deployment {
	name := kafkatest.UniqueName(t)
	name = "weir" + name[strings.LastIndex(name, "-"):] // a group's name may have 64 letters
	return &deployment{
		broker: b, dir: t.TempDir(), group: name, prefix: name + ".", sources: sources,
		format: "native", partitions: 4, idle: time.Second, key: recordKey, brokers: b.Addrs(),
		alerts: "  destinations: []\n",
	}
}

// config writes the configuration file of one process and returns its path.
func (d *deployment) config(t testing.TB, instance string) string {
	t.Helper()
	var y strings.Builder
	fmt.Fprintf(&y, "kafka:\n  brokers: [%s]\n%s", strings.Join(d.brokers, ", "), d.kafka)
	fmt.Fprintf(&y, "group: %q\ninstance: %q\ntopic_prefix: %q\npartitions: %d\n", d.group, instance, d.prefix, d.partitions)
	fmt.Fprintf(&y, "sources:\n")
	for _, s := range d.sources {
		fmt.Fprintf(&y, "  - topic: %q\n    format: %s\n", s, d.format)
	}
	if d.dimensions != "" {
		fmt.Fprintf(&y, "dimensions: %s\n", d.dimensions)
	}
	fmt.Fprintf(&y, "record_key_file: %s\n", d.keyFile(t))
	fmt.Fprintf(&y, "time:\n  idle_after: %s\ncommit_interval: 500ms\nworkers: 1\n", d.idle)
	fmt.Fprintf(&y, "alerts:\n  budget: "+budget+"\n  heartbeat: {every: off}\n%shttp:\n  listen: %s\n%slog:\n  format: json\n%s", d.alerts, freeAddress(t), d.http, d.log)
	return write(t, filepath.Join(d.dir, instance+".yaml"), y.String())
}

// keyFile returns the path of the file of the record key. It is written once,
// since processes that run read it whenever they start.
func (d *deployment) keyFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(d.dir, "record-"+d.key[:4]+".key")
	if _, err := os.Stat(path); err != nil {
		write(t, path, d.key)
	}
	return path
}

// start runs a process of the deployment.
func (d *deployment) start(t testing.TB, instance string, args ...string) *process {
	t.Helper()
	p := startProcess(t, instance, d.config(t, instance), args...)
	d.processes = append(d.processes, p)
	return p
}

// freeAddress returns an address of the loopback on which nothing listens now.
// It lies below the ports that outgoing connections are given, and below those
// of kafkatest.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(10_000))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("choosing a port: of 100 tried none is free")
	return ""
}

// alive fails the test if a process has ended that nobody ended.
func (d *deployment) alive(t testing.TB) {
	t.Helper()
	for _, p := range d.processes {
		if p.hasEnded() && !p.meant {
			t.Fatalf("%s ended by itself with exit code %d:\n%s", p.name, p.cmd.ProcessState.ExitCode(), tail(p.stderr.String(), 25))
		}
	}
}

// topic is the full name of one of the deployment's own topics.
func (d *deployment) topic(name string) string { return d.prefix + name }

// admin is a client that may do everything. It is closed with the test.
func (d *deployment) admin(t testing.TB) *kadm.Client {
	t.Helper()
	return d.broker.Admin(t)
}

// log reads one of the deployment's topics from its start, read committed.
type log struct {
	client *kgo.Client
	values []string
}

// read follows a topic of one partition.
func (d *deployment) read(t testing.TB, name string) *log {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(d.broker.AdminAddrs()...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.FetchMaxWait(200*time.Millisecond),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{d.topic(name): {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return &log{client: cl}
}

// poll takes in what has come within the given time and reports whether
// anything did. Faults pass: topics may not be there yet, and brokers restart.
func (l *log) poll(wait time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	before := len(l.values)
	l.client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { l.values = append(l.values, string(r.Value)) })
	return len(l.values) > before
}

// lag returns how many records of the sources the deployment has not committed,
// and false while that is not known.
func (d *deployment) lag(adm *kadm.Client) (int64, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ends, err := adm.ListEndOffsets(ctx, d.sources...)
	if err != nil || ends.Error() != nil {
		return 0, false
	}
	committed, err := adm.FetchOffsets(ctx, d.group+"-ingest")
	if err != nil || committed.Error() != nil {
		return 0, false
	}
	sum := int64(0)
	ends.Each(func(end kadm.ListedOffset) {
		at := int64(0)
		if c, ok := committed.Lookup(end.Topic, end.Partition); ok {
			at = max(c.At, 0)
		}
		sum += end.Offset - at
	})
	return sum, true
}

// quiet is how long nothing may come before a deployment that has read all
// counts as done.
const quiet = 3 * time.Second

// complete waits until everything is read that can be and at least n alerts have come, and
// then for as long as more come. It returns all of them. It gives up when
// nothing has moved for longLimit.
func (d *deployment) complete(t testing.TB, n int) []string {
	t.Helper()
	adm, alerts := d.admin(t), d.read(t, "alerts")
	moved, lag := time.Now(), int64(-1)
	for {
		d.alive(t)
		now, known := d.lag(adm)
		if alerts.poll(200*time.Millisecond) || known && now != lag {
			moved, lag = time.Now(), now
		}
		done := known && lag <= d.waiting && len(alerts.values) >= n
		if done && time.Since(moved) > quiet {
			return alerts.values
		}
		if time.Since(moved) > longLimit {
			t.Errorf("nothing moved for %v: %d alerts of %d, %d records of the sources not read", longLimit, len(alerts.values), n, lag)
			return alerts.values
		}
	}
}

// same fails the test at the first difference between two lists of alerts.
func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "(none)", "(none)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%s: alert %d (%d in all, want %d) differs:\n got %s\nwant %s", what, i, len(got), len(want), g, w)
		}
	}
}

// soak reports whether the long proofs run: make soak.
func soak() bool { return os.Getenv("WEIR_SOAK") != "" }
