package status

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/position"
	"github.com/weirhq/weir/stream/kafka/sources"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// limit bounds one look at a deployment.
const limit = 30 * time.Second

// Read finds out how the deployment of a configuration is. It returns an error
// only if Kafka cannot be asked; whatever else is wrong is told in the status.
func Read(ctx context.Context, conn *cluster.Connection, c *config.Config) (*Status, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cl, err := conn.Client(ctx)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	r := &reader{
		c: c, names: topics.Named(c.TopicPrefix), now: time.Now(), conn: conn, admin: kadm.NewClient(cl),
		status: &Status{Group: c.Group, Budget: Budget{PerDay: float64(c.Alerts.Budget)}, Faults: []string{}, Reasons: []string{}},
	}
	r.status.Time = alerting.Time(r.now.UnixMilli())
	for _, step := range []func(context.Context) error{r.fetch, r.readRejects, r.readDeliveries} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("reading the status: %w", cluster.Explain(err))
		}
	}
	r.judge()
	return r.status, nil
}

// reader gathers a status.
type reader struct {
	c      *config.Config
	names  topics.Names
	now    time.Time
	conn   *cluster.Connection
	admin  *kadm.Client
	status *Status

	have               kadm.TopicDetails // of the sources and of weir's own topics
	starts, ends, hour kadm.ListedOffsets
	offsets            kadm.FetchOffsetsResponses
	groups             kadm.DescribedGroups
}

// group is a consumer group and the topic by which its work is spread.
type group struct {
	role        kafka.Role
	name        string
	topic       string // empty: the sources
	destination string // of the role notify
}

// groupsOf lists the groups of a deployment, in the order of the flow.
func groupsOf(c *config.Config, names topics.Names) []group {
	out := []group{{role: kafka.RoleIngest, name: c.Group + "-ingest"}}
	if c.Facts.Sessions {
		out = append(out, group{role: kafka.RoleJoin, name: c.Group + "-join", topic: names.Sessions})
	}
	out = append(out, group{role: kafka.RoleDetect, name: c.Group + "-detect", topic: names.Partials},
		group{role: kafka.RoleCorrelate, name: c.Group + "-correlate", topic: names.Evidence})
	for i := range c.Alerts.Destinations {
		d := &c.Alerts.Destinations[i]
		out = append(out, group{role: kafka.RoleNotify, name: c.Group + "-notify-" + d.Name, topic: names.Alerts, destination: d.Name})
	}
	return out
}

// fetch asks Kafka for topics, offsets and groups, and fills in what they tell.
func (r *reader) fetch(ctx context.Context) (err error) {
	groups := groupsOf(r.c, r.names)
	var groupNames, topicNames []string
	for _, g := range groups {
		groupNames = append(groupNames, g.name)
		if g.topic != "" && !slices.Contains(topicNames, g.topic) {
			topicNames = append(topicNames, g.topic)
		}
	}
	for _, src := range r.c.Sources {
		topicNames = append(topicNames, src.Topic)
	}
	topicNames = append(topicNames, r.names.Rejects, r.names.Deliveries)
	if r.have, err = r.admin.ListTopics(ctx, topicNames...); err != nil {
		return err
	}
	topicNames = slices.DeleteFunc(topicNames, func(name string) bool { return r.have[name].Err != nil })
	for _, ask := range []struct {
		into *kadm.ListedOffsets
		list func(context.Context, ...string) (kadm.ListedOffsets, error)
	}{
		{&r.starts, r.admin.ListStartOffsets},
		{&r.ends, r.admin.ListCommittedOffsets},
		{&r.hour, func(ctx context.Context, names ...string) (kadm.ListedOffsets, error) {
			return r.admin.ListOffsetsAfterMilli(ctx, r.now.Add(-time.Hour).UnixMilli(), names...)
		}},
	} {
		if len(topicNames) == 0 {
			break // without names all topics would be listed
		}
		if *ask.into, err = ask.list(ctx, topicNames...); err != nil {
			return err
		}
	}
	r.offsets = r.admin.FetchManyOffsets(ctx, groupNames...)
	if r.groups, err = r.admin.DescribeGroups(ctx, groupNames...); err != nil {
		return err
	}
	r.fill(groups)
	return nil
}

