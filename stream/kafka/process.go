package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/weirhq/weir/stream/join"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/deliver"
	"github.com/weirhq/weir/stream/kafka/sources"
	"github.com/weirhq/weir/stream/kafka/supervise"
	"github.com/weirhq/weir/stream/kafka/task"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Process is one process of a deployment.
type Process struct {
	Options
	readiness supervise.Readiness
}

// New makes a process. It reaches out to nobody yet.
func New(o Options) (*Process, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Process{Options: o}, nil
}

// Ready reports whether the process runs and all its state is restored.
func (p *Process) Ready() bool { return p.readiness.Ready() }

// Run checks what it finds in Kafka, starts the roles and works until ctx ends.
// A part that fails is started again. Once ctx has ended, Run returns when each
// part has finished its transaction, and at the latest when the grace is over,
// whether a broker answers or not.
//
// An error is a reason not to start at all, or says which parts were cut off.
func (p *Process) Run(ctx context.Context) error {
	created, err := p.prepare(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := cluster.WithGrace(ctx, p.StopGrace)
	defer cancel()
	running := partSet{names: map[string]bool{}}
	env := p.env()
	if p.Aliases != nil {
		follow := &task.Follow{Env: env, Table: p.Ingest.Aliases}
		running.start("aliases", func() { env.Keep(ctx, "aliases", follow.Run) })
	}
	for _, role := range p.Roles {
		for name, run := range p.parts(role, created) {
			running.start(name, func() { env.Keep(ctx, name, run) })
		}
	}
	p.readiness.Start(p.Metrics)
	return running.wait(ctx)
}

// A process that starts while some brokers are away asks again after startPause, for
// startLimit: others take over what those led.
const startPause, startLimit = time.Second, 2 * time.Minute

// pingLimit is how long each broker of the configuration has to answer: they are asked one
// after the other, and one that hangs lets the dial run into its limit.
const pingLimit = 20 * time.Second

// prepare checks what a process finds in Kafka, and makes what is missing. It
// returns when the deployment began, Unix ms.
func (p *Process) prepare(ctx context.Context) (created int64, err error) {
	if err := p.Connection.Ping(ctx, time.Duration(len(p.Connection.Brokers))*pingLimit); err != nil {
		return 0, err
	}
	for until := time.Now().Add(startLimit); ; {
		created, err = p.check(ctx)
		if err == nil || !cluster.Passes(err) || time.Now().After(until) {
			return created, err
		}
		p.Log.Warn("a broker is away; asking again", "error", err)
		if err := cluster.Sleep(ctx, startPause); err != nil {
			return 0, err
		}
	}
}

// check is prepare once, when a broker has answered.
func (p *Process) check(ctx context.Context) (created int64, err error) {
	specs := p.Topics.Specs(p.Manifest.Partitions)
	if err := topics.Ensure(ctx, p.Connection, specs, p.Replication); err != nil {
		return 0, err
	}
	cl, err := p.Connection.Client(ctx)
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	if err := topics.WaitFor(ctx, adm, specs); err != nil {
		return 0, err
	}
	var names []string
	for _, s := range p.Sources.Sources {
		names = append(names, s.Topic)
	}
	have, err := adm.ListTopics(ctx, names...)
	if err != nil {
		return 0, fmt.Errorf("listing the source topics: %w", cluster.Explain(err))
	}
	var faults []error
	for _, name := range names {
		if err := have[name].Err; err != nil {
			faults = append(faults, fmt.Errorf("source topic %s: %w", name, cluster.Explain(err)))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return 0, err
	}
	created, judged, err := p.Manifest.Check(ctx, p.Connection, p.Topics.Fleet)
	if err != nil || !judged {
		return created, err
	}
	return created, p.checkOffsets(ctx, adm, names)
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

// parts returns what a role consists of, by name; created is when the deployment
// began, Unix ms.
func (p *Process) parts(role Role, created int64) map[string]func(context.Context) error {
	env := p.env()
	parts := map[string]func(context.Context) error{}
	switch role {
	case RoleIngest:
		options := p.Sources
		options.Created = created
		for i := range p.Workers {
			n := strconv.Itoa(i)
			w := &sources.Worker{Env: env, ID: p.Instance + "-" + n, Config: p.Ingest, Options: options}
			parts["ingest "+n] = w.Run
		}
	case RoleJoin:
		if p.Ingest.SessionsTopic == "" {
			break
		}
		t := &task.Join{Env: env, Config: join.ConfigFor(&p.Ingest, p.LoginGrace.Milliseconds()), Positions: &supervise.Positions{}}
		parts["join"] = (&supervise.Placement{Env: env, GroupSuffix: string(role), Topic: p.Topics.Sessions, Task: t.Run, Positions: t.Positions, Forget: t.Forget}).Run
	case RoleDetect:
		t := &task.Detect{Env: env, Config: p.Detect, Positions: &supervise.Positions{}}
		parts["detect"] = (&supervise.Placement{Env: env, GroupSuffix: string(role), Topic: p.Topics.Partials, Task: t.Run, Positions: t.Positions, Forget: t.Forget}).Run
	case RoleCorrelate:
		t := &task.Correlate{Env: env, Config: p.Correlate, Settings: p.Settings, Checkpoints: p.Checkpoints, Positions: &supervise.Positions{}}
		if p.Aliases != nil {
			w := *p.Aliases
			w.Env, w.Grid = env, p.Correlate.Grid
			parts["aliases writer"] = (&supervise.Placement{Env: env, GroupSuffix: "aliases", Topic: p.Topics.Aliases, Task: w.Run, Forget: w.Forget}).Run
		}
		parts["correlate"] = (&supervise.Placement{Env: env, GroupSuffix: string(role), Topic: p.Topics.Evidence, Task: t.Run, Positions: t.Positions, Forget: t.Forget}).Run
	case RoleNotify:
		tick := time.Duration(p.Correlate.Grid.Tick) * time.Millisecond
		for i, d := range p.Destinations {
			n := &deliver.Notifier{Env: env, Dest: d, Other: p.otherThan(i), Positions: &supervise.Positions{}, Tick: tick, Authority: p.Correlate.Authority}
			parts[deliver.TaskName(d.Name())] = (&supervise.Placement{Env: env, GroupSuffix: "notify-" + d.Name(), Topic: p.Topics.Alerts, Name: deliver.TaskName(d.Name()), Task: n.Run, Positions: n.Positions, Forget: n.Forget}).Run
		}
	case RoleConsole:
		if p.Console != nil {
			parts["console"] = p.Console
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

func (p *Process) env() supervise.Env {
	return supervise.Env{Conn: p.Connection, Group: p.Group, Topics: p.Topics, Log: p.Log, Metrics: p.Metrics, Ready: &p.readiness}
}
