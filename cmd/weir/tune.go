package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/lab"
)

// newTuneCommand makes `weir tune`: the same log under several settings.
func newTuneCommand() *cobra.Command {
	var o tuneOptions
	cmd := &cobra.Command{
		Use:   "tune [-c FILE] --try SETTINGS… [--inject LEAK…] [--format F] [-o json|table] [FILE…]",
		Short: "Compare settings on your own log",
		Long: `Read a log under the configuration as it is and under each of the settings to
try, and show side by side how many alerts a day they raise and which added leaks
they catch, how late, beside what chance would score.

SETTINGS are KEY=VALUE pairs between spaces; keys are paths in the configuration,
values are YAML (without spaces). Each --try is one column of the comparison.
Leaks are those of weir backtest --inject; without any, a drift to twice and one
to five times the usual, of three identities each. The log is read once for each
setting and once more for each setting and identity.

Without FILE the source topics of the configuration are read, from the oldest
record that they still hold to their ends of now.`,
		Example: `  weir tune --try alerts.budget=0.5/day --try alerts.budget=5/day access.ndjson.gz
  weir tune -c weir.yaml --try time.bin=30m --try "time.bin=2h alerts.budget=1/day" \
      --inject KIND=forged,RATE=500/day --inject KIND=drift,RATE=3x,COUNT=5 access.ndjson.gz
  weir tune -c weir.yaml --try time.bin=30m          # the source topics
  weir tune --try 'dimensions={"user":["actor"]}' -o json access.ndjson.gz`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			return runTune(cmd.Context(), cmd, &o)
		},
	}
	configFlag(cmd, &o.config)
	formatFlag(cmd, &o.format)
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "form of the output: table, or json (one setting a line; the summary on stderr)")
	cmd.Flags().BoolVar(&o.progress, "progress", false, "write to stderr once a second how far it is, as a line of JSON")
	cmd.Flags().StringArrayVar(&o.try, "try", nil, "settings to try, such as alerts.budget=1/day; may be given several times")
	cmd.Flags().StringArrayVar(&o.inject, "inject", nil, "a leak to add (see weir backtest --help); may be given several times")
	return cmd
}

type tuneOptions struct {
	config, format, output string
	files, try, inject     []string
	progress               bool
}

// defaultLeaks are what settings are compared on unless told otherwise.
var defaultLeaks = []string{"KIND=drift,RATE=2x,COUNT=3", "KIND=drift,RATE=5x,COUNT=3"}

func runTune(ctx context.Context, cmd *cobra.Command, o *tuneOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	if len(o.inject) == 0 {
		o.inject = defaultLeaks
	}
	leaks, err := parseLeaks(o.inject)
	var trials []lab.Trial
	if err == nil {
		trials, err = tune(ctx, cmd, o, leaks)
	}
	if o.output == "json" {
		printLine(cmd.ErrOrStderr(), newInjectSummary(leaks, trials, err))
		return silent(err)
	}
	if err == nil {
		printTune(cmd.OutOrStdout(), trials)
		fmt.Fprintf(cmd.ErrOrStderr(), "%s events in %.0f days\n", alerting.Group(trials[0].Events), trials[0].Days)
	}
	return err
}

// tune tries the leaks under the configuration as it is and under each of the
// settings. The trials that were done are returned also where there is an error; as
// JSON each is written as soon as it is done.
func tune(ctx context.Context, cmd *cobra.Command, o *tuneOptions, leaks []lab.Leak) ([]lab.Trial, error) {
	tries := append([]string{""}, o.try...)
	all, err := settings.Override(o.config, tries)
	if err != nil {
		return nil, err
	}
	log, err := openLog(cmd, o.files, o.format, o.config, all[0])
	if err != nil {
		return nil, err
	}
	line := progress.New(cmd.ErrOrStderr())
	if o.progress {
		line = progress.NewLines(cmd.ErrOrStderr())
	}
	line.Expect(lab.Passes(leaks, len(all)))
	defer line.Clear()
	x := lab.NewExperiment(log, leaks, line)
	var trials []lab.Trial
	for i, s := range all {
		trial, err := x.Trial(ctx, s)
		if err != nil {
			return trials, err
		}
		trial.Settings = tries[i]
		trials = append(trials, trial)
		if o.output == "json" {
			printLine(cmd.OutOrStdout(), &trial)
		}
	}
	return trials, nil
}

// printTune writes the settings side by side.
func printTune(w io.Writer, results []lab.Trial) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := []string{"settings", "alerts a day", "first week"}
	for _, l := range results[0].Leaks {
		head = append(head, fmt.Sprintf("%s %s", l.Kind, l.Rate), "after", "by chance")
	}
	fmt.Fprintln(t, strings.Join(head, "\t"))
	for _, r := range results {
		name := r.Settings
		if name == "" {
			name = "as it is"
		}
		row := []string{name, fmt.Sprintf("%.2f", r.PerDay), fmt.Sprintf("%.2f", r.FirstWeek)}
		for _, l := range r.Leaks {
			row = append(row, fmt.Sprintf("%d of %d", l.Caught, l.Tried), delayOf(l), fmt.Sprintf("%.0f %%", 100*l.Chance))
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
	fmt.Fprintln(w, strings.Join(legend(results[0].Leaks), "\n"))
}

// delayOf writes the median delay of a leak.
func delayOf(l lab.Result) string {
	if l.Caught == 0 {
		return "-"
	}
	return lab.FormatDelay(l.Median)
}

// legend says what the columns of the leaks mean.
func legend(leaks []lab.Result) []string {
	out := []string{"", "alerts a day: episodes opened on the log as it is, after its first week.",
		"after: median delay of the caught, from the first stolen record to the alert.",
		"by chance: of comparable identities, those that alert in the same days without a leak."}
	if i := slices.IndexFunc(leaks, func(l lab.Result) bool { return l.Kind == lab.Mules || l.Kind == lab.Newcomer }); i >= 0 {
		out = append(out, "of mules and newcomers, the identities are those that they are like.")
	}
	return out
}
