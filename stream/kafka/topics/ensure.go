package topics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// pollTopics is how long to wait before looking again whether topics are there.
const pollTopics = 200 * time.Millisecond

// Ensure creates those of weir's topics that are missing and checks the
// others. What does not fit is refused, with the way out.
func Ensure(ctx context.Context, conn *cluster.Connection, specs []Spec, replication int16) error {
	cl, err := conn.Client(ctx)
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
		return fmt.Errorf("listing weir's topics: %w", cluster.Explain(err))
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
			faults = append(faults, fmt.Errorf("topic %s: %w", s.Name, cluster.Explain(detail.Err)))
		default:
			err := create(ctx, adm, s, replication)
			if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) { // else another process was faster
				faults = append(faults, err)
			}
		}
	}
	faults = append(faults, checkPolicies(ctx, adm, specs, have)...)
	return errors.Join(faults...)
}

func create(ctx context.Context, adm *kadm.Client, s Spec, replication int16) error {
	configs := map[string]*string{}
	for k, v := range s.Configs {
		configs[k] = &v
	}
	_, err := adm.CreateTopic(ctx, s.Partitions, replication, configs, s.Name)
	if err != nil {
		return fmt.Errorf("creating topic %s: %w", s.Name, cluster.Explain(err))
	}
	return nil
}

// checkPolicies refuses a topic that would lose what weir relies on: state
// that is deleted, or a log that is compacted.
func checkPolicies(ctx context.Context, adm *kadm.Client, specs []Spec, have kadm.TopicDetails) (faults []error) {
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
		return []error{fmt.Errorf("reading the settings of weir's topics: %w", cluster.Explain(err))}
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

// WaitFor returns once every partition of weir's topics has a leader.
func WaitFor(ctx context.Context, adm *kadm.Client, specs []Spec) error {
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
		if err := cluster.Sleep(ctx, pollTopics); err != nil {
			return fmt.Errorf("waiting for weir's topics: %w", err)
		}
	}
}
