package settings

import (
	"context"
	"fmt"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
	"github.com/weirhq/weir/stream/people"
)

// aliases returns whose each name is, as far as a file says it; nil if nothing is to
// say it.
func aliases(c *config.Config) (*alias.Table, error) {
	switch {
	case c.Aliases.File != "":
		t, err := alias.Load(c.Aliases.File)
		if err != nil {
			return nil, c.At("aliases.file", err)
		}
		return t, nil
	case c.Aliases.Topic != "":
		return alias.NewTable(alias.Forever), nil
	}
	return nil, nil
}

// SetAliases has all operators go by a table.
func (s *Settings) SetAliases(t *alias.Table) {
	s.Ingest.Aliases, s.Correlate.People, s.Detect.Heirs = t, nil, nil
	if i := stream.OnlyField(s.Ingest.Dimensions, "actor"); t != nil && i >= 0 {
		s.Detect.Heirs = &detect.HeirsConfig{Table: t, Dimension: i, Partitions: s.Ingest.Partitions}
		s.Correlate.People = &people.People{Table: t, Dimension: s.Ingest.Dimensions[i].Name, Criticality: s.Config.Aliases.Criticality}
	}
}

// ReadAliases has all operators go by the aliases as they count on Kafka, if the
// configuration asks for any: as weir run has written them, else as its topic or its
// file has them.
func (s *Settings) ReadAliases(ctx context.Context, conn *cluster.Connection) error {
	if !s.Config.Aliases.Given() {
		return nil
	}
	t, err := topics.ReadAliases(ctx, conn, topics.Named(s.Config.TopicPrefix), s.Config.Aliases.Topic, s.Grid)
	if err != nil {
		return fmt.Errorf("reading the aliases: %w", err)
	}
	if t != nil {
		s.SetAliases(t)
	}
	return nil
}
