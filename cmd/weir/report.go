package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/console/follow"
	"github.com/weirhq/weir/console/report"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
)

// newReportCommand makes `weir report`: a week on one page.
func newReportCommand() *cobra.Command {
	var path, week, output string
	cmd := &cobra.Command{
		Use:   "report -c FILE [--week 2026-W10]",
		Short: "Add up a week: what was sent, what people said, what was held back",
		Long: `Add up a week as Markdown, which reads as plain text too: what opened and was sent,
how fast and with which verdicts people answered, false alarms by detector, measure
and dimension with the reasons that people gave, what was used of the budget, and
what was held back. The page /report of the console shows the same.

A week begins on Monday in the configured time zone (ISO 8601), in event time.
Without --week it is the week of the latest message.`,
		Example: `  weir report -c weir.yaml
  weir report -c weir.yaml --week 2026-W10 -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			return runReport(cmd, path, week, output)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&week, "week", "", "the week, such as 2026-W10 (default: that of the latest message)")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "form of the output: table (Markdown) or json")
	return cmd
}

func runReport(cmd *cobra.Command, path, week, output string) error {
	f, s, err := followerOf(cmd, path)
	if err != nil {
		return err
	}
	snapshot, err := f.Once(cmd.Context())
	if err != nil {
		return err
	}
	zone := s.Config.Time.Zone
	from, err := report.ParseWeek(week, snapshot.Now().Std(), zone)
	if err != nil {
		return usage.Errorf("--week: %w", err)
	}
	r := report.Of(snapshot, from)
	if output == "json" {
		printLine(cmd.OutOrStdout(), r)
		return nil
	}
	return r.Print(cmd.OutOrStdout(), zone)
}

// followerOf returns what reads weir's topics, of the configuration in a file.
func followerOf(cmd *cobra.Command, path string) (*follow.Follower, *settings.Settings, error) {
	c, conn, err := reach(cmd, path)
	if err != nil {
		return nil, nil, err
	}
	s, err := settings.New(c)
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	f, err := deployment.Follower(s, conn, log)
	return f, s, err
}
