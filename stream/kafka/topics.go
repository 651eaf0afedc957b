package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Topics are the names of weir's own topics.
type Topics struct {
	Partials, State, Evidence, Parameters, Fleet string
	Sessions, Tokens                             string
	Alerts, Rejects, Deliveries, DeadLetters     string
	Outbox, Ledger, Verdicts, Suppressed         string
}

// NewTopics returns the names under a prefix such as "weir.".
func NewTopics(prefix string) Topics {
	return Topics{
		Partials: prefix + "partials", State: prefix + "state", Evidence: prefix + "evidence",
		Parameters: prefix + "parameters", Fleet: prefix + "fleet",
		Sessions: prefix + "sessions", Tokens: prefix + "tokens",
		Alerts: prefix + "alerts", Rejects: prefix + "rejects",
		Deliveries: prefix + "deliveries", DeadLetters: prefix + "deadletters",
		Outbox: prefix + "outbox", Ledger: prefix + "ledger",
		Verdicts: prefix + "verdicts", Suppressed: prefix + "suppressed",
	}
}

// TopicSpec says what one of weir's own topics is for and how it must be made.
type TopicSpec struct {
	Name       string            `json:"name"`
	Purpose    string            `json:"purpose"`
	Partitions int32             `json:"partitions"`
	Configs    map[string]string `json:"configs"`
	// Kept topics hold results, not state: a reset leaves them.
	Kept bool `json:"kept"`
}

// Specs lists weir's own topics. All of them stamp records when they are
// appended, so that a replay of old events is not deleted by retention.
func (t Topics) Specs(partitions int32) []TopicSpec {
	const day = 24 * 3600 * 1000
	log := func(days int64) map[string]string {
		ms := int64(-1)
		if days > 0 {
			ms = days * day
		}
		return map[string]string{
			"cleanup.policy": "delete", "retention.ms": strconv.FormatInt(ms, 10), "retention.bytes": "-1",
			"message.timestamp.type": "LogAppendTime",
		}
	}
	compacted := func() map[string]string {
		return map[string]string{
			"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.3", "delete.retention.ms": strconv.Itoa(day),
			"segment.bytes": strconv.Itoa(128 << 20), "message.timestamp.type": "LogAppendTime",
		}
	}
	return []TopicSpec{
		{t.Partials, "what ingest counted, by identity", partitions, log(7), false},
		{t.State, "what detect knows of each identity, and where it stands", partitions, compacted(), false},
		{t.Sessions, "what each token read, and which were issued, by token", partitions, log(7), false},
		{t.Tokens, "which tokens the join knows, by their keyed hash, and where it stands", partitions, compacted(), false},
		{t.Evidence, "what stands out, for correlate", 1, log(7), false},
		{t.Parameters, "what detect must know of the whole fleet", 1, compacted(), false},
		{t.Fleet, "what correlate knows: the fleet, episodes, the deployment's manifest", 1, compacted(), false},
		{t.Alerts, "the alerts", 1, log(0), true},
		{t.Suppressed, "alerts that were held back, and what held them", 1, log(0), true},
		{t.Verdicts, "what people said of episodes", 1, log(0), true},
		{t.Rejects, "what could not be taken in, by position and reason", 1, log(14), true},
		{t.Deliveries, "what became of each message", 1, log(90), true},
		{t.DeadLetters, "alerts that a destination will never take", 1, log(0), true},
		{t.Outbox, "which alerts each destination has got", 1, compacted(), true},
		{t.Ledger, "alerts, verdicts and settings, each chained to the one before", 1, log(0), true},
	}
}

// Ensure creates those of weir's topics that are missing and checks the
// others. What does not fit is refused, with the way out.
func Ensure(ctx context.Context, conn *Connection, specs []TopicSpec, replication int16) error {
	cl, err := conn.client()
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	have, err := adm.ListTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("listing weir's topics: %w", Explain(err))
	}
	var faults []error
	for _, s := range specs {
		detail := have[s.Name]
		switch {
		case have.Has(s.Name) && detail.Err == nil:
			if n := int32(len(detail.Partitions)); n != s.Partitions {
				faults = append(faults, fmt.Errorf("topic %s has %d partitions, the configuration says %d: set `partitions` back, or start over with `weir reset` (the partition count decides where an identity's state lives)", s.Name, n, s.Partitions))
			}
		case detail.Err != nil && !errors.Is(detail.Err, kerr.UnknownTopicOrPartition):
			faults = append(faults, fmt.Errorf("topic %s: %w", s.Name, Explain(detail.Err)))
		default:
			if err := create(ctx, adm, s, replication); err != nil {
				faults = append(faults, err)
			}
		}
	}
	faults = append(faults, checkPolicies(ctx, adm, specs, have)...)
	return errors.Join(faults...)
}

func create(ctx context.Context, adm *kadm.Client, s TopicSpec, replication int16) error {
	configs := map[string]*string{}
	for k, v := range s.Configs {
		configs[k] = &v
	}
	_, err := adm.CreateTopic(ctx, s.Partitions, replication, configs, s.Name)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) { // another process was faster
		return fmt.Errorf("creating topic %s: %w", s.Name, Explain(err))
	}
	return nil
}

