package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/configtest"
)

// newTestCommand makes `weir test`: unit tests of a configuration.
func newTestCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "test FILE…",
		Short: "Run unit tests of a configuration: events in, alerts expected",
		Long: `Run unit tests of a configuration. A FILE of tests stands beside the configuration:
events go in, through the same operators as on Kafka, and the episodes that open, and
those that entries of expected hold back, must be those that the test names
(docs/testing.md). The exit code is 1 if a test fails.`,
		Example: `  weir test weir.test.yaml`,
		Args:    atLeast(1, "at least one FILE of tests"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			var all []configtest.Result
			for _, path := range args {
				suite, err := configtest.Load(path)
				if err != nil {
					return err
				}
				results, err := suite.Run(cmd.Context())
				if err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				all = append(all, results...)
			}
			if output == "json" {
				for _, r := range all {
					printLine(cmd.OutOrStdout(), r)
				}
			} else {
				configtest.Print(cmd.OutOrStdout(), all)
			}
			if slices.ContainsFunc(all, func(r configtest.Result) bool { return !r.Passed }) {
				return exitError(1)
			}
			return nil
		},
	}
	outputFlag(cmd, &output)
	return cmd
}
