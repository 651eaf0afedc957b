package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/weirhq/weir/alerting/notify/webhook"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka"
)

// checkpoints wires the section ledger of a configuration; nil if it sends
// nothing.
func checkpoints(c *config.Config) (*kafka.Checkpoints, error) {
	l := &c.Ledger
	if !l.Sends() {
		return nil, nil
	}
	out := &kafka.Checkpoints{Every: l.CheckpointEvery}
	if l.KeyFile != "" {
		text, err := os.ReadFile(l.KeyFile)
		if err == nil {
			out.Key, err = ledger.ParsePrivateKey(text)
		}
		if err != nil {
			return nil, c.At("ledger.key_file", err)
		}
	}
	var to []string
	var hook *webhook.Webhook
	if l.CheckpointFile != "" {
		to = append(to, "file")
	}
	if l.URL.IsSet() {
		to = append(to, "webhook")
		var err error
		if hook, err = checkpointHook(l.URL.Reveal(), l.Secret.Reveal()); err != nil {
			return nil, c.At("ledger.url", err)
		}
	}
	out.To = strings.Join(to, ", ")
	out.Send = func(ctx context.Context, checkpoint *ledger.Checkpoint) error {
		line, err := json.Marshal(checkpoint)
		if err != nil {
			return fmt.Errorf("writing the checkpoint: %w", err)
		}
		if hook != nil {
			if err := postCheckpoint(ctx, hook, checkpoint, line); err != nil {
				return err
			}
		}
		if l.CheckpointFile == "" {
			return nil
		}
		if err := appendLine(l.CheckpointFile, line); err != nil {
			return fmt.Errorf("writing the checkpoint: %w", err)
		}
		return nil
	}
	return out, nil
}

func checkpointHook(url, secret string) (*webhook.Webhook, error) {
	return webhook.New(webhook.Options{Name: "checkpoints", URL: url, Secret: secret})
}

// postCheckpoint posts one checkpoint, once.
func postCheckpoint(ctx context.Context, hook *webhook.Webhook, c *ledger.Checkpoint, line []byte) error {
	if _, err := hook.Send(ctx, fmt.Sprintf("%s_%d_%d", c.Ledger, c.Seq, c.At.UnixMilli()), line); err != nil {
		return fmt.Errorf("sending the checkpoint: %w", err)
	}
	return nil
}

// appendLine appends a line to a file that others may read.
func appendLine(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}
