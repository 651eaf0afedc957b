package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/explain"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/topics"
)

type explainOptions struct {
	config, format, output string
	alerts, identity, bin  string
	inputs                 []string
	replay                 bool
	key                    string
}

// newExplainCommand makes `weir explain`: the arithmetic of an alert.
func newExplainCommand() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain DEDUP_KEY | --identity DIMENSION:NAME [--bin TIME]  -c FILE | --alerts FILE | --input FILE",
		Short: "Recompute each number of an alert, or of any bin",
		Long: `Take an alert apart and compute each of its numbers again from what it is made
of: what was expected (level × shape × mode), the evidence of each measure (from
that of each drift rate), the combined evidence (from the measures'), the
threshold (from theory and from the fleet's own tail), and beside them how
unlikely such a count is. What does not agree is said, and ends with exit code 1.

The alert comes from the alerts topic (-c FILE) or from a file of alerts, such as
the output of backtest -o json (--alerts FILE). It is the last of the episode
whose numbers stand behind it; instead of a DEDUP_KEY an identity may be given,
and a time that lies in the bin that made the case, or in the episode.

With --input FILE, or --replay for the source topics of the configuration, the
log is read again: the counts are taken from the events themselves, without any
sketch, and the same operators say whether they raise the same alert.

With a log, --identity and --bin, and no --alerts, no alert is needed: the
operators read the log up to the end of the bin in which the time lies, and what
they make of the identity there is told and computed again, alert or not.`,
		Example: `  weir explain weir-dffa33c0917f4f02 -c weir.yaml
  weir explain weir-dffa33c0917f4f02 --alerts alerts.ndjson --input access.ndjson.gz
  weir explain --identity user:ana --bin 2026-03-02T14:00:00Z --alerts alerts.ndjson -o json
  weir explain --identity user:ana --bin 2026-03-02T14:00:00Z --input access.ndjson.gz`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return errors.New("explain takes one DEDUP_KEY, as it stands in the alert")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.key = strings.Join(args, "")
			return runExplain(cmd.Context(), cmd, &o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file (default with --alerts: no file, all defaults)")
	f.StringVar(&o.alerts, "alerts", "", "file of alerts, one a line, or - (default: the alerts topic)")
	f.StringVar(&o.identity, "identity", "", "DIMENSION:NAME, instead of an alert's key")
	f.StringVar(&o.bin, "bin", "", "with --identity, a time in the bin that made the case, or in the episode; with a log alone, in any bin")
	f.StringArrayVar(&o.inputs, "input", nil, "file of events to count again; may be given more than once")
	formatFlag(cmd, &o.format)
	f.BoolVar(&o.replay, "replay", false, "count the source topics of the configuration again")
	outputFlag(cmd, &o.output)
	return cmd
}

// check refuses flags that contradict each other, and a call that lacks some.
func (o *explainOptions) check() error {
	switch {
	case (o.key == "") == (o.identity == ""):
		return usage.Errorf("explain needs either one DEDUP_KEY, as it stands in the alert, or --identity DIMENSION:NAME")
	case o.bin != "" && o.identity == "":
		return usage.Errorf("--bin goes with --identity; a DEDUP_KEY names the episode by itself")
	case o.alerts == "" && o.config == "" && !o.ofBin():
		return usage.Errorf("explain needs a configuration, to read the alerts topic (-c FILE), or a file of alerts (--alerts FILE); or --identity, --bin and a log (--input FILE)")
	case o.replay && o.config == "":
		return usage.Errorf("--replay reads the source topics and needs a configuration (-c FILE); for files there is --input FILE")
	case o.replay && len(o.inputs) > 0:
		return usage.Errorf("--replay reads topics and --input files; leave one of the two out")
	case o.identity != "" && !strings.Contains(o.identity, ":"):
		return usage.Errorf("--identity %q: want DIMENSION:NAME, such as user:ana", o.identity)
	}
	return checkOutput(o.output)
}

// ofBin reports whether a bin is to be explained from the log alone, alert or
// not.
func (o *explainOptions) ofBin() bool {
	return o.identity != "" && o.bin != "" && o.alerts == "" && o.rereads()
}

// rereads reports whether the log is to be read again.
func (o *explainOptions) rereads() bool { return o.replay || len(o.inputs) > 0 }

func runExplain(ctx context.Context, cmd *cobra.Command, o *explainOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	s, err := loadSettings(o.config)
	if err != nil {
		return err
	}
	var x *explain.Explanation
	if o.ofBin() {
		x, err = explainBin(ctx, cmd, o, s)
	} else {
		x, err = explainAlert(ctx, cmd, o, s)
	}
	if err != nil {
		return err
	}
	if o.output == "json" {
		printLine(cmd.OutOrStdout(), x)
	} else {
		printExplanation(cmd.OutOrStdout(), x)
	}
	if !x.Agrees {
		return exitError(1)
	}
	return nil
}

