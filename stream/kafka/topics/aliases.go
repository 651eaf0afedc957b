package topics

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// ReadAliases returns a complete table of the aliases that count: those of weir.aliases,
// else those of the topic that they come from, if one is named; nil if there are none.
func ReadAliases(ctx context.Context, conn *cluster.Connection, names Names, topic string, grid eventtime.Grid) (*alias.Table, error) {
	cl, err := conn.Client(ctx)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	have, err := kadm.NewClient(cl).ListTopics(ctx, names.Aliases)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", names.Aliases, cluster.Explain(err))
	}
	t := alias.NewTable(alias.Always)
	if have.Has(names.Aliases) && have[names.Aliases].Err == nil {
		if _, err := conn.ReadAll(ctx, names.Aliases, 0, func(r *kgo.Record) error { return t.Follow(r.Key, r.Value) }); err != nil {
			return nil, err
		}
	}
	if t.Len() == 0 && t.Complete() == alias.Always {
		if topic == "" {
			return nil, nil
		}
		if err := followInput(ctx, conn, topic, grid, t); err != nil {
			return nil, err
		}
	}
	t.SetComplete(alias.Forever)
	return t, nil
}

// followInput takes what a topic of aliases holds into a table, as weir run would at its
// first start.
func followInput(ctx context.Context, conn *cluster.Connection, topic string, grid eventtime.Grid, t *alias.Table) error {
	spans, err := cluster.Spans(ctx, conn, []string{topic}, 0)
	if err != nil {
		return err
	}
	register := alias.NewRegister(grid)
	err = cluster.ReadSpans(ctx, conn, spans, func(r *kgo.Record) error {
		_, _ = register.TakeRecord(r.Topic, r.Partition, r.Offset, r.Key, r.Value) // what is refused is weir run's to tell
		return nil
	})
	if err != nil {
		return err
	}
	for _, rec := range register.Take() {
		if err := t.Follow(rec.Key, rec.Value); err != nil {
			return err
		}
	}
	return nil
}
