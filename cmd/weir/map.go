package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/internal/guess"
	"github.com/weirhq/weir/internal/mapping"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/usage"
)

// newMapCommand makes `weir map`: what a sample of a source becomes, before
// the source is connected.
func newMapCommand() *cobra.Command {
	var output string
	var limit int
	cmd := &cobra.Command{
		Use:   "map FORMAT|auto FILE…",
		Short: "Show what a sample of events becomes under a format",
		Long: `Show what a sample of events becomes under a format: the first events in
weir's own form, how many events carry each field, and what was odd or rejected,
with the reason, the path and the lines.

FORMAT is ` + strings.Join(fieldmap.Names(), ", ") + `, or the path of a field map (docs/formats.md).
FILE may be packed by gzip, zstd, bzip2, xz or zip; - is standard input. Sessions
are shown hashed. If nothing can be read, the exit code is 1.

With auto instead of a FORMAT, weir guesses what the FILE is, and prints a field map
to start from.`,
		Example: `  weir map native events.ndjson
  weir map ocsf -o json events.ndjson.gz
  weir map ./crm.yaml - < sample.ndjson
  weir map auto export.csv > crm.yaml`,
		Args: atLeast(2, "a FORMAT and at least one FILE (- is standard input)"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return fieldmap.Names(), cobra.ShellCompDirectiveDefault
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			if limit < 0 {
				return usage.Errorf("--limit is a number of events, not %d", limit)
			}
			if args[0] == "auto" {
				return guessMap(cmd, args[1:], output)
			}
			report, err := mapping.Map(cmd.Context(), args[0], args[1:], limit, progress.New(cmd.ErrOrStderr()))
			if output == "json" {
				if failed := writeMapJSON(report, cmd.OutOrStdout(), cmd.ErrOrStderr(), err); failed != nil {
					return errors.Join(failed, err)
				}
				return silent(err)
			}
			if err != nil && report.Values == 0 {
				return err // there is nothing to show
			}
			return errors.Join(report.WriteTable(cmd.OutOrStdout()), err)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "form of the output: table or json")
	cmd.Flags().IntVar(&limit, "limit", 5, "how many events to show")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// guessMap prints what a file looks like, and a field map to start from.
func guessMap(cmd *cobra.Command, names []string, output string) error {
	if len(names) != 1 {
		return usage.Errorf("map auto takes one FILE, not %d", len(names))
	}
	g, err := guess.File(names[0])
	switch {
	case err != nil:
		return err
	case g.Map == "":
		return fmt.Errorf("guessing the format of %s: this looks like %s", names[0], g.Looks)
	case output == "json":
		return json.NewEncoder(cmd.OutOrStdout()).Encode(g)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "# This looks like %s.\n%s", mapping.Printable(g.Looks), g.Map)
	return err
}

// writeMapJSON writes the report to out and one line of summary to summary, as
// every command does with -o json.
func writeMapJSON(r *mapping.Report, out, summary io.Writer, failure error) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	s := struct {
		Events   int64            `json:"events"`
		Rejected map[string]int64 `json:"rejected"`
		Error    string           `json:"error,omitempty"`
	}{Events: r.Events, Rejected: map[string]int64{}}
	for _, c := range r.Rejects {
		s.Rejected[c.Name] += c.Events
	}
	if failure != nil {
		s.Error = failure.Error()
	}
	if err := json.NewEncoder(summary).Encode(s); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}
