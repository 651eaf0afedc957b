package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// newResetCommand makes `weir reset`: process again from a time.
func newResetCommand() *cobra.Command {
	var path, from string
	var yes bool
	cmd := &cobra.Command{
		Use:   "reset -c FILE --from TIME --yes",
		Short: "Throw weir's state away and read the sources again from a time",
		Long: `Throw weir's state away (partials, baselines, open episodes) and read the sources
again from a time, by the timestamps of their records. It is the way to process
again, and the way out when a record key, a dimension, the tick, the bin or the
partition count has to change.

Alerts, rejects and deliveries that were written stay; alerts raised again have
the same keys where the events and the configuration are the same. Every weir
process must be stopped. Start far enough back: baselines need about two weeks.`,
		Example: `  weir reset -c weir.yaml --from 2026-10-01T00:00:00Z --yes
  weir reset -c weir.yaml --from earliest --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" || from == "" {
				return usage.Errorf("reset needs -c FILE and --from TIME (RFC 3339, or earliest)")
			}
			millis := int64(0)
			if from != "earliest" {
				t, err := time.Parse(time.RFC3339, from)
				if err != nil {
					return usage.Errorf("--from %q: want a time such as 2026-10-01T00:00:00Z, or earliest", from)
				}
				millis = t.UnixMilli()
			}
			c, err := loadRunConfig(path)
			if err != nil {
				return err
			}
			specs := topics.Named(c.TopicPrefix).Specs(int32(c.Partitions))
			if !yes {
				kept := func(s topics.Spec) bool { return s.Kept }
				return usage.Errorf("reset deletes weir's state in %d topics under %q and reads %s again from %s; say --yes if that is meant",
					len(slices.DeleteFunc(specs, kept)), c.TopicPrefix, strings.Join(settings.SourceTopics(c), ", "), from)
			}
			conn, err := connectWith(cmd, c, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			if err := topics.Reset(cmd.Context(), conn, c.Group, specs, int16(c.ReplicationFactor), settings.SourceTopics(c), millis); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The state is gone; weir run will read %s from %s.\n", strings.Join(settings.SourceTopics(c), ", "), from)
			return nil
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration file")
	cmd.Flags().StringVar(&from, "from", "", "time to read again from: RFC 3339, or earliest")
	cmd.Flags().BoolVar(&yes, "yes", false, "yes, delete the state")
	return cmd
}