// explainAlert takes apart the latest alert that is asked for.
func explainAlert(ctx context.Context, cmd *cobra.Command, o *explainOptions, s *settings.Settings) (*explain.Explanation, error) {
	a, err := o.find(cmd, s)
	if err != nil {
		return nil, err
	}
	x := explain.OfAlert(a)
	if o.alerts == "" {
		held, err := heldBy(cmd, s.Config, a)
		if err != nil {
			return nil, err
		}
		x.HeldBack(held)
	}
	if !o.rereads() {
		return x, nil
	}
	log, err := openLog(cmd, o.inputs, o.format, o.config, s)
	if err != nil {
		return nil, err
	}
	return x, x.Replay(ctx, s, log, a, progress.New(cmd.ErrOrStderr()))
}

// heldBy returns what held an alert of the deployment back, nil if nothing did.
func heldBy(cmd *cobra.Command, c *config.Config, a *alerting.Alert) (*correlate.SuppressedBy, error) {
	conn, err := connect(cmd, c)
	if err != nil {
		return nil, err
	}
	var by *correlate.SuppressedBy
	err = topics.ReadSuppressed(cmd.Context(), conn, topics.Named(c.TopicPrefix), func(s *correlate.Suppressed) error {
		if s.Alert.DedupKey == a.DedupKey && s.Alert.Time == a.Time && s.Alert.Status == a.Status {
			by = &s.By
		}
		return nil
	})
	return by, err
}

// explainBin takes apart what the operators make of the identity in the bin.
func explainBin(ctx context.Context, cmd *cobra.Command, o *explainOptions, s *settings.Settings) (*explain.Explanation, error) {
	at, err := parseBin(o.bin)
	if err != nil {
		return nil, err
	}
	log, err := openLog(cmd, o.inputs, o.format, o.config, s)
	if err != nil {
		return nil, err
	}
	dimension, identity, _ := strings.Cut(o.identity, ":")
	return explain.OfBin(ctx, s, log, dimension, identity, at, progress.New(cmd.ErrOrStderr()))
}

// find returns the latest alert of the episode that is asked for.
func (o *explainOptions) find(cmd *cobra.Command, s *settings.Settings) (*alerting.Alert, error) {
	wanted, err := o.wanted()
	if err != nil {
		return nil, err
	}
	list, err := readAlerts(cmd, s.Config, o.alerts, wanted)
	if err != nil {
		return nil, err
	}
	switch {
	case len(list) > 0:
		return list[len(list)-1], nil
	case o.key != "":
		return nil, fmt.Errorf("there is no alert of the episode %s: give the dedup_key as it stands in the alert", o.key)
	}
	return nil, fmt.Errorf("there is no alert of %s %s", o.identity, o.bin)
}

// wanted tells the alerts of the episode that is asked for.
func (o *explainOptions) wanted() (func(*alerting.Alert) bool, error) {
	if o.key != "" {
		return explain.ByKey(o.key), nil
	}
	var at time.Time
	if o.bin != "" {
		var err error
		if at, err = parseBin(o.bin); err != nil {
			return nil, err
		}
	}
	dimension, identity, _ := strings.Cut(o.identity, ":")
	return explain.ByIdentity(dimension, identity, at), nil
}

// parseBin reads the value of --bin.
func parseBin(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usage.Errorf("--bin %q: want a time such as 2026-03-02T14:00:00Z", text)
	}
	return at, nil
}

// printExplanation writes an explanation for people.
func printExplanation(w io.Writer, x *explain.Explanation) {
	who := x.Dimension + " " + alerting.Printable(x.Identity, 120)
	if x.DedupKey == "" {
		fmt.Fprintf(w, "%s, from %s to %s", who, x.Bin, x.Time)
	} else {
		fmt.Fprintf(w, "%s: %s, %s at %s", x.DedupKey, who, x.Status, x.Time)
	}
	fmt.Fprintf(w, "\n%s\n\n", alerting.Printable(x.Summary, 2000))
	if len(x.Numbers) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "number\ttold\tagain\t\tfrom")
		for _, n := range x.Numbers {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", n.Name, n.StatedText(), n.AgainText(), n.Verdict(), n.From)
		}
		t.Flush()
		fmt.Fprintln(w)
	}
	for _, note := range x.Notes {
		fmt.Fprintf(w, "- %s\n", alerting.Printable(note, 500))
	}
}
