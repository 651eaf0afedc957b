// Package checkpoint sends checkpoints of the ledger to where those who
// administer Kafka cannot write, a file, a webhook or a witness, and reads them back.
package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/weirhq/weir/alerting/notify/webhook"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/task"
)

// Sender sends one checkpoint outside.
type Sender func(context.Context, *ledger.Checkpoint) error

// ToFile returns a Sender that appends each checkpoint to a file, an empty line after it.
func ToFile(path string) Sender {
	return func(_ context.Context, c *ledger.Checkpoint) error {
		if err := appendTo(path, append(c.Note, '\n')); err != nil {
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
		body, err := json.Marshal(struct {
			Checkpoint string `json:"checkpoint"`
		}{string(c.Note)})
		if err != nil {
			return fmt.Errorf("writing the checkpoint: %w", err)
		}
		if _, err := hook.Send(ctx, fmt.Sprintf("checkpoint_%d_%x", c.Size, c.Root[:8]), body); err != nil {
			return fmt.Errorf("sending the checkpoint: %w", err)
		}
		return nil
	}, nil
}

// appendTo appends to a file that others may read.
func appendTo(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// FromConfig returns what weir run sends by itself, as the section ledger of a
// configuration says; nil if it says nothing.
func FromConfig(c *config.Config) (*task.Checkpoints, error) {
	l := &c.Ledger
	if !l.Sends() {
		return nil, nil
	}
	key, err := ReadSigner(l.KeyFile)
	if err != nil {
		return nil, c.At("ledger.key_file", err)
	}
	out := &task.Checkpoints{Every: l.CheckpointEvery, Key: key}
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

// ReadSigner reads the file of a key to sign checkpoints with.
func ReadSigner(path string) (note.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ledger.ParseSigner(text)
}

// ReadPublicKeys reads the file of the keys to check signatures with.
func ReadPublicKeys(path string) (*ledger.PublicKeys, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ledger.ParsePublicKeys(text)
}

// Read reads files of checkpoints. The error names the first that is wrong.
func Read(files []string, keys *ledger.PublicKeys) (out []ledger.Checkpoint, err error) {
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for i, signed := range ledger.SplitNotes(text) {
			c, err := keys.Open(signed)
			if err != nil {
				return nil, fmt.Errorf("%s: number %d: %w", name, i+1, err)
			}
			out = append(out, c)
		}
	}
	if len(files) > 0 && len(out) == 0 {
		return nil, fmt.Errorf("reading checkpoints: there is none in %v", files)
	}
	return out, nil
}

// ReadOutside reads what was kept outside, files of checkpoints and the file of the keys to
// check them with, and returns the checkpoints and the names of the witnesses. Nothing may
// be named at all.
func ReadOutside(files []string, publicKey string) (out []ledger.Checkpoint, witnesses []string, err error) {
	if (len(files) == 0) != (publicKey == "") {
		return nil, nil, usage.Errorf("--since-checkpoint and --public-key go together")
	}
	if publicKey == "" {
		return nil, nil, nil
	}
	keys, err := ReadPublicKeys(publicKey)
	if err != nil {
		return nil, nil, fmt.Errorf("--public-key %s: %w", publicKey, err)
	}
	for _, w := range keys.Witnesses {
		witnesses = append(witnesses, w.Name())
	}
	out, err = Read(files, keys)
	return out, witnesses, err
}
