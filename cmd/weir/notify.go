package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/config"
)

// newNotifyCommand makes `weir notify`: look after the places alerts go to.
func newNotifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "notify",
		Short:   "Try the destinations of alerts",
		Long:    `Try the destinations of alerts. Delivering them is the work of weir run.`,
		Example: `  weir notify test chat -c weir.yaml`,
		Args:    noSuchCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNotifyTestCommand())
	for _, sub := range cmd.Commands() {
		asUsage(sub)
	}
	return cmd
}

// notifyTest is what `weir notify test` is asked for.
type notifyTest struct {
	config, severity, output string
	keep                     bool
}

func newNotifyTestCommand() *cobra.Command {
	var o notifyTest
	cmd := &cobra.Command{
		Use:   "test DESTINATION -c FILE",
		Short: "Send a marked sample to a destination, and say what came back",
		Long: `Send a sample that says that it is one to a destination of the configuration, and
say what the receiver answered. One attempt is made, whatever the routes and
quiet hours are; a receiver that keeps incidents is told at once that it is over.

Exit code 0: delivered; 1: not delivered; 2: there is no such destination, or
the command was called wrongly.`,
		Example: `  weir notify test chat -c weir.yaml
  weir notify test pager -c weir.yaml --severity critical --keep
  weir notify test pager -c weir.yaml -o json`,
		Args: cobra.MatchAll(cobra.MaximumNArgs(1), atLeast(1, "the name of a destination")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.config == "" {
				return usagef("notify test needs a configuration: -c FILE")
			}
			if err := outputForm(o.output); err != nil {
				return err
			}
			if alerting.Severity(o.severity).Rank() == 0 {
				return usagef("--severity is low, medium, high or critical, not %q", o.severity)
			}
			c, err := loadConfig(o.config)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), c, args[0], cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file")
	cmd.Flags().StringVar(&o.severity, "severity", string(alerting.Low), "of the sample: low, medium, high or critical")
	cmd.Flags().BoolVar(&o.keep, "keep", false, "do not tell the receiver that it is over")
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "form of the output: table or json")
	return cmd
}

// tested is what came of a test.
type tested struct {
	Destination string         `json:"destination"`
	Type        string         `json:"type"`
	Outcome     notify.Outcome `json:"outcome"`
	Reason      string         `json:"reason,omitempty"` // what the receiver said
	Retried     bool           `json:"would_be_retried"` // by weir run
	Closed      bool           `json:"closed"`           // the receiver was told that it is over
	Millis      int64          `json:"millis"`           // how long it took
	DedupKey    string         `json:"dedup_key"`
}

func (o *notifyTest) run(ctx context.Context, c *config.Config, name string, out io.Writer) error {
	d, err := destinationNamed(c, name)
	if err != nil {
		return err
	}
	conn, err := connection(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	dest, err := newDestination(c, d, conn, out)
	if err != nil {
		return err
	}
	began := time.Now()
	a := testAlert(c, name, alerting.Severity(o.severity), began)
	policy := notify.Policy{
		Timeout: d.Timeout, MaxAttempts: 1, PerMinute: -1,
		Prepare: alerting.Preparer(alerting.LinkTemplates(c.Alerts.Links)),
	}
	deliverer := notify.NewDeliverer(dest, policy, notify.Env{})
	result, err := deliverer.Deliver(ctx, a, began)
	if err != nil {
		return err
	}
	t := tested{
		Destination: name, Type: d.Type, Outcome: result.Outcome, Reason: strings.TrimPrefix(result.Reason, "no attempts left; the last attempt: "),
		Retried: result.Outcome == notify.GivenUp, DedupKey: a.DedupKey,
	}
	if result.Outcome == notify.Delivered && !o.keep {
		over := *a
		over.Status, over.Time = alerting.Close, a.Time+1
		over.Summary = "Over: this was a test of weir; nothing has happened."
		end, err := deliverer.DeliverReference(ctx, &over, began, result.Reference)
		if err != nil {
			return err
		}
		t.Closed = end.Outcome == notify.Delivered
		t.Outcome, t.Reason = end.Outcome, end.Reason
	}
	t.Millis = time.Since(began).Milliseconds()
	return o.tell(out, &t)
}

func (o *notifyTest) tell(out io.Writer, t *tested) error {
	if o.output == "json" {
		if err := json.NewEncoder(out).Encode(t); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	} else {
		t.print(out)
	}
	if t.Outcome != notify.Delivered {
		return exitError(1)
	}
	return nil
}

func (t *tested) print(out io.Writer) {
	switch {
	case t.Outcome == notify.Delivered && t.Closed:
		fmt.Fprintf(out, "%s (%s) took the sample and its end, in %d ms. Look for %s there.\n", t.Destination, t.Type, t.Millis, t.DedupKey)
	case t.Outcome == notify.Delivered:
		fmt.Fprintf(out, "%s (%s) took the sample, in %d ms; it stays open there as %s.\n", t.Destination, t.Type, t.Millis, t.DedupKey)
	case t.Retried:
		fmt.Fprintf(out, "%s (%s) did not take the sample: %s.\nweir run would try again.\n", t.Destination, t.Type, t.Reason)
	default:
		fmt.Fprintf(out, "%s (%s) did not take the sample: %s.\nweir run would not try again: something has to be changed first.\n", t.Destination, t.Type, t.Reason)
	}
}

func destinationNamed(c *config.Config, name string) (*config.Destination, error) {
	var names []string
	for i := range c.Alerts.Destinations {
		d := &c.Alerts.Destinations[i]
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	if len(names) == 0 {
		return nil, usagef("%s has no destinations; add one under alerts.destinations", c.File())
	}
	return nil, usagef("%s has no destination %q; it has %s", c.File(), name, strings.Join(names, ", "))
}

// testAlert is an alert that says everywhere that it is none.
func testAlert(c *config.Config, name string, severity alerting.Severity, now time.Time) *alerting.Alert {
	at := alerting.Time(now.UnixMilli())
	bin := at - at%3600_000
	a := &alerting.Alert{
		Schema: alerting.Schema, DedupKey: alerting.DedupKey("test", name, int64(at)), Status: alerting.Open, Time: at, Onset: bin - 3600_000,
		Kind: alerting.Statistical, Dimension: "user", Identity: "weir-notify-test", Detector: "test", Measure: "distinct",
		Severity: severity, Confidence: alerting.Possible, Observed: 120, Expected: 12,
		Exposed: alerting.Exposed{Records: 240, Low: 240, High: 240, Since: bin - 3600_000},
		Benign:  []string{"It is a test, sent by weir notify test."},
		Checks:  []string{"Nothing: see only that it came, and that it is readable."},
		Evidence: alerting.Evidence{
			Bin: bin, BinWidth: "1h0m0s", LogValue: 7, Threshold: 6, Budget: float64(c.Alerts.Budget), Measures: []alerting.MeasureEvidence{},
		},
	}
	a.Summary = "This is a test of weir; nothing has happened. An alert would read: " + alerting.Summarize(a, c.Time.Zone)
	return a
}