// waiting returns how many records of a partition lie behind an offset, and how
// many of them retention has deleted.
func (r *reader) waiting(topic string, partition int32, at int64) (waiting, deleted int64) {
	start, _ := r.starts.Lookup(topic, partition)
	end, ok := r.ends.Lookup(topic, partition)
	if !ok || end.Err != nil || start.Err != nil {
		return 0, 0
	}
	if at < 0 {
		return end.Offset - start.Offset, 0
	}
	return max(end.Offset-max(at, start.Offset), 0), max(start.Offset-at, 0)
}

// fill fills in what topics, offsets and groups tell.
func (r *reader) fill(groups []group) {
	s := r.status
	for _, d := range r.c.Dimensions {
		s.Dimensions = append(s.Dimensions, Dimension{Name: d.Name})
	}
	r.fillSources(groups[0].name)
	for _, g := range groups {
		role := r.role(&g)
		if g.role == kafka.RoleNotify {
			r.fillDestination(&g, role)
			if last := len(s.Roles) - 1; s.Roles[last].Name == role.Name { // one role for all destinations
				s.Roles[last].Waiting += role.Waiting
				s.Roles[last].Processes = min(s.Roles[last].Processes, role.Processes)
				continue
			}
		}
		s.Roles = append(s.Roles, role)
	}
}

// role returns who takes a role and how far it is.
func (r *reader) role(g *group) Role {
	role := Role{Name: string(g.role), Hosts: []string{}}
	for _, m := range r.groups[g.name].Members {
		role.Processes++
		if !slices.Contains(role.Hosts, m.ClientHost) {
			role.Hosts = append(role.Hosts, m.ClientHost)
		}
	}
	slices.Sort(role.Hosts)
	if g.topic == "" {
		for i := range r.status.Sources {
			role.Waiting += r.status.Sources[i].Waiting
		}
		return role
	}
	for partition := range r.have[g.topic].Partitions {
		o, ok := r.offsets[g.name].Fetched.Lookup(g.topic, partition)
		at := int64(-1)
		if ok && o.Err == nil {
			at = o.At
		}
		waiting, _ := r.waiting(g.topic, partition, at)
		role.Waiting += max(waiting-markers(g.role), 0)
		reached := r.take(g.role, o.Metadata)
		if role.Reached == 0 || reached < role.Reached {
			role.Reached = reached
		}
	}
	return role
}

// markers returns how many offsets at the end of a partition may be those of markers
// of transactions, for which nothing waits: of alerts only correlate writes, to the
// other topics several tasks in turn.
func markers(of kafka.Role) int64 {
	if of == kafka.RoleNotify {
		return 1
	}
	return 8
}

// take fills in what a task of a role says, and returns the event time that it has
// reached.
func (r *reader) take(role kafka.Role, metadata string) alerting.Time {
	s := r.status
	switch role {
	case kafka.RoleJoin:
		var p position.Join
		if position.Decode(metadata, &p) {
			s.Facts.Tokens += p.Held
		}
		return alerting.Time(p.Closed)
	case kafka.RoleDetect:
		var p position.Detect
		if position.Decode(metadata, &p) {
			r.takeDetect(&p)
		}
		return alerting.Time(p.Closed)
	case kafka.RoleCorrelate:
		var p position.Correlate
		if position.Decode(metadata, &p) {
			r.takeCorrelate(&p)
		}
		return alerting.Time(p.Closed)
	}
	return 0
}

// takeDetect fills in what detect says of a partition.
func (r *reader) takeDetect(p *position.Detect) {
	s := r.status
	for i := range s.Dimensions {
		if i < len(p.Identities) {
			s.Dimensions[i].Identities += p.Identities[i]
		}
	}
	for i := range s.Sources {
		if src := &s.Sources[i]; p.Holder != "" && topicOf(p.Holder) == src.Topic {
			src.Holds = p.Holder
		}
	}
	switch {
	case !p.Facts:
		return
	case s.Facts.Known: // of the inputs all partitions say the same
		s.Facts.NeverSeen = s.Facts.NeverSeen.Both(p.NeverSeen)
		return
	}
	s.Facts.Known, s.Facts.NeverSeen = true, p.NeverSeen
	for _, in := range fact.AllInputs() {
		input := Input{Name: in.Name, Seen: !slices.Contains(p.Missing, in.Name), holds: in.Holds}
		for _, f := range in.Facts {
			input.Facts = append(input.Facts, string(f))
		}
		s.Facts.Inputs = append(s.Facts.Inputs, input)
	}
}

