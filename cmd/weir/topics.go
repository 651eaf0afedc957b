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

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream/kafka/topics"
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
			if err := checkOutput(output); err != nil {
				return err
			}
			c, err := loadConfig(path)
			if err != nil {
				return err
			}
			specs := topics.Named(c.TopicPrefix).Specs(int32(c.Partitions))
			acls := topics.ACLs(c.Group, c.TopicPrefix, settings.InputTopics(c))
			if create {
				conn, err := connectWith(cmd, c, slog.New(slog.DiscardHandler))
				if err != nil {
					return err
				}
				if err := topics.Ensure(cmd.Context(), conn, specs, int16(c.ReplicationFactor)); err != nil {
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
	configFlag(cmd, &path)
	outputFlag(cmd, &output)
	cmd.Flags().BoolVar(&create, "create", false, "create what is missing and check the rest")
	return cmd
}

// printTopics writes topics and permissions for people.
func printTopics(w io.Writer, specs []topics.Spec, acls []topics.ACL, checked bool) error {
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
