package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
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
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("validate takes the configuration by -c: weir validate -c %s", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return usage.Errorf("validate needs a configuration: -c FILE")
			}
			if err := checkOutput(output); err != nil {
				return err
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
	outputFlag(cmd, &output)
	return cmd
}

// validate builds everything that run would build before it looks for Kafka.
func validate(path string) (*config.Config, error) {
	c, err := loadRunConfig(path)
	if err != nil {
		return c, err
	}
	s, err := settings.New(c)
	if err != nil {
		return c, err
	}
	_, err = deployment.New(s, deployment.Options{
		Roles: kafka.Roles, Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Out: io.Discard, Version: version(),
	})
	return c, err
}

// writeValidation writes what validate found as JSON.
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
