package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/lab"
)

// injectSummary is the last line on stderr with -o json, of backtest --inject and
// of tune.
type injectSummary struct {
	Events int64   `json:"events"`
	Days   float64 `json:"days"`
	Opened int64   `json:"opened"` // in the log as it is
	Leaks  int     `json:"leaks"`
	Tried  int     `json:"tried"`
	Caught int     `json:"caught"`
	Error  string  `json:"error,omitempty"`
}

// newInjectSummary sums up what the leaks came to under one configuration or
// several. The first trial tells of the log as it is.
func newInjectSummary(leaks []lab.Leak, trials []lab.Trial, err error) injectSummary {
	s := injectSummary{Leaks: len(leaks)}
	for i, t := range trials {
		if i == 0 {
			s.Events, s.Days, s.Opened = t.Events, t.Days, t.Opened
		}
		for _, r := range t.Leaks {
			s.Tried += r.Tried
			s.Caught += r.Caught
		}
	}
	if err != nil {
		s.Error = err.Error()
	}
	return s
}

// runInject is weir backtest --inject.
func runInject(ctx context.Context, cmd *cobra.Command, o *backtestOptions) error {
	leaks, err := parseLeaks(o.inject)
	var trial lab.Trial
	if err == nil {
		trial, err = injectFiles(ctx, cmd, o, leaks)
	}
	for i := range trial.Leaks {
		if o.output == "json" {
			printLine(cmd.OutOrStdout(), &trial.Leaks[i])
		} else {
			printInject(cmd.OutOrStdout(), &trial.Leaks[i])
		}
	}
	summary := newInjectSummary(leaks, []lab.Trial{trial}, err)
	if o.output == "json" {
		printLine(cmd.ErrOrStderr(), summary)
		err = silent(err)
	} else if err == nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s events in %.0f days; %s episodes open in the log as it is\n",
			alerting.Group(summary.Events), summary.Days, alerting.Group(summary.Opened))
	}
	if err == nil && o.exitCode && summary.Caught < summary.Tried {
		return exitError(3)
	}
	return err
}

// injectFiles tries the leaks on the files. The trial holds what was done, also
// where there is an error.
func injectFiles(ctx context.Context, cmd *cobra.Command, o *backtestOptions, leaks []lab.Leak) (lab.Trial, error) {
	s, err := loadSettings(o.config)
	if err != nil {
		return lab.Trial{}, err
	}
	files, err := openFilesTwice("--inject", o.files, o.format)
	if err != nil {
		return lab.Trial{}, err
	}
	line := progress.New(cmd.ErrOrStderr())
	line.Expect(lab.Passes(leaks, 1))
	defer line.Clear()
	return lab.NewExperiment(files, leaks, line).Trial(ctx, s)
}

// parseLeaks reads the values of --inject.
func parseLeaks(texts []string) ([]lab.Leak, error) {
	var leaks []lab.Leak
	for _, text := range texts {
		l, err := lab.ParseLeak(text)
		if err != nil {
			return nil, usage.Errorf("%w", err)
		}
		leaks = append(leaks, l)
	}
	return leaks, nil
}

// who names the identity of an outcome, and what it is or mostly does.
func who(o *lab.Outcome) string {
	if is := cmp.Or(o.Role, o.Work); is != "" {
		return o.Identity + " (" + is + ")"
	}
	return o.Identity
}

// printInject writes the result of one leak as a table.
func printInject(w io.Writer, r *lab.Result) {
	fmt.Fprintf(w, "%s %s from %s for %g days\n", r.Kind, r.Rate, r.Start.Std().Format("2006-01-02 15:04 MST"), r.Days)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  %s\tusual a day\tcaught\tafter\tgone by then\tepisode\tby chance\n", r.Dimension)
	for _, o := range r.Outcomes {
		after, by := "", "-"
		caught, chance := "no", "no"
		if o.ByLuck {
			chance = "yes: " + o.Anyway
		}
		if o.Caught {
			caught, after, by = "yes", lab.FormatDelay(o.Delay), fmt.Sprintf("%s (%s)", o.By, o.Why)
		}
		fmt.Fprintf(t, "  %s\t%.1f\t%s\t%s\t%s of %s\t%s\t%s\n", alerting.Printable(who(&o), 80), o.Usual, caught, after, alerting.Group(o.Gone), alerting.Group(o.Taken), alerting.Printable(by, 80), alerting.Printable(chance, 80))
	}
	t.Flush()
	fmt.Fprintf(w, "  %d of %d caught", r.Caught, r.Tried)
	if r.Caught > 0 {
		fmt.Fprintf(w, ", median %s", lab.FormatDelay(r.Median))
	}
	fmt.Fprintf(w, "; by chance %.0f %% (of %s such %ss, in those days, without a leak)\n\n", 100*r.Chance, alerting.Group(int64(r.Comparable)), r.Dimension)
}
