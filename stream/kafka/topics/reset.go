package topics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// Reset deletes weir's state and makes it anew, and moves the consumer group
// of ingest to the given time, so that events are processed again from there.
// Alerts, rejects and deliveries stay. No process may run meanwhile.
func Reset(ctx context.Context, conn *cluster.Connection, group string, specs []Spec, replication int16, sources []string, fromMillis int64) error {
	cl, err := conn.Client(ctx)
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	groups := []string{group + "-ingest", group + "-join", group + "-detect", group + "-correlate", group + "-aliases"}
	described, err := adm.DescribeGroups(ctx, groups...)
	if err != nil {
		return fmt.Errorf("looking for running processes: %w", cluster.Explain(err))
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
		return fmt.Errorf("finding the offsets of the sources: %w", cluster.Explain(err))
	}
	var drop []string
	for _, s := range specs {
		if !s.Kept {
			drop = append(drop, s.Name)
		}
	}
	deleted, err := adm.DeleteTopics(ctx, drop...)
	if err != nil {
		return fmt.Errorf("deleting weir's state: %w", cluster.Explain(err))
	}
	for _, name := range slices.Sorted(maps.Keys(deleted)) {
		if err := deleted[name].Err; err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return fmt.Errorf("deleting topic %s: %w", name, cluster.Explain(err))
		}
	}
	if err := recreate(ctx, conn, adm, specs, replication); err != nil {
		return err
	}
	if _, err := adm.DeleteGroups(ctx, groups...); err != nil {
		return fmt.Errorf("deleting the consumer groups: %w", cluster.Explain(err))
	}
	commit := offsets.Offsets()
	for topic := range commit {
		for p, o := range commit[topic] {
			o.Metadata = ""
			commit[topic][p] = o
		}
	}
	if err := adm.CommitAllOffsets(ctx, groups[0], commit); err != nil {
		return fmt.Errorf("moving group %s: %w", groups[0], cluster.Explain(err))
	}
	return nil
}

// recreate makes the topics again that were deleted. The controller knows first that a
// topic is gone: for a moment a broker may still list it, and lists the new one later.
func recreate(ctx context.Context, conn *cluster.Connection, adm *kadm.Client, specs []Spec, replication int16) error {
	var made []Spec
	for _, s := range specs {
		if s.Kept {
			continue
		}
		made = append(made, s)
		for {
			err := create(ctx, adm, s, replication)
			if err == nil {
				break
			}
			if !errors.Is(err, kerr.TopicAlreadyExists) {
				return err
			}
			if err := cluster.Sleep(ctx, pollTopics); err != nil {
				return err
			}
		}
	}
	if err := WaitFor(ctx, adm, made); err != nil {
		return err
	}
	return Ensure(ctx, conn, specs, replication)
}
