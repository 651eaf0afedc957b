// Package checkpoint sends checkpoints of the ledger to where those who
// administer Kafka cannot write, a file or a webhook, and reads them back.
package checkpoint

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/weirhq/weir/alerting/notify/webhook"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/ndjson"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/task"
)

// Sender sends one checkpoint outside.
type Sender func(context.Context, *ledger.Checkpoint) error

// ToFile returns a Sender that appends each checkpoint to a file, one a line.
func ToFile(path string) Sender {
	return func(_ context.Context, c *ledger.Checkpoint) error {
		line, err := json.Marshal(c)
		if err == nil {
			err = appendLine(path, line)
		}
		if err != nil {
			return fmt.Errorf("writing the checkpoint: %w", err)
		}
		return nil
	}
}

// ToWebhook returns a Sender that posts each checkpoint once, signed as alerts
// are (Standard Webhooks).
func ToWebhook(url, secret string) (Sender, error) {
	hook, err := webhook.New(webhook.Options{Name: "checkpoints", URL: url, Secret: secret})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, c *ledger.Checkpoint) error {
		line, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("writing the checkpoint: %w", err)
		}
		if _, err := hook.Send(ctx, fmt.Sprintf("%s_%d_%d", c.Ledger, c.Seq, c.At.UnixMilli()), line); err != nil {
			return fmt.Errorf("sending the checkpoint: %w", err)
		}
		return nil
	}, nil
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

// FromConfig returns what weir run sends by itself, as the section ledger of a
// configuration says; nil if it says nothing.
func FromConfig(c *config.Config) (*task.Checkpoints, error) {
	l := &c.Ledger
	if !l.Sends() {
		return nil, nil
	}
	out := &task.Checkpoints{Every: l.CheckpointEvery}
	if l.KeyFile != "" {
		var err error
		if out.Key, err = ReadPrivateKey(l.KeyFile); err != nil {
			return nil, c.At("ledger.key_file", err)
		}
	}
	var to []string
	// The webhook comes first. What fails is made anew later, so that the file
	// would hold a checkpoint that the webhook never got.
	var senders []Sender
	if l.CheckpointFile != "" {
		to = append(to, "file")
	}
	if l.URL.IsSet() {
		to = append(to, "webhook")
		hook, err := ToWebhook(l.URL.Reveal(), l.Secret.Reveal())
		if err != nil {
			return nil, c.At("ledger.url", err)
		}
		senders = append(senders, hook)
	}
	if l.CheckpointFile != "" {
		senders = append(senders, ToFile(l.CheckpointFile))
	}
	out.To = strings.Join(to, ", ")
	out.Send = func(ctx context.Context, checkpoint *ledger.Checkpoint) error {
		for _, send := range senders {
			if err := send(ctx, checkpoint); err != nil {
				return err
			}
		}
		return nil
	}
	return out, nil
}

// ReadPrivateKey reads the PEM file of a key to sign checkpoints with.
func ReadPrivateKey(path string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ledger.ParsePrivateKey(text)
}

// ReadPublicKey reads the PEM file of a key to check signatures with.
func ReadPublicKey(path string) (ed25519.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ledger.ParsePublicKey(text)
}

// Read reads files of checkpoints, one a line. Where there is a key, each must
// be signed under it. The error names the first line that is wrong.
func Read(files []string, key ed25519.PublicKey) ([]ledger.Checkpoint, error) {
	var out []ledger.Checkpoint
	for _, name := range files {
		var fault error
		err := ndjson.EachLine(name, func(line int, b []byte) {
			c, err := ledger.ParseCheckpoint(b)
			if err == nil && key != nil {
				err = c.Verify(key)
			}
			if err != nil && fault == nil {
				fault = fmt.Errorf("%s:%d: %w", name, line, err)
			}
			out = append(out, c)
		})
		if err := errors.Join(err, fault); err != nil {
			return nil, err
		}
	}
	if len(files) > 0 && len(out) == 0 {
		return nil, fmt.Errorf("reading checkpoints: there is none in %v", files)
	}
	return out, nil
}