// takeCorrelate fills in what correlate says of the fleet.
func (r *reader) takeCorrelate(p *position.Correlate) {
	s := r.status
	s.Budget.Realised = p.Realised
	s.Episodes = Episodes{Open: p.Open, Campaigns: p.Campaigns, HeldBack: p.HeldBack, Verdicts: p.Verdicts}
	for i := range s.Dimensions {
		if i < len(p.Thresholds) {
			s.Dimensions[i].Thresholds = map[string]float64{}
			for g, nats := range p.Thresholds[i] {
				s.Dimensions[i].Thresholds[score.Group(g).String()] = nats
			}
		}
		if i < len(p.Rare) {
			s.Dimensions[i].Rare = map[string]Rare{}
			for g, n := range p.Rare[i] {
				if n[0] > 0 {
					s.Dimensions[i].Rare[score.Group(g).String()] = Rare{Judged: n[0], Expected: n[1], Counted: n[2]}
				}
			}
		}
	}
	if p.Since > 0 {
		until := p.Since + LearningTime.Milliseconds()
		s.Learning = Learning{Since: alerting.Time(p.Since), Until: alerting.Time(until), Done: p.Closed >= until}
	}
}

// fillSources fills in the sources by the offsets of ingest's group.
func (r *reader) fillSources(ingest string) {
	for _, src := range r.c.Sources {
		out := Source{Topic: src.Topic, Rejected: []Reject{}, missing: r.have[src.Topic].Err != nil}
		out.Partitions = len(r.have[src.Topic].Partitions)
		for partition := range r.have[src.Topic].Partitions {
			o, ok := r.offsets[ingest].Fetched.Lookup(src.Topic, partition)
			if !ok || o.Err != nil {
				o.At = -1
			}
			var p stream.Progress
			sources.ReadMetadata(o.Metadata, &p)
			waiting, deleted := r.waiting(src.Topic, partition, o.At)
			out.Waiting, out.Deleted = out.Waiting+waiting, out.Deleted+deleted
			out.LastEvent = max(out.LastEvent, alerting.Time(p.MaxTime))
			end, _ := r.ends.Lookup(src.Topic, partition)
			if since, ok := r.hour.Lookup(src.Topic, partition); ok && since.Offset >= 0 {
				out.LastHour += max(end.Offset-since.Offset, 0)
			}
		}
		if out.LastEvent > 0 {
			out.LagSeconds = r.now.Sub(out.LastEvent.Std()).Round(time.Second).Seconds()
		}
		r.status.Sources = append(r.status.Sources, out)
	}
	slices.SortStableFunc(r.status.Sources, func(a, b Source) int { return cmp.Compare(a.Topic, b.Topic) })
}

// fillDestination begins what is told of a destination; its deliveries follow.
func (r *reader) fillDestination(g *group, role Role) {
	d := Destination{Name: g.destination, Waiting: role.Waiting}
	for i := range r.c.Alerts.Destinations {
		if dest := &r.c.Alerts.Destinations[i]; dest.Name == g.destination {
			d.Type, d.Heartbeat = dest.Type, dest.Heartbeat && r.c.Alerts.Heartbeat.Every > 0
		}
	}
	o, _ := r.offsets[g.name].Fetched.Lookup(g.topic, 0)
	var p position.Notify
	known := position.Decode(o.Metadata, &p)
	d.Sent, d.Next = alerting.Time(p.Sent), alerting.Time(p.Next)
	if known && p.Failing > 0 {
		d.Failing, d.RetryAttempts, d.Reason, d.Last = true, p.Attempts, p.Reason, alerting.Time(p.Failing)
	}
	r.status.Destinations = append(r.status.Destinations, d)
}
