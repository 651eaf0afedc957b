package main

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/ndjson"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

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
	return c, cmp.Or(c.CheckRun(), c.CheckExpiry(time.Now()))
}

// loadRunSettings is loadRunConfig in the terms of the operators.
func loadRunSettings(path string) (*settings.Settings, error) {
	c, err := loadRunConfig(path)
	if err != nil {
		return nil, err
	}
	return settings.New(c)
}

// answerTimeout is how long Kafka may take to answer at all.
const answerTimeout = 20 * time.Second

// connect connects to the Kafka of a configuration and checks that it answers.
// Warnings of the client library go to stderr.
func connect(cmd *cobra.Command, c *config.Config) (*cluster.Connection, error) {
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	return connectWith(cmd, c, log)
}

// connectWith is connect with another place for what the client library says.
func connectWith(cmd *cobra.Command, c *config.Config, log *slog.Logger) (*cluster.Connection, error) {
	conn, err := deployment.Connect(c, log)
	if err != nil {
		return nil, err
	}
	return conn, conn.Ping(cmd.Context(), answerTimeout)
}

// reach reads the configuration of a command that looks into a deployment, or
// adds something to it, and connects to its Kafka.
func reach(cmd *cobra.Command, path string) (*config.Config, *cluster.Connection, error) {
	c, err := loadConfig(path)
	if err != nil {
		return nil, nil, err
	}
	conn, err := connect(cmd, c)
	return c, conn, err
}

// readAlerts returns the wanted alerts of a file or, where none is named, of the
// alerts topic, oldest first.
func readAlerts(cmd *cobra.Command, c *config.Config, file string, wanted func(*alerting.Alert) bool) ([]*alerting.Alert, error) {
	if file != "" {
		return ndjson.Alerts(file, wanted)
	}
	conn, err := connect(cmd, c)
	if err != nil {
		return nil, err
	}
	return topics.Alerts(cmd.Context(), conn, topics.Named(c.TopicPrefix), wanted)
}
