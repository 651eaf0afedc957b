// Command weir watches who reads customer records and says, within hours, when
// someone has begun to carry them away.
//
// One file here is one command: its flags, the call that does the work, and the
// form of its output. The work itself is done in other packages, those under
// internal above all. What several commands need stands in flags.go, config.go
// (the configuration and its Kafka), log.go (the events to read), output.go and
// exit.go.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/usage"
)

func main() { os.Exit(run(os.Args[1:])) }

// run executes one command line and returns the exit code.
func run(args []string) int {
	ctx, stop := untilSignal()
	defer stop()
	cmd := newRootCommand()
	cmd.SetArgs(args)
	return exitCode(cmd.ExecuteContext(ctx), os.Stderr)
}

// untilSignal returns a context that ends with the first signal to stop. A second
// signal ends the process at once.
func untilSignal() (ctx context.Context, stop context.CancelFunc) {
	ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// newRootCommand makes weir with all its commands.
func newRootCommand() *cobra.Command {
	root := withCommands(
		&cobra.Command{
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
		},
		newDemoCommand(), newBacktestCommand(), newTuneCommand(), newExplainCommand(), // on files, or a company that does not exist
		newRunCommand(), newStatusCommand(), newValidateCommand(), newTestCommand(), newTopicsCommand(), newResetCommand(), newNotifyCommand(), // a deployment
		newExtractCommand(), newSuppressedCommand(), newReportCommand(), newEraseCommand(), newLedgerCommand(), // what it has said
		newMapCommand(), newSimulateCommand(), newSOCCommand(), newVersionCommand(),
	)
	withCommands(root, newVerdictCommands()...)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage.Errorf("%w\nsee `%s --help`", err, cmd.CommandPath())
	})
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			asUsage(cmd)
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() } // so that its arguments are checked
		}
	}
	return root
}

// withCommands gives a command commands of its own. By itself it then prints its
// help, and takes no arguments. A wrong number of arguments of one of them is a
// usage error.
func withCommands(cmd *cobra.Command, subs ...*cobra.Command) *cobra.Command {
	cmd.Args = noSuchCommand
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(subs...)
	for _, sub := range subs {
		asUsage(sub)
	}
	return cmd
}

// noSuchCommand refuses the arguments of a command that only has commands of its
// own.
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
