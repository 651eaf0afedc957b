package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/stream/kafka"
)

// newValidateCommand makes `weir validate`: check a configuration.
func newValidateCommand() *cobra.Command {
	var path, output string
	cmd := &cobra.Command{
		Use:   "validate -c FILE",
		Short: "Check a configuration without touching Kafka",
		Long: `Check everything about a configuration that can be checked without Kafka: its
form, units and names, the files it points to, formats, destinations. All faults
are told at once, each with its line and what would be right.`,
		Example: `  weir validate -c weir.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return usagef("validate needs a configuration: -c FILE")
			}
			if output != "table" && output != "json" {
				return usagef("-o is table or json, not %q", output)
			}
			c, err := validate(path)
			if output == "json" {
				return writeValidation(cmd.OutOrStdout(), c, err)
			}
			if err != nil {
				return err
			}
			for _, w := range c.Warnings() {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is good for weir run.\n", path)
			return nil
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration file")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "form of the output: table or json")
	return cmd
}

// validate builds everything that run would build before it looks for Kafka.
func validate(path string) (*config.Config, error) {
	c, err := loadConfig(path)
	if err != nil {
		return nil, err
	}
	if err := c.CheckRun(); err != nil {
		return c, err
	}
	s, err := newSettings(c)
	if err != nil {
		return c, err
	}
	_, err = newProcess(s, kafka.Roles, prometheus.NewRegistry(), slog.New(slog.DiscardHandler), io.Discard)
	return c, err
}

func writeValidation(w io.Writer, c *config.Config, err error) error {
	out := struct {
		Valid    bool     `json:"valid"`
		Faults   []string `json:"faults"`
		Warnings []string `json:"warnings"`
	}{Valid: err == nil, Faults: []string{}, Warnings: []string{}}
	var faults config.Faults
	switch {
	case errors.As(err, &faults):
		for _, f := range faults {
			out.Faults = append(out.Faults, f.String())
		}
	case err != nil:
		out.Faults = append(out.Faults, err.Error())
	}
	if c != nil {
		out.Warnings = append(out.Warnings, c.Warnings()...)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if encErr := enc.Encode(out); encErr != nil {
		return fmt.Errorf("writing: %w", encErr)
	}
	if err != nil {
		return exitError(1)
	}
	return nil
}

// newVersionCommand makes `weir version`.
func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of weir",
		Example: `  weir version`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "weir %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// release is set by the linker in a release build; see the Makefile.
var release string

// version names this build: the release, else the commit.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}
