package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify/stdout"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/correlate"
)

// newBacktestCommand makes `weir backtest`: what today's detectors would have
// said of a log.
func newBacktestCommand() *cobra.Command {
	var o backtestOptions
	cmd := &cobra.Command{
		Use:   "backtest [-c FILE] [--format F] [--inject LEAK] [-o json|table] FILE…",
		Short: "Read a log with today's detectors",
		Long: `Read files of access events through the same operators that run on Kafka, and
say what they find. FILE may be packed by gzip or zstd; - is standard input.
Several files are read as the partitions of one topic, merged by event time; a
record may be older than those before it in its file by the lateness of the
configuration (10 minutes). A file that runs backwards, or is in no order, is
sorted in a temporary file (in the directory TMPDIR).

Without a configuration the dimensions are user, key, network, client and
endpoint, and record ids are hashed under a fixed key, so that runs repeat.
Nothing closes because the input ends: an episode that is open stays open.

With --inject the log is read again with a leak added to it, once for each
identity that it is tried with, and instead of the alerts you are told whether
and when it would have been caught, how much was gone by then, and what share of
such identities raises an alert in the same days without any leak: what chance
would score. A leak is KEY=VALUE pairs between commas:

  KIND      drift     an identity reads more than it used to (the default)
            slow      it reads a little more each day
            newcomer  an account never seen before works like another, and steals
            mules     several accounts each read a little more, by one new network
            forged    tokens that nobody issued, one record each, under a known key
            report    one export of many rows on each day of work
  RATE      3x (times its usual day), 500/day or 20/h (records, of a report rows),
            2% (growth a day, of slow)
  IDENTITY  NAME or DIMENSION:NAME; without it COUNT of them, spread evenly over
            all that are active enough, by how much they read; one is the median.
            Who only reads one record a day, as customers do, is left out
  ROLE      only those of whom the log says this role
  WORK      only those who mostly work through this endpoint
  START     a day or a time; without it two thirds of the log
  DAYS      7; how long the leak lasts
  ACCOUNTS  10; how many mules
  SEED      1; of everything drawn

The stolen records are ones of the log that the thief has not touched in it.`,
		Example: `  weir backtest access.ndjson.gz
  weir backtest --inject KIND=drift,RATE=2x,COUNT=5 access.ndjson.gz
  weir backtest --inject KIND=report,RATE=500000/day,IDENTITY=ana access.ndjson.gz
  weir backtest --format cloudtrail -o json trail/*.json.gz > alerts.ndjson
  weir backtest --serve 127.0.0.1:8080 access.ndjson.gz
  zcat access.gz | weir backtest -`,
		Args: atLeast(1, "at least one FILE (- is standard input)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			return runBacktest(cmd.Context(), cmd, &o)
		},
	}
	configFlag(cmd, &o.config)
	formatFlag(cmd, &o.format)
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "form of the output: table, or json (one alert a line; the summary on stderr)")
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "exit with 3 if any episode opened; with --inject, if any leak was missed")
	cmd.Flags().BoolVar(&o.asIs, "as-is", false, "read each file in its own order, even if most of its events are late then")
	cmd.Flags().StringVar(&o.suppressed, "suppressed", "", "file to write the alerts to that were held back, with the reason, one a line")
	cmd.Flags().StringVar(&o.serve, "serve", "", "address at which the console shows what is found, such as 127.0.0.1:8080, until interrupted")
	cmd.Flags().StringArrayVar(&o.inject, "inject", nil, "a leak to add, such as KIND=drift,RATE=3x; may be given several times")
	return cmd
}

type backtestOptions struct {
	config, format, output string
	suppressed             string            // file
	serve                  string            // address
	console                *backtest.Console // that is being served; nil: none
	exitCode, asIs         bool
	files                  []string
	inject                 []string
}

func runBacktest(ctx context.Context, cmd *cobra.Command, o *backtestOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	if len(o.inject) > 0 && o.serve != "" {
		return usage.Errorf("--serve shows what a log holds; it does not go with --inject")
	}
	if len(o.inject) > 0 {
		return runInject(ctx, cmd, o)
	}
	summary, err := backtestFiles(ctx, cmd, o)
	if o.console != nil {
		defer o.console.Stop()
	}
	switch {
	case errors.Is(err, context.Canceled):
		summary.Error = "interrupted"
	case err != nil:
		summary.Error = err.Error()
	}
	if o.output == "json" {
		printLine(cmd.ErrOrStderr(), summary)
		err = silent(err)
	} else if err == nil || summary.Events > 0 {
		printBacktest(cmd.ErrOrStderr(), summary)
	}
	if err == nil && o.console != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "What was found: %s (Ctrl-C ends)\n", o.console.URL)
		<-ctx.Done()
	}
	if err == nil && o.exitCode && summary.Opened > 0 {
		return exitError(3)
	}
	return err
}

