package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/stdout"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
)

// newBacktestCommand makes `weir backtest`: what today's detectors would have
// said of a log.
func newBacktestCommand() *cobra.Command {
	var o backtestOptions
	cmd := &cobra.Command{
		Use:   "backtest [-c FILE] [--format F] [-o json|table] FILE…",
		Short: "Read a log with today's detectors",
		Long: `Read files of access events through the same operators that run on Kafka, and
say what they find. FILE may be packed by gzip or zstd; - is standard input.
Several files are read as the partitions of one topic, merged by event time; a
record may be later than those before it in its file by the lateness of the
configuration (10 minutes).

Without a configuration the dimensions are user, key, network, client and
endpoint, and record ids are hashed under a fixed key, so that runs repeat.
Nothing closes because the input ends: an episode that is open stays open.`,
		Example: `  weir backtest access.ndjson.gz
  weir backtest --format cloudtrail -o json trail/*.json.gz > alerts.ndjson
  zcat access.gz | weir backtest -`,
		Args: atLeast(1, "at least one FILE (- is standard input)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			return runBacktest(cmd.Context(), cmd, &o)
		},
	}
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file (default: no file, all defaults)")
	cmd.Flags().StringVar(&o.format, "format", "native", "format of the files: "+strings.Join(event.FormatNames(), ", ")+", or the path of a field map")
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "form of the output: table, or json (one alert a line; the summary on stderr)")
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "exit with 3 if any episode opened")
	return cmd
}

type backtestOptions struct {
	config, format, output string
	exitCode               bool
	files                  []string
}

// batchEvents is how many events are folded between two flushes.
const batchEvents = 50_000

func runBacktest(ctx context.Context, cmd *cobra.Command, o *backtestOptions) error {
	if o.output != "table" && o.output != "json" {
		return usagef("-o is table or json, not %q", o.output)
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
	format, err := event.LoadFormat(o.format)
	if err != nil {
		return none, usagef("%w", err)
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	sink, err := stdout.New("stdout", out, stdout.Format(o.output), cfg.Time.Zone)
	if err != nil {
		return none, err
	}
	bt := &backtest{
		started: time.Now(), sink: sink, progress: newProgress(cmd.ErrOrStderr()),
		local: stream.NewLocal(s.ingest, s.detect, s.correlate, []stream.Topic{{Name: backtestTopic, Partitions: int32(len(o.files))}}),
	}
	bt.summary = *none
	err = bt.read(ctx, format, o.files)
	bt.progress.clear()
	if flush := out.Flush(); err == nil && flush != nil {
		err = fmt.Errorf("writing the alerts: %w", flush)
	}
	return &bt.summary, err
}

const backtestTopic = "files"

// backtest is one run over some files.
type backtest struct {
	started  time.Time
	local    *stream.Local
	sink     alerting.Destination
	progress *progress
	summary  backtestSummary
	pending  int
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
	From     alerting.Time    `json:"from,omitempty"` // of the events read; absent when there are none
	To       alerting.Time    `json:"to,omitempty"`
	Error    string           `json:"error,omitempty"`
}

// input is one file that is being read.
type input struct {
	source  stream.Source
	file    io.ReadCloser
	lines   *event.LineReader
	decoder *event.Decoder
	reached int64 // largest event time so far
	line    int64
	done    bool
}

func (b *backtest) read(ctx context.Context, format *event.Format, files []string) error {
	var inputs []*input
	for i, name := range files {
		file, err := event.OpenRecords(name)
		if err != nil {
			return err
		}
		defer file.Close()
		inputs = append(inputs, &input{
			source: stream.Source{Topic: backtestTopic, Partition: int32(i)},
			file:   file, lines: format.NewReader(file), decoder: format.NewDecoder(),
		})
	}
	for {
		in := slowest(inputs)
		if in == nil {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.chunk(in); err != nil {
			return fmt.Errorf("reading %s: %w", files[in.source.Partition], err)
		}
		if b.pending >= batchEvents {
			if err := b.flush(ctx, b.local.Flush); err != nil {
				return err
			}
		}
	}
	return b.flush(ctx, b.local.End)
}

// slowest returns the input that is least far in event time, so that several
// files advance side by side; nil when all are read.
func slowest(inputs []*input) *input {
	var least *input
	for _, in := range inputs {
		if !in.done && (least == nil || in.reached < least.reached) {
			least = in
		}
	}
	return least
}

// chunkLines is how many lines are read of one file before looking at others.
const chunkLines = 2000

func (b *backtest) chunk(in *input) error {
	yield := func(ev *event.Event, rej *event.Reject) {
		if rej != nil {
			b.summary.Rejected[rej.Reason.String()]++
			return
		}
		b.summary.Events++
		b.pending++
		outcome := b.local.Fold(in.source, b.started.UnixMilli(), ev)
		switch outcome {
		case stream.Counted:
			b.summary.Counted++
		case stream.Late:
			b.summary.Late++
		case stream.Fact:
			b.summary.Facts++
		default:
			b.summary.Rejected[outcome.String()]++
			return
		}
		in.reached = max(in.reached, ev.Time)
		if t := alerting.Time(ev.Time); b.summary.From == 0 || t < b.summary.From {
			b.summary.From = t
		}
		b.summary.To = max(b.summary.To, alerting.Time(ev.Time))
	}
	for range chunkLines {
		line, n, err := in.lines.Next()
		if errors.Is(err, io.EOF) {
			in.done = true
			b.local.Ingest.SetIdle(in.source, true)
			return nil
		}
		if err != nil {
			return err
		}
		in.line = n
		in.decoder.Decode(line, yield)
		b.local.Ingest.Read(in.source, n)
	}
	b.progress.show("%s events, at %s, %d alerts", alerting.Group(b.summary.Events), alerting.Time(in.reached).Std().Format(time.DateTime), b.summary.Alerts)
	return nil
}

// flush hands on what was read and writes the alerts.
func (b *backtest) flush(ctx context.Context, do func() ([]alerting.Alert, error)) error {
	b.pending = 0
	alerts, err := do()
	if err != nil {
		return err
	}
	if len(alerts) > 0 {
		b.progress.clear()
	}
	for i := range alerts {
		b.summary.Alerts++
		if alerts[i].Status == alerting.Open {
			b.summary.Opened++
		}
		if _, err := b.sink.Notify(ctx, &alerts[i]); err != nil {
			return fmt.Errorf("writing an alert: %w", err)
		}
	}
	return nil
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
}
