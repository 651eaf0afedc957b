package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/join"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/deliver"
	"github.com/weirhq/weir/stream/kafka/metrics"
	"github.com/weirhq/weir/stream/kafka/sources"
	"github.com/weirhq/weir/stream/kafka/supervise"
	"github.com/weirhq/weir/stream/kafka/task"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Role is a part of the work that a process can take.
type Role string

// The roles. A process that is told none takes them all.
const (
	RoleIngest    Role = "ingest"
	RoleJoin      Role = "join"
	RoleDetect    Role = "detect"
	RoleCorrelate Role = "correlate"
	RoleNotify    Role = "notify"
)

// Roles lists them in the order of the flow.
var Roles = []Role{RoleIngest, RoleJoin, RoleDetect, RoleCorrelate, RoleNotify}

// Process is one process of a deployment.
type Process struct {
	Connection   *cluster.Connection
	Group        string // prefix of consumer groups and transactional ids
	Instance     string // stable name of this process
	Topics       topics.Names
	Replication  int16
	Roles        []Role
	Workers      int // of ingest
	Manifest     topics.Manifest
	Ingest       ingest.Config
	Grace        time.Duration // of the join, for logins; it has work where Ingest names SessionsTopic
	Detect       detect.Config
	Correlate    correlate.Config
	Sources      sources.Options
	Destinations []deliver.Destination
	Settings     []byte            // the configuration as JSON, without secrets; goes into the ledger when it changes
	Checkpoints  *task.Checkpoints // of the ledger; nil: none are sent
	Log          *slog.Logger
	Metrics      *metrics.Metrics

	readiness supervise.Readiness
}

// Ready reports whether the process runs and all its state is restored.
func (p *Process) Ready() bool { return p.readiness.Ready() }

// Run checks what it finds in Kafka, starts the roles and works until ctx
// ends. A part that fails is started again; what Run returns is a reason not to
// start at all.
func (p *Process) Run(ctx context.Context) error {
	if err := p.prepare(ctx); err != nil {
		return err
	}
	var parts sync.WaitGroup
	env := p.shared()
	for _, role := range p.Roles {
		for name, run := range p.parts(role) {
			parts.Go(func() { env.Keep(ctx, name, run) })
		}
	}
	p.readiness.Start(p.Metrics)
	parts.Wait()
	return nil
}

func (p *Process) prepare(ctx context.Context) error {
	if err := p.Connection.Ping(ctx, 20*time.Second); err != nil {
		return err
	}
	specs := p.Topics.Specs(p.Manifest.Partitions)
	if err := topics.Ensure(ctx, p.Connection, specs, p.Replication); err != nil {
		return err
	}
	cl, err := p.Connection.Client()
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	if err := topics.WaitFor(ctx, adm, specs); err != nil {
		return err
	}
	var names []string
	for _, s := range p.Sources.Sources {
		names = append(names, s.Topic)
	}
	have, err := adm.ListTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("listing the source topics: %w", cluster.Explain(err))
	}
	var faults []error
	for _, name := range names {
		if err := have[name].Err; err != nil {
			faults = append(faults, fmt.Errorf("source topic %s: %w", name, cluster.Explain(err)))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	var judged bool
	if p.Sources.Created, judged, err = p.Manifest.Check(ctx, p.Connection, p.Topics.Fleet); err != nil || !judged {
		return err
	}
	return p.checkOffsets(ctx, adm, names)
}

// checkOffsets refuses to go on when the state knows of events but the group
// has no offsets: Kafka forgets those of a group that was down for a week, and
// everything would be counted again on top of what was counted.
func (p *Process) checkOffsets(ctx context.Context, adm *kadm.Client, sources []string) error {
	offsets, err := adm.FetchOffsets(ctx, p.Group+"-ingest")
	if err != nil {
		return fmt.Errorf("reading the committed offsets: %w", cluster.Explain(err))
	}
	known := slices.ContainsFunc(offsets.Sorted(), func(o kadm.OffsetResponse) bool {
		return slices.Contains(sources, o.Topic) && (o.At >= 0 || o.Err != nil)
	})
	if known {
		return nil
	}
	return fmt.Errorf("there is state in Kafka, but group %s-ingest has no committed offsets for %v (Kafka forgets them when a group was away for offsets.retention.minutes, or the sources were renamed): start over with `weir reset --from TIME`", p.Group, sources)
}

// parts returns what a role consists of, by name.
func (p *Process) parts(role Role) map[string]func(context.Context) error {
	env := p.shared()
	parts := map[string]func(context.Context) error{}
	switch role {
	case RoleIngest:
		for i := range max(p.Workers, 1) {
			n := strconv.Itoa(i)
			w := &sources.Worker{Env: env, ID: p.Instance + "-" + n, Config: p.Ingest, Options: p.Sources}
			parts["ingest "+n] = w.Run
		}
	case RoleJoin:
		if p.Ingest.SessionsTopic == "" {
			break
		}
		t := &task.Join{Env: env, Config: join.ConfigFor(&p.Ingest, p.Grace.Milliseconds())}
		parts["join"] = (&supervise.Placement{Env: env, GroupSuffix: string(role), Topic: p.Topics.Sessions, Task: t.Run, Reach: t.Reach}).Run
	case RoleDetect:
		t := &task.Detect{Env: env, Config: p.Detect}
		parts["detect"] = (&supervise.Placement{Env: env, GroupSuffix: string(role), Topic: p.Topics.Partials, Task: t.Run}).Run
	case RoleCorrelate:
		t := &task.Correlate{Env: env, Config: p.Correlate, Settings: p.Settings, Checkpoints: p.Checkpoints}
		parts["correlate"] = (&supervise.Placement{Env: env, GroupSuffix: string(role), Topic: p.Topics.Evidence, Task: t.Run}).Run
	case RoleNotify:
		for i, d := range p.Destinations {
			n := deliver.Notifier{Env: env, Dest: d, Other: p.otherThan(i)}
			parts[deliver.TaskName(d.Name())] = (&supervise.Placement{Env: env, GroupSuffix: "notify-" + d.Name(), Topic: p.Topics.Alerts, Name: deliver.TaskName(d.Name()), Task: n.Run}).Run
		}
	}
	return parts
}

// otherThan names the destination that reports the dead letters of the i-th:
// the first of the others. Empty: there is none.
func (p *Process) otherThan(i int) string {
	for j, d := range p.Destinations {
		if j != i {
			return d.Name()
		}
	}
	return ""
}

func (p *Process) shared() supervise.Env {
	return supervise.Env{Conn: p.Connection, Group: p.Group, Topics: p.Topics, Log: p.Log, Metrics: p.Metrics, Ready: &p.readiness}
}
