package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/internal/usage"
)

// configFlag adds -c to a command for which the defaults will do.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "", "configuration file (default: no file, all defaults)")
}

// formatFlag adds --format to a command that reads files of events.
func formatFlag(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVar(format, "format", "native", "format of the files: "+strings.Join(fieldmap.Names(), ", ")+", or the path of a field map")
}

// outputFlag adds -o to a command.
func outputFlag(cmd *cobra.Command, form *string) {
	cmd.Flags().StringVarP(form, "output", "o", "table", "form of the output: table or json")
}

// checkOutput checks the value of -o.
func checkOutput(form string) error {
	if form != "table" && form != "json" {
		return usage.Errorf("-o is table or json, not %q", form)
	}
	return nil
}

// atLeast checks that a command was given at least n arguments; what names
// them.
func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return fmt.Errorf("%s needs %s", cmd.Name(), what)
		}
		return nil
	}
}

// parseSpan reads one of Go's durations, or whole days such as 14d.
func parseSpan(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n < 36500
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}