// checkPolicies refuses a topic that would lose what weir relies on: state
// that is deleted, or a log that is compacted.
func checkPolicies(ctx context.Context, adm *kadm.Client, specs []TopicSpec, have kadm.TopicDetails) (faults []error) {
	var names []string
	want := map[string]string{}
	for _, s := range specs {
		if have.Has(s.Name) && have[s.Name].Err == nil {
			names = append(names, s.Name)
			want[s.Name] = s.Configs["cleanup.policy"]
		}
	}
	if len(names) == 0 {
		return nil
	}
	configs, err := adm.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return []error{fmt.Errorf("reading the settings of weir's topics: %w", Explain(err))}
	}
	for _, rc := range configs {
		for _, c := range rc.Configs {
			if c.Key == "cleanup.policy" && c.Value != nil && *c.Value != want[rc.Name] {
				faults = append(faults, fmt.Errorf("topic %s has cleanup.policy=%s, want %s: change it with kafka-configs.sh, or delete the topic and let weir create it", rc.Name, *c.Value, want[rc.Name]))
			}
		}
	}
	return faults
}

// waitForTopics returns once every partition of weir's topics has a leader.
func waitForTopics(ctx context.Context, adm *kadm.Client, specs []TopicSpec) error {
	for {
		names := make([]string, len(specs))
		for i, s := range specs {
			names[i] = s.Name
		}
		have, err := adm.ListTopics(ctx, names...)
		if err == nil {
			ready := true
			for _, s := range specs {
				d := have[s.Name]
				ready = ready && d.Err == nil && int32(len(d.Partitions)) == s.Partitions
				for _, p := range d.Partitions {
					ready = ready && p.Leader >= 0
				}
			}
			if ready {
				return nil
			}
		}
		if err := sleep(ctx, pollTopics); err != nil {
			return fmt.Errorf("waiting for weir's topics: %w", err)
		}
	}
}

// ACL is one permission that weir needs.
type ACL struct {
	Resource  string `json:"resource"` // topic, group, transactional-id, cluster
	Name      string `json:"name"`
	Prefixed  bool   `json:"prefixed,omitempty"`
	Operation string `json:"operation"`
}

// ACLs lists the least that the principal of `weir run` needs.
func ACLs(group, prefix string, sources []string) []ACL {
	out := []ACL{}
	for _, s := range slices.Sorted(slices.Values(sources)) {
		out = append(out, ACL{"topic", s, false, "Read"}, ACL{"topic", s, false, "Describe"})
	}
	for _, op := range []string{"Read", "Write", "Describe", "DescribeConfigs", "Create"} {
		out = append(out, ACL{"topic", prefix, true, op})
	}
	for _, op := range []string{"Read", "Describe"} {
		out = append(out, ACL{"group", group + "-", true, op})
	}
	for _, op := range []string{"Write", "Describe"} {
		out = append(out, ACL{"transactional-id", group + "-", true, op})
	}
	return append(out, ACL{"cluster", "kafka-cluster", false, "IdempotentWrite"})
}

// Reset deletes weir's state and makes it anew, and moves the consumer group
// of ingest to the given time, so that events are processed again from there.
// Alerts, rejects and deliveries stay. No process may run meanwhile.
func Reset(ctx context.Context, conn *Connection, group string, specs []TopicSpec, replication int16, sources []string, fromMillis int64) error {
	cl, err := conn.client()
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	groups := []string{group + "-ingest", group + "-join", group + "-detect", group + "-correlate"}
	described, err := adm.DescribeGroups(ctx, groups...)
	if err != nil {
		return fmt.Errorf("looking for running processes: %w", Explain(err))
	}
	for _, g := range described.Sorted() {
		if len(g.Members) > 0 {
			return fmt.Errorf("group %s has %d members: stop every weir process first", g.Group, len(g.Members))
		}
	}
	offsets, err := adm.ListOffsetsAfterMilli(ctx, fromMillis, sources...)
	if err == nil {
		err = offsets.Error()
	}
	if err != nil {
		return fmt.Errorf("finding the offsets of the sources: %w", Explain(err))
	}
	var drop []string
	for _, s := range specs {
		if !s.Kept {
			drop = append(drop, s.Name)
		}
	}
	deleted, err := adm.DeleteTopics(ctx, drop...)
	if err != nil {
		return fmt.Errorf("deleting weir's state: %w", Explain(err))
	}
	for _, name := range slices.Sorted(maps.Keys(deleted)) {
		if err := deleted[name].Err; err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return fmt.Errorf("deleting topic %s: %w", name, Explain(err))
		}
	}
	if err := recreate(ctx, conn, specs, replication); err != nil {
		return err
	}
	if _, err := adm.DeleteGroups(ctx, groups...); err != nil {
		return fmt.Errorf("deleting the consumer groups: %w", Explain(err))
	}
	commit := offsets.Offsets()
	for topic := range commit {
		for p, o := range commit[topic] {
			o.Metadata = ""
			commit[topic][p] = o
		}
	}
	if err := adm.CommitAllOffsets(ctx, groups[0], commit); err != nil {
		return fmt.Errorf("moving group %s: %w", groups[0], Explain(err))
	}
	return nil
}

// recreate makes the topics again; a broker needs a moment to forget the old.
func recreate(ctx context.Context, conn *Connection, specs []TopicSpec, replication int16) error {
	for {
		err := Ensure(ctx, conn, specs, replication)
		if err == nil {
			return nil
		}
		if !errors.Is(err, kerr.TopicAlreadyExists) && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return err
		}
		if err := sleep(ctx, pollTopics); err != nil {
			return err
		}
	}
}
