package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/topics"
)

type suppressedOptions struct {
	config, by, name, since, output string
	all                             bool
}

// newSuppressedCommand makes `weir suppressed`.
func newSuppressedCommand() *cobra.Command {
	var o suppressedOptions
	cmd := &cobra.Command{
		Use:   "suppressed -c FILE",
		Short: "List the alerts that nobody was sent, and what held them back",
		Long: `List what was held back: expected by the configuration, expected by somebody's
verdict, or told in the message of a campaign. Nothing is silenced silently: each
such alert is a record of weir.suppressed, with the rule or person behind it.

One line stands for an episode, with its latest alert; --all shows every alert.
With -o json each record is one line, as it stands on the topic.`,
		Example: `  weir suppressed -c weir.yaml --since 7d
  weir suppressed -c weir.yaml --by config --name nightly-export -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSuppressed(cmd, &o)
		},
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.by, "by", "", "only what this kind held back: config, verdict or campaign")
	cmd.Flags().StringVar(&o.name, "name", "", "only what this held back: a name of the configuration, a verdict's id or a campaign's dedup key")
	cmd.Flags().StringVar(&o.since, "since", "", "only alerts of this event time or later: 2026-03-01T00:00:00Z, or so long before the latest: 7d, 12h")
	cmd.Flags().BoolVar(&o.all, "all", false, "every alert, not the latest of each episode")
	outputFlag(cmd, &o.output)
	return cmd
}

func runSuppressed(cmd *cobra.Command, o *suppressedOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	switch correlate.SuppressedKind(o.by) {
	case "", correlate.ByConfig, correlate.ByVerdict, correlate.ByCampaign:
	default:
		return usage.Errorf("--by is config, verdict or campaign, not %q", o.by)
	}
	if _, err := sinceTime(o.since, 0); err != nil {
		return err
	}
	c, conn, err := reach(cmd, o.config)
	if err != nil {
		return err
	}
	var list []*correlate.Suppressed
	err = topics.ReadSuppressed(cmd.Context(), conn, topics.Named(c.TopicPrefix), func(s *correlate.Suppressed) error {
		list = append(list, s)
		return nil
	})
	if err != nil {
		return err
	}
	if list, err = o.choose(list); err != nil {
		return err
	}
	if o.output == "json" {
		return printSuppressedJSON(cmd.OutOrStdout(), list)
	}
	return printSuppressed(cmd.OutOrStdout(), list, c.Time.Zone)
}

// choose keeps what the options ask for; without --all the latest of each
// episode.
func (o *suppressedOptions) choose(list []*correlate.Suppressed) ([]*correlate.Suppressed, error) {
	var latest alerting.Time
	for _, s := range list {
		latest = max(latest, s.Alert.Time)
	}
	since, err := sinceTime(o.since, latest)
	if err != nil {
		return nil, err
	}
	var out []*correlate.Suppressed
	at := map[string]int{}
	for _, s := range list {
		if s.Alert.Time < since || o.by != "" && string(s.By.Kind) != o.by || o.name != "" && s.By.Name != o.name {
			continue
		}
		if i, seen := at[s.Alert.DedupKey]; seen && !o.all {
			out[i] = s
			continue
		}
		at[s.Alert.DedupKey] = len(out)
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b *correlate.Suppressed) int { return cmp.Compare(a.Alert.Time, b.Alert.Time) })
	return out, nil
}

// sinceTime reads a time, or a span before the latest alert.
func sinceTime(text string, latest alerting.Time) (alerting.Time, error) {
	if text == "" {
		return 0, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return alerting.Time(at.UnixMilli()), nil
	}
	d, ok := parseSpan(text)
	if !ok || d <= 0 {
		return 0, usage.Errorf("--since %q: want a time such as 2026-03-01T00:00:00Z, or so long before the latest: 7d, 12h", text)
	}
	return latest - alerting.Time(d.Milliseconds()), nil
}

// printSuppressedJSON writes each record as a line, as it stands on the topic.
func printSuppressedJSON(w io.Writer, list []*correlate.Suppressed) error {
	for _, s := range list {
		if _, err := w.Write(append(s.AppendJSON(nil), '\n')); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
	return nil
}

// printSuppressed writes a table of the alerts, with times in loc.
func printSuppressed(w io.Writer, list []*correlate.Suppressed, loc *time.Location) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "Nothing was suppressed.")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tSTATUS\tSEVERITY\tDIMENSION\tIDENTITY\tEXPOSED\tBY\tOWNER\tREASON")
	for _, s := range list {
		a := &s.Alert
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s %s\t%s\t%s\n", a.Time.Std().In(loc).Format("2006-01-02 15:04"), a.Status, a.Severity,
			a.Dimension, alerting.Printable(a.Identity, 60), a.Exposed.Records, s.By.Kind, s.By.Name, alerting.Printable(s.By.Owner, 40), alerting.Printable(s.By.Reason, 100))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}
