package main

import (
	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/status"
	"github.com/weirhq/weir/internal/usage"
)

// newStatusCommand makes `weir status`: how a deployment is.
func newStatusCommand() *cobra.Command {
	var path, output string
	cmd := &cobra.Command{
		Use:   "status -c FILE",
		Short: "Tell how a deployment is, and why nothing is said",
		Long: `Tell how a running deployment is: who works, what comes in and what is rejected,
since when is learned and until when, which facts lack their input, what is judged
and how far, what was used of the budget, and whether messages arrive. First comes
what must be mended, and why little or nothing is said.

All of it is read from Kafka, where the processes leave it every five seconds; no
process is asked. /status on http.listen answers with the same as -o json writes.

Exit codes: 0 nothing must be mended, 1 something must or Kafka does not answer.`,
		Example: `  weir status -c weir.yaml
  weir status -c weir.yaml -o json | jq .reasons`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return usage.Errorf("status needs a configuration: -c FILE")
			}
			if err := checkOutput(output); err != nil {
				return err
			}
			return runStatus(cmd, path, output)
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration file")
	outputFlag(cmd, &output)
	return cmd
}

func runStatus(cmd *cobra.Command, path, output string) error {
	c, conn, err := reach(cmd, path)
	if err != nil {
		return err
	}
	s, err := status.Read(cmd.Context(), conn, c)
	if err != nil {
		return err
	}
	if output == "json" {
		printLine(cmd.OutOrStdout(), s)
	} else if err := s.Print(cmd.OutOrStdout(), c.Time.Zone); err != nil {
		return err
	}
	if len(s.Faults) > 0 {
		return exitError(1)
	}
	return nil
}
