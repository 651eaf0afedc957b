package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/stream/kafka"
)

// reach reads the configuration of a command that looks into a deployment, or
// adds something to it, and checks that its Kafka answers. What the client
// library has to say at level warn or above goes to log.
func reach(ctx context.Context, path string, log io.Writer) (*config.Config, *kafka.Connection, error) {
	c, err := loadConfig(path)
	if err != nil {
		return nil, nil, err
	}
	conn, err := connection(c, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return nil, nil, err
	}
	return c, conn, conn.Ping(ctx, 20*time.Second)
}

// outputForm checks the value of -o.
func outputForm(form string) error {
	if form != "table" && form != "json" {
		return usagef("-o is table or json, not %q", form)
	}
	return nil
}
