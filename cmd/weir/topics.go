package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/stream/kafka"
)

// newTopicsCommand makes `weir topics`: what weir needs of Kafka.
func newTopicsCommand() *cobra.Command {
	var path, output string
	var create bool
	cmd := &cobra.Command{
		Use:   "topics [-c FILE] [--create]",
		Short: "Print or create weir's own topics, and the permissions it needs",
		Long: `Print weir's own topics with their settings, and the least ACLs that the
principal of weir run needs. With --create those that are missing are created
and the others are checked. weir run does the same when it starts, if it may.`,
		Example: `  weir topics -c weir.yaml
  weir topics -c weir.yaml --create`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return usagef("-o is table or json, not %q", output)
			}
			c, err := loadConfig(path)
			if err != nil {
				return err
			}
			specs := kafka.NewTopics(c.TopicPrefix).Specs(int32(c.Partitions))
			acls := kafka.ACLs(c.Group, c.TopicPrefix, sourceNames(c))
			if create {
				conn, err := connection(c, slog.New(slog.DiscardHandler))
				if err != nil {
					return err
				}
				if err := conn.Ping(cmd.Context(), 20*time.Second); err != nil {
					return err
				}
				if err := kafka.Ensure(cmd.Context(), conn, specs, int16(c.ReplicationFactor)); err != nil {
					return err
				}
			}
			if output == "json" {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(map[string]any{"topics": specs, "acls": acls, "checked": create})
			}
			return printTopics(cmd.OutOrStdout(), specs, acls, create)
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration file (default: no file, all defaults)")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "form of the output: table or json")
	cmd.Flags().BoolVar(&create, "create", false, "create what is missing and check the rest")
	return cmd
}

func sourceNames(c *config.Config) (names []string) {
	for _, s := range c.Sources {
		names = append(names, s.Topic)
	}
	return names
}

func printTopics(w io.Writer, specs []kafka.TopicSpec, acls []kafka.ACL, checked bool) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "TOPIC\tPARTITIONS\tSETTINGS\tHOLDS")
	for _, s := range specs {
		var settings []string
		for _, k := range slices.Sorted(maps.Keys(s.Configs)) {
			settings = append(settings, k+"="+s.Configs[k])
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\n", s.Name, s.Partitions, strings.Join(settings, " "), s.Purpose)
	}
	fmt.Fprintln(tw, "\nRESOURCE\tNAME\tPATTERN\tOPERATION")
	for _, a := range acls {
		pattern := "literal"
		if a.Prefixed {
			pattern = "prefixed"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", a.Resource, a.Name, pattern, a.Operation)
	}
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if checked {
		fmt.Fprintln(w, "\nAll of these topics are there, with the right partitions and clean-up policy.")
	}
	return nil
}

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
				return usagef("reset needs -c FILE and --from TIME (RFC 3339, or earliest)")
			}
			millis := int64(0)
			if from != "earliest" {
				t, err := time.Parse(time.RFC3339, from)
				if err != nil {
					return usagef("--from %q: want a time such as 2026-10-01T00:00:00Z, or earliest", from)
				}
				millis = t.UnixMilli()
			}
			c, err := loadConfig(path)
			if err != nil {
				return err
			}
			if err := c.CheckRun(); err != nil {
				return err
			}
			specs := kafka.NewTopics(c.TopicPrefix).Specs(int32(c.Partitions))
			if !yes {
				kept := func(s kafka.TopicSpec) bool { return s.Kept }
				return usagef("reset deletes weir's state in %d topics under %q and reads %s again from %s; say --yes if that is meant",
					len(slices.DeleteFunc(specs, kept)), c.TopicPrefix, strings.Join(sourceNames(c), ", "), from)
			}
			conn, err := connection(c, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			if err := conn.Ping(cmd.Context(), 20*time.Second); err != nil {
				return err
			}
			if err := kafka.Reset(cmd.Context(), conn, c.Group, specs, int16(c.ReplicationFactor), sourceNames(c), millis); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The state is gone; weir run will read %s from %s.\n", strings.Join(sourceNames(c), ", "), from)
			return nil
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration file")
	cmd.Flags().StringVar(&from, "from", "", "time to read again from: RFC 3339, or earliest")
	cmd.Flags().BoolVar(&yes, "yes", false, "yes, delete the state")
	return cmd
}
