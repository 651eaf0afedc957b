package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/collector"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
)

// openFiles returns files of a format as a log.
func openFiles(names []string, format string) (*backtest.Files, error) {
	f, err := files.LoadFormat(format)
	if err != nil {
		return nil, usage.Errorf("%w", err)
	}
	collector.Seldom()
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
func openLog(cmd *cobra.Command, files []string, format, path string, s *settings.Settings) (backtest.Log, error) {
	if len(files) > 0 {
		return openFilesTwice(cmd.Name(), files, format)
	}
	if path == "" {
		return nil, usage.Errorf("%s needs FILEs, or a configuration (-c FILE), whose source topics it then reads", cmd.Name())
	}
	if len(s.Config.Sources) == 0 {
		return nil, s.Config.CheckRun()
	}
	conn, err := connect(cmd, s.Config)
	if err == nil {
		err = s.ReadAliases(cmd.Context(), conn)
	}
	if err != nil {
		return nil, err
	}
	return backtest.OpenTopics(cmd.Context(), conn, s.Config)
}
