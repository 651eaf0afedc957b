package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/deliver"
	"github.com/weirhq/weir/stream/kafka/metrics"
	"github.com/weirhq/weir/stream/kafka/sources"
	"github.com/weirhq/weir/stream/kafka/task"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Role is a part of the work that a process can take.
type Role string

// The roles. A process that is given none by the command line takes all.
const (
	RoleIngest    Role = "ingest"
	RoleJoin      Role = "join"
	RoleDetect    Role = "detect"
	RoleCorrelate Role = "correlate"
	RoleNotify    Role = "notify"
	RoleConsole   Role = "console"
)

// Roles lists them in the order of the flow.
var Roles = []Role{RoleIngest, RoleJoin, RoleDetect, RoleCorrelate, RoleNotify, RoleConsole}

// Options are what a process is made of.
type Options struct {
	Connection   *cluster.Connection
	Group        string // prefix of consumer groups and transactional ids
	Instance     string // stable name of this process
	Topics       topics.Names
	Replication  int16 // of weir's own topics
	Roles        []Role
	Workers      int // of ingest
	Manifest     topics.Manifest
	Ingest       ingest.Config
	LoginGrace   time.Duration // how long the join waits for a login; the join has work where Ingest names SessionsTopic
	Detect       detect.Config
	Aliases      *task.Aliases // where aliases come from; nil: there are none, and Ingest goes by none
	Correlate    correlate.Config
	Sources      sources.Options
	Destinations []deliver.Destination
	Settings     task.InForce                // the configuration; it goes into the ledger, and to people, when it changes
	Checkpoints  *task.Checkpoints           // of the ledger; nil: none are sent
	Console      func(context.Context) error // reads what weir has said for people's pages; nil: there are none
	StopGrace    time.Duration               // how long a stop waits for what has begun
	Log          *slog.Logger
	Metrics      *metrics.Metrics
}

// validate returns every fault of the options. What a configuration file can get
// wrong has been checked before; these are mistakes of the caller.
func (o *Options) validate() error {
	var faults []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	need(o.Connection != nil && o.Log != nil && o.Metrics != nil, "connection, log and metrics must be given")
	need(o.Group != "", "the group has no name")
	need(o.Instance != "", "the instance has no name")
	need(o.Topics != topics.Names{}, "the topics have no names")
	need(o.Replication != 0, "the replication factor is 0")
	need(o.StopGrace > 0, "the grace of a stop is %v", o.StopGrace)
	need(len(o.Roles) > 0, "the process has no role")
	for i, role := range o.Roles {
		need(slices.Contains(Roles, role), "there is no role %q", role)
		need(!slices.Contains(o.Roles[:i], role), "role %q is given twice", role)
	}
	n := o.Manifest.Partitions
	need(n > 0 && o.Ingest.Partitions == n && o.Correlate.Partitions == n,
		"the state has %d partitions, ingest %d and correlate %d", n, o.Ingest.Partitions, o.Correlate.Partitions)
	if slices.Contains(o.Roles, RoleIngest) {
		need(o.Workers > 0, "ingest has %d workers", o.Workers)
		need(len(o.Sources.Sources) > 0, "ingest has no source")
		need(o.Sources.Interval > 0, "ingest commits every %v", o.Sources.Interval)
		need(o.Sources.MaxHeld > 0, "ingest may write %d bytes ahead of detect", o.Sources.MaxHeld)
		for _, s := range o.Sources.Sources {
			need(s.Topic != "" && s.Format != nil, "source %q has no topic or no format", s.Topic)
		}
	}
	names := map[string]bool{}
	for _, d := range o.Destinations {
		need(!names[d.Name()], "destination %q is given twice", d.Name())
		names[d.Name()] = true
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("making a process: %w", err)
	}
	return nil
}
