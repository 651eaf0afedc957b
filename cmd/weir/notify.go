package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/internal/usage"
)

// newNotifyCommand makes `weir notify`: look after the places alerts go to.
func newNotifyCommand() *cobra.Command {
	return withCommands(&cobra.Command{
		Use:     "notify",
		Short:   "Try the destinations of alerts",
		Long:    `Try the destinations of alerts. Delivering them is the work of weir run.`,
		Example: `  weir notify test chat -c weir.yaml`,
	}, newNotifyTestCommand())
}

// notifyTest is what `weir notify test` is asked for.
type notifyTest struct {
	config, severity, output string
	keep                     bool
}

// newNotifyTestCommand makes `weir notify test`.
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
				return usage.Errorf("notify test needs a configuration: -c FILE")
			}
			if err := checkOutput(o.output); err != nil {
				return err
			}
			severity, err := episode.ParseSeverity(o.severity)
			if err != nil {
				return usage.Errorf("--severity is low, medium, high or critical, not %q", o.severity)
			}
			c, err := loadConfig(o.config)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), c, args[0], severity, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file")
	cmd.Flags().StringVar(&o.severity, "severity", episode.Low.String(), "of the sample: low, medium, high or critical")
	cmd.Flags().BoolVar(&o.keep, "keep", false, "do not tell the receiver that it is over")
	outputFlag(cmd, &o.output)
	return cmd
}

// run sends the sample and prints what came of it.
func (o *notifyTest) run(ctx context.Context, c *config.Config, name string, severity episode.Severity, out io.Writer) error {
	d, err := destinations.Named(c, name)
	if err != nil {
		return err
	}
	conn, err := deployment.Connect(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	env := destinations.Env{Connection: conn, Out: out, Version: version()}
	tested, err := destinations.Test(ctx, c, d, env, severity, o.keep)
	if err != nil {
		return err
	}
	if o.output == "json" {
		printLine(out, tested)
	} else {
		printTested(out, tested)
	}
	if tested.Outcome != notify.Delivered {
		return exitError(1)
	}
	return nil
}

// printTested says what came of the sample.
func printTested(out io.Writer, t *destinations.Tested) {
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