// backtestFiles reads the files and writes the alerts. The summary tells what
// was done even when there is an error.
func backtestFiles(ctx context.Context, cmd *cobra.Command, o *backtestOptions) (*backtest.Summary, error) {
	none := &backtest.Summary{Rejected: map[string]int64{}}
	s, err := loadSettings(o.config)
	if err != nil {
		return none, err
	}
	files, err := openFiles(o.files, o.format)
	if err != nil {
		return none, err
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	sink, err := stdout.New("stdout", out, stdout.Format(o.output), s.Config.Time.Zone)
	if err != nil {
		return none, err
	}
	line := progress.New(cmd.ErrOrStderr())
	files.AsIs, files.Line = o.asIs, line
	run := backtest.NewRun(s, files, line)
	run.Ahead = true
	closeSuppressed, err := run.KeepSuppressed(o.suppressed)
	if err != nil {
		return none, err
	}
	run.Alert = func(a *alerting.Alert) error {
		line.Clear()
		_, err := sink.Notify(ctx, a)
		return err
	}
	if o.serve != "" {
		if o.console, err = run.ServeConsole(s.Config, o.serve, o.format, o.files, cmd.ErrOrStderr()); err != nil {
			return none, errors.Join(err, closeSuppressed())
		}
	}
	err = files.Read(ctx, run)
	line.Clear()
	if closed := closeSuppressed(); err == nil {
		err = closed
	}
	if flush := out.Flush(); err == nil && flush != nil {
		err = fmt.Errorf("writing the alerts: %w", flush)
	}
	for _, w := range run.Summary.Shortcomings(time.Now()) {
		run.Warn(w)
	}
	if run.Summary.Events > 0 { // an empty log lacks every input, which its emptiness says already
		run.Summary.Missing = run.Missing()
	}
	return &run.Summary, err
}

// heldBack says what held alerts back.
var heldBack = map[correlate.SuppressedKind]string{
	correlate.ByConfig:   "declared as expected in the configuration",
	correlate.ByVerdict:  "expected by a verdict",
	correlate.ByCampaign: "another message stands for them",
}

// printBacktest writes the summary for people.
func printBacktest(w io.Writer, s *backtest.Summary) {
	rejected := int64(0)
	var reasons []string
	for reason, n := range s.Rejected {
		rejected += n
		reasons = append(reasons, fmt.Sprintf("%s %s", alerting.Group(n), reason))
	}
	sort.Strings(reasons)
	fmt.Fprintf(w, "%s events", alerting.Group(s.Events))
	if s.From != 0 {
		fmt.Fprintf(w, " from %s to %s", s.From, s.To)
	}
	fmt.Fprintf(w, ": %s counted, %s facts, %s late, %s rejected", alerting.Group(s.Counted), alerting.Group(s.Facts), alerting.Group(s.Late), alerting.Group(rejected))
	if len(reasons) > 0 {
		fmt.Fprintf(w, " (%s)", strings.Join(reasons, ", "))
	}
	if len(s.Notes) > 0 {
		var notes []string
		for _, note := range slices.Sorted(maps.Keys(s.Notes)) {
			notes = append(notes, fmt.Sprintf("%s %s", alerting.Group(s.Notes[note]), note))
		}
		fmt.Fprintf(w, "\nodd, but read: %s (docs/formats.md)", strings.Join(notes, ", "))
	}
	fmt.Fprint(w, "\n")
	for _, warning := range s.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
	fmt.Fprintf(w, "%s episodes opened, %s alerts in all\n", alerting.Group(s.Opened), alerting.Group(s.Alerts))
	for _, kind := range slices.Sorted(maps.Keys(s.Suppressed)) {
		fmt.Fprintf(w, "%s alerts held back: %s\n", alerting.Group(s.Suppressed[kind]), heldBack[kind])
	}
	for _, input := range s.Missing {
		fmt.Fprintf(w, "warning: %s\n", input)
	}
}
