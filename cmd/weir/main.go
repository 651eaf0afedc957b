// Command weir watches who reads customer records and says, within hours, when
// someone has begun to carry them away. One file here is one command; the work
// is done in the packages that they wire together.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	_ "time/tzdata" // time zones where the system has none

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/usage"
)

func main() { os.Exit(run(os.Args[1:])) }

// run executes one command line and returns the exit code.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := newRootCommand()
	cmd.SetArgs(args)
	return exitCode(cmd.ExecuteContext(ctx), os.Stderr)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "weir",
		Short: "See who carries customer records away",
		Long: `weir watches access events and says, within hours and with few false alarms,
which user, key, network, client or endpoint has begun to carry customer records
away, how many, and since when.`,
		Example: `  weir demo                                    # see it work, without anything else
  weir backtest access.ndjson.gz               # what it would have said of your own log
  weir run -c weir.yaml                        # watch a Kafka topic`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage.Errorf("%w\nsee `%s --help`", err, cmd.CommandPath())
	})
	root.AddCommand(newDemoCommand(), newBacktestCommand(), newTuneCommand(), newExplainCommand(), newRunCommand(), newSimulateCommand(), newMapCommand(), newNotifyCommand(), newSOCCommand(),
		newValidateCommand(), newTopicsCommand(), newResetCommand(), newVersionCommand())
	root.AddCommand(newExtractCommand(), newLedgerCommand())
	root.AddCommand(newVerdictCommands()...)
	root.AddCommand(newSuppressedCommand())
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		asUsage(cmd)
		if cmd.Name() == "completion" {
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() } // so that its arguments are checked
		}
	}
	return root
}

func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage.Errorf("there is no command %q; see `weir --help`", args[0])
	}
	return nil
}

// asUsage makes a wrong number of arguments a usage error.
func asUsage(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage.Errorf("%w\nsee `%s --help`", err, cmd.CommandPath())
		}
		return nil
	}
}
