package main

import (
	"github.com/spf13/cobra"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/demo"
	"github.com/weirhq/weir/internal/usage"
)

// newDemoCommand makes `weir demo`: all of weir on a company that does not
// exist.
func newDemoCommand() *cobra.Command {
	o := demo.Options{Version: version()}
	cmd := &cobra.Command{
		Use:   "demo [--once]",
		Short: "See weir find a leak in a simulated company",
		Long: `See weir find a leak, without Kafka and without data of your own.

A small company is simulated: staff, services and customers, two weeks of
ordinary life, and on the last day forged tokens that read 600 customers an hour
through a busy signing key. Its events go through an embedded Kafka broker and
the same pipeline as ` + "`weir run`" + `, with its defaults of detection. Nothing is written to disk,
but for a small configuration while the console's page Tuning runs.

On a terminal the two weeks go by as fast as they can and the last day at a
multiple of time (--speed), as a picture that Ctrl-C ends. Anywhere else it is
plain lines, all of it as fast as it can, and the demo ends with the day.

What the security team would get in Slack and PagerDuty is shown on a page of
this machine's (--soc), whose address the picture tells.

--once prints the first alert that is about the leak, and the truth to compare
it with, and exits.`,
		Example: `  weir demo
  weir demo --once
  weir demo --once -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(o.Output); err != nil {
				return err
			}
			if o.Output == "json" && !o.Once {
				return usage.Errorf("-o json goes with --once")
			}
			if !cmd.Flags().Changed("speed") {
				o.Speed = demo.DefaultSpeed
				o.AsFast = o.Once || !demo.IsScreen(cmd.OutOrStdout())
			}
			if !cmd.Flags().Changed("soc") && !o.Once && demo.IsScreen(cmd.OutOrStdout()) {
				o.SOC = "127.0.0.1:0"
			}
			switch set := cmd.Flags().Changed("serve"); {
			case o.Once:
				o.Serve = config.Off // nobody would be in time to look
			case set:
				o.Stay = o.Serve != config.Off
			case demo.IsScreen(cmd.OutOrStdout()):
				o.Serve = "127.0.0.1:0"
			}
			if !(o.Speed > 0 && o.Speed <= 1e6) {
				return usage.Errorf("--speed is above 0 and at most 1000000, not %v", o.Speed)
			}
			return demo.Run(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&o.Once, "once", false, "print the first alert about the leak, and exit")
	cmd.Flags().StringVarP(&o.Output, "output", "o", "table", "form of what --once prints: table, or json (the alert; the truth on stderr)")
	cmd.Flags().Float64Var(&o.Speed, "speed", demo.DefaultSpeed, "seconds of the last day that pass in one second (default on a terminal; elsewhere, as fast as it can)")
	cmd.Flags().StringVar(&o.SOC, "soc", config.Off, "address of a page that shows the messages, or off (default on a terminal: a free port of the loopback interface)")
	cmd.Flags().StringVar(&o.Serve, "serve", config.Off, "address of the console, or off (default on a terminal: a free port of the loopback interface); given, the demo stays until interrupted")
	return cmd
}
