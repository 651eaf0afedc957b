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
	Connection   *Connection
	Group        string // prefix of consumer groups and transactional ids
	Instance     string // stable name of this process
	Topics       Topics
	Replication  int16
	Roles        []Role
	Workers      int // of ingest
	Manifest     Manifest
	Ingest       ingest.Config
	Grace        time.Duration // of the join, for logins; it has work where Ingest names SessionsTopic
	Detect       detect.Config
	Correlate    correlate.Config
	Sources      IngestOptions
	Destinations []Destination
	Settings     []byte       // the configuration as JSON, without secrets; goes into the ledger when it changes
	Checkpoints  *Checkpoints // of the ledger; nil: none are sent
	Log          *slog.Logger
	Metrics      *Metrics

	readiness readiness
}

// Ready reports whether the process runs and all its state is restored.
func (p *Process) Ready() bool { return p.readiness.ready() }

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
			parts.Go(func() { env.keep(ctx, name, run) })
		}
	}
	p.readiness.start(p.Metrics)
	parts.Wait()
	return nil
}

func (p *Process) prepare(ctx context.Context) error {
	if err := p.Connection.Ping(ctx, 20*time.Second); err != nil {
		return err
	}
	specs := p.Topics.Specs(p.Manifest.Partitions)
	if err := Ensure(ctx, p.Connection, specs, p.Replication); err != nil {
		return err
	}
	cl, err := p.Connection.client()
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	if err := waitForTopics(ctx, adm, specs); err != nil {
		return err
	}
	var names []string
	for _, s := range p.Sources.Sources {
		names = append(names, s.Topic)
	}
	have, err := adm.ListTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("listing the source topics: %w", Explain(err))
	}
	var faults []error
	for _, name := range names {
		if err := have[name].Err; err != nil {
			faults = append(faults, fmt.Errorf("source topic %s: %w", name, Explain(err)))
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
		return fmt.Errorf("reading the committed offsets: %w", Explain(err))
	}
	known := slices.ContainsFunc(offsets.Sorted(), func(o kadm.OffsetResponse) bool {
		return slices.Contains(sources, o.Topic) && (o.At >= 0 || o.Err != nil)
	})
	if known {
		return nil
	}
	return fmt.Errorf("there is state in Kafka, but group %s-ingest has no committed offsets for %v (Kafka forgets them when a group was away for offsets.retention.minutes, or the sources were renamed): start over with `weir reset --from TIME`", p.Group, sources)
}

// shared is what every part of a process is given.
type shared struct {
	conn    *Connection
	group   string // prefix of consumer groups and transactional ids
	topics  Topics
	log     *slog.Logger
	metrics *Metrics
	ready   *readiness
}

// parts returns what a role consists of, by name.
func (p *Process) parts(role Role) map[string]func(context.Context) error {
	env := p.shared()
	parts := map[string]func(context.Context) error{}
	switch role {
	case RoleIngest:
		for i := range max(p.Workers, 1) {
			n := strconv.Itoa(i)
			w := &ingestWorker{shared: env, id: p.Instance + "-" + n, config: p.Ingest, options: p.Sources}
			parts["ingest "+n] = w.run
		}
	case RoleJoin:
		if p.Ingest.SessionsTopic == "" {
			break
		}
		t := &joinTask{shared: env, config: join.ConfigFor(&p.Ingest, p.Grace.Milliseconds())}
		parts["join"] = (&placement{shared: env, role: string(role), topic: p.Topics.Sessions, run: t.run, reach: t.reach}).Run
	case RoleDetect:
		t := &detectTask{shared: env, config: p.Detect}
		parts["detect"] = (&placement{shared: env, role: string(role), topic: p.Topics.Partials, run: t.run}).Run
	case RoleCorrelate:
		t := &correlateTask{shared: env, config: p.Correlate, settings: p.Settings, checks: p.Checkpoints}
		parts["correlate"] = (&placement{shared: env, role: string(role), topic: p.Topics.Evidence, run: t.run}).Run
	case RoleNotify:
		for i, d := range p.Destinations {
			n := notifier{shared: env, dest: d, other: p.otherThan(i)}
			parts[notifyTask(d.Name())] = (&placement{shared: env, role: "notify-" + d.Name(), topic: p.Topics.Alerts, name: notifyTask(d.Name()), run: n.run}).Run
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

func (p *Process) shared() shared {
	return shared{conn: p.Connection, group: p.Group, topics: p.Topics, log: p.Log, metrics: p.Metrics, ready: &p.readiness}
}

// keep runs a part again whenever it fails, from what Kafka holds, with pauses
// that grow while it keeps failing.
func (s *shared) keep(ctx context.Context, name string, run func(context.Context) error) {
	pause := firstRestart
	for {
		began := time.Now()
		err := run(ctx)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				s.log.Warn("stopping", "part", name, "error", err)
			}
			return
		}
		if time.Since(began) > calmAfter {
			pause = firstRestart
		}
		s.metrics.failures.WithLabelValues(name).Inc()
		s.log.Warn("a part failed and is started again", "part", name, "pause", pause, "error", err)
		if sleep(ctx, pause) != nil {
			return
		}
		pause = min(2*pause, longestRestart)
	}
}
