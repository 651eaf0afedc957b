package main

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/kafka"
)

// configFlag adds -c to a command for which the defaults will do.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "", "configuration file (default: no file, all defaults)")
}

// outputFlag adds -o to a command.
func outputFlag(cmd *cobra.Command, form *string) {
	cmd.Flags().StringVarP(form, "output", "o", "table", "form of the output: table or json")
}

// loadConfig reads the file, or gives the defaults when none is named.
func loadConfig(path string) (*config.Config, error) {
	if path == "" {
		return config.Default(), nil
	}
	return config.Load(path)
}

// loadSettings reads the file, or takes the defaults when none is named, in the
// terms of the operators.
func loadSettings(path string) (*settings.Settings, error) {
	c, err := loadConfig(path)
	if err != nil {
		return nil, err
	}
	return settings.New(c)
}

// loadRunConfig reads the file and checks that weir run could start with it. The
// configuration is returned with the error, if it could be read.
func loadRunConfig(path string) (*config.Config, error) {
	c, err := loadConfig(path)
	if err != nil {
		return nil, err
	}
	return c, c.CheckRun()
}

// answerTimeout is how long Kafka may take to answer at all.
const answerTimeout = 20 * time.Second

// connect connects to the Kafka of a configuration and checks that it answers.
// What the client library has to say goes to log.
func connect(ctx context.Context, c *config.Config, log *slog.Logger) (*kafka.Connection, error) {
	conn, err := deployment.Connect(c, log)
	if err != nil {
		return nil, err
	}
	return conn, conn.Ping(ctx, answerTimeout)
}

// reach reads the configuration of a command that looks into a deployment, or
// adds something to it, and checks that its Kafka answers. Warnings of the client
// library go to log.
func reach(ctx context.Context, path string, log io.Writer) (*config.Config, *kafka.Connection, error) {
	c, err := loadConfig(path)
	if err != nil {
		return nil, nil, err
	}
	conn, err := connect(ctx, c, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})))
	return c, conn, err
}

// openFiles returns files of a format as a log.
func openFiles(names []string, format string) (*backtest.Files, error) {
	f, err := files.LoadFormat(format)
	if err != nil {
		return nil, usage.Errorf("%w", err)
	}
	return &backtest.Files{Names: names, Format: f}, nil
}

// openFilesTwice is openFiles for what reads the log more than once, which
// standard input does not allow; who names it.
func openFilesTwice(who string, names []string, format string) (*backtest.Files, error) {
	files, err := openFiles(names, format)
	if err == nil && slices.Contains(names, "-") {
		err = usage.Errorf("%s reads the log several times, which standard input does not allow; name a file", who)
	}
	return files, err
}

// openLog returns the files as a log or, where none is named, the source topics
// of the configuration at path, which s was made from. It is for commands that
// read the log more than once.
func openLog(ctx context.Context, cmd *cobra.Command, files []string, format, path string, s *settings.Settings) (backtest.Log, error) {
	if len(files) > 0 {
		return openFilesTwice(cmd.Name(), files, format)
	}
	if path == "" {
		return nil, usage.Errorf("%s needs FILEs, or a configuration (-c FILE), whose source topics it then reads", cmd.Name())
	}
	if len(s.Config.Sources) == 0 {
		return nil, s.Config.CheckRun()
	}
	_, conn, err := reach(ctx, path, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	return backtest.OpenTopics(ctx, conn, s.Config)
}
