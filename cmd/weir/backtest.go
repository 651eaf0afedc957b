package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify/stdout"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/stream"
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
record may be later than those before it in its file by the lateness of the
configuration (10 minutes).

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
            all that are active enough, by how much they read; one is the median
  START     a day or a time; without it two thirds of the log
  DAYS      7; how long the leak lasts
  ACCOUNTS  10; how many mules
  SEED      1; of everything drawn

The stolen records are ones of the log that the thief has not touched in it.`,
		Example: `  weir backtest access.ndjson.gz
  weir backtest --inject KIND=drift,RATE=2x,COUNT=5 access.ndjson.gz
  weir backtest --inject KIND=report,RATE=500000/day,IDENTITY=ana access.ndjson.gz
  weir backtest --format cloudtrail -o json trail/*.json.gz > alerts.ndjson
  zcat access.gz | weir backtest -`,
		Args: atLeast(1, "at least one FILE (- is standard input)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			return runBacktest(cmd.Context(), cmd, &o)
		},
	}
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file (default: no file, all defaults)")
	cmd.Flags().StringVar(&o.format, "format", "native", "format of the files: "+strings.Join(fieldmap.Names(), ", ")+", or the path of a field map")
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "form of the output: table, or json (one alert a line; the summary on stderr)")
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "exit with 3 if any episode opened; with --inject, if any leak was missed")
	cmd.Flags().StringVar(&o.suppressed, "suppressed", "", "file to write the alerts to that were held back, with the reason, one a line")
	cmd.Flags().StringArrayVar(&o.inject, "inject", nil, "a leak to add, such as KIND=drift,RATE=3x; may be given several times")
	return cmd
}

type backtestOptions struct {
	config, format, output string
	suppressed             string // file
	exitCode               bool
	files                  []string
	inject                 []string
}

func runBacktest(ctx context.Context, cmd *cobra.Command, o *backtestOptions) error {
	if o.output != "table" && o.output != "json" {
		return usagef("-o is table or json, not %q", o.output)
	}
	if len(o.inject) > 0 {
		return runInject(ctx, cmd, o)
	}
	summary, err := backtestFiles(ctx, cmd, o)
	switch {
	case errors.Is(err, context.Canceled):
		summary.Error = "interrupted"
	case err != nil:
		summary.Error = err.Error()
	}
	if o.output == "json" {
		summary.printJSON(cmd.ErrOrStderr())
		err = told(err)
	} else if err == nil || summary.Events > 0 {
		summary.printTable(cmd.ErrOrStderr())
	}
	if err == nil && o.exitCode && summary.Opened > 0 {
		return exitError(3)
	}
	return err
}

// backtestFiles reads the files and writes the alerts. The summary tells what
// was done even when there is an error.
func backtestFiles(ctx context.Context, cmd *cobra.Command, o *backtestOptions) (*backtestSummary, error) {
	none := &backtestSummary{Rejected: map[string]int64{}}
	cfg, err := loadConfig(o.config)
	if err != nil {
		return none, err
	}
	s, err := newSettings(cfg)
	if err != nil {
		return none, err
	}
	format, err := files.LoadFormat(o.format)
	if err != nil {
		return none, usagef("%w", err)
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	sink, err := stdout.New("stdout", out, stdout.Format(o.output), cfg.Time.Zone)
	if err != nil {
		return none, err
	}
	log := &logFiles{names: o.files, format: format}
	bt := newBacktest(s, log, newProgress(cmd.ErrOrStderr()))
	bt.alert = func(a *alerting.Alert) error {
		bt.progress.clear()
		_, err := sink.Notify(ctx, a)
		return err
	}
	held, err := bt.keepHeld(o.suppressed)
	if err != nil {
		return none, err
	}
	err = log.each(ctx, bt)
	bt.progress.clear()
	if closed := held(); err == nil {
		err = closed
	}
	if flush := out.Flush(); err == nil && flush != nil {
		err = fmt.Errorf("writing the alerts: %w", flush)
	}
	if bt.summary.Events > 0 { // an empty log lacks everything, which is said by its emptiness
		bt.summary.Missing = missingInputs(bt.local.Detect)
	}
	return &bt.summary, err
}

// backtest is one run over a log: what is read goes through the
// operators, and what they say to alert.
type backtest struct {
	started  int64 // Unix ms; no event may be much later
	local    *stream.Local
	alert    func(*alerting.Alert) error
	progress *progress
	summary  backtestSummary
}

func newBacktest(s *settings, log eventLog, p *progress) *backtest {
	return &backtest{
		started: time.Now().UnixMilli(), progress: p, alert: func(*alerting.Alert) error { return nil },
		local:   stream.NewLocal(s.ingest, s.detect, s.correlate, log.topics()),
		summary: backtestSummary{Rejected: map[string]int64{}},
	}
}

// keepHeld counts what is held back, and writes it to a file if one is named.
// The function returned ends that.
func (b *backtest) keepHeld(name string) (end func() error, err error) {
	b.summary.Suppressed = map[stream.SuppressedKind]int64{}
	b.local.Held = func(s *stream.Suppressed) { b.summary.Suppressed[s.By.Kind]++ }
	if name == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("writing what was held back: %w", err)
	}
	w := bufio.NewWriter(file)
	var line []byte
	b.local.Held = func(s *stream.Suppressed) {
		b.summary.Suppressed[s.By.Kind]++
		line = append(s.AppendJSON(line[:0]), '\n')
		_, _ = w.Write(line) // its error comes with Flush
	}
	return func() error {
		if err := errors.Join(w.Flush(), file.Close()); err != nil {
			return fmt.Errorf("writing what was held back: %w", err)
		}
		return nil
	}, nil
}

// event takes in one event and reports whether it moves its source on.
func (b *backtest) event(src stream.Source, ev *event.Event) bool {
	b.summary.Events++
	outcome := b.local.Fold(src, b.started, ev)
	switch outcome {
	case stream.Counted:
		b.summary.Counted++
	case stream.Late:
		b.summary.Late++
	case stream.Fact:
		b.summary.Facts++
	default:
		b.summary.Rejected[outcome.String()]++
		return false
	}
	if t := alerting.Time(ev.Time); b.summary.From == 0 || t < b.summary.From {
		b.summary.From = t
	}
	b.summary.To = max(b.summary.To, alerting.Time(ev.Time))
	return true
}

func (b *backtest) reject(rej *event.Reject) { b.summary.Rejected[rej.Reason.String()]++ }

func (b *backtest) read(src stream.Source, line int64) { b.local.Ingest.Read(src, line) }

func (b *backtest) ended(src stream.Source) { b.local.Ingest.SetIdle(src, true) }

// flush hands on what was read and tells the alerts.
func (b *backtest) flush(last bool) error {
	do := b.local.Flush
	if last {
		do = b.local.End
	}
	alerts, err := do()
	if err != nil {
		return err
	}
	for i := range alerts {
		b.summary.Alerts++
		if alerts[i].Status == alerting.Open {
			b.summary.Opened++
		}
		if err := b.alert(&alerts[i]); err != nil {
			return fmt.Errorf("writing an alert: %w", err)
		}
	}
	b.progress.show("%s events, at %s, %d alerts", alerting.Group(b.summary.Events), b.summary.To.Std().Format(time.DateTime), b.summary.Alerts)
	return nil
}

// backtestSummary is what a run comes to; with -o json it is the last line on
// stderr.
type backtestSummary struct {
	Events   int64            `json:"events"`
	Counted  int64            `json:"counted"`
	Facts    int64            `json:"facts"`
	Late     int64            `json:"late"`
	Rejected map[string]int64 `json:"rejected"`
	Alerts   int64            `json:"alerts"`
	Opened   int64            `json:"opened"`
	// Suppressed counts the alerts that nobody was sent, by what held them back.
	Suppressed map[stream.SuppressedKind]int64 `json:"suppressed,omitempty"`
	// Missing are the inputs of which nothing was seen, and the facts that cannot
	// be told therefore.
	Missing []stream.Input `json:"missing_inputs,omitempty"`
	From    alerting.Time  `json:"from,omitempty"` // of the events read; absent when there are none
	To      alerting.Time  `json:"to,omitempty"`
	Error   string         `json:"error,omitempty"`
}

// heldBack says what held alerts back.
var heldBack = map[stream.SuppressedKind]string{
	stream.ByConfig:   "declared as expected in the configuration",
	stream.ByVerdict:  "expected by a verdict",
	stream.ByCampaign: "another message stands for them",
}

func (s *backtestSummary) printJSON(w io.Writer) {
	line, _ := json.Marshal(s) // a struct of numbers and strings always marshals
	fmt.Fprintf(w, "%s\n", line)
}

func (s *backtestSummary) printTable(w io.Writer) {
	rejected := int64(0)
	var reasons []string
	for reason, n := range s.Rejected {
		rejected += n
		reasons = append(reasons, fmt.Sprintf("%s %s", alerting.Group(n), reason))
	}
	sort.Strings(reasons)
	fmt.Fprintf(w, "%s events", alerting.Group(s.Events))
	if s.Events > 0 {
		fmt.Fprintf(w, " from %s to %s", s.From, s.To)
	}
	fmt.Fprintf(w, ": %s counted, %s facts, %s late, %s rejected", alerting.Group(s.Counted), alerting.Group(s.Facts), alerting.Group(s.Late), alerting.Group(rejected))
	if len(reasons) > 0 {
		fmt.Fprintf(w, " (%s)", strings.Join(reasons, ", "))
	}
	fmt.Fprintf(w, "\n%s episodes opened, %s alerts in all\n", alerting.Group(s.Opened), alerting.Group(s.Alerts))
	for _, kind := range slices.Sorted(maps.Keys(s.Suppressed)) {
		fmt.Fprintf(w, "%s alerts held back: %s\n", alerting.Group(s.Suppressed[kind]), heldBack[kind])
	}
	printMissing(w, s.Missing)
}
