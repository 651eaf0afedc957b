package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/internal/checkpoint"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/topics"
)

type checkpointOptions struct {
	config, key, out, url, secretFile string
}

// newLedgerCheckpointCommand makes `weir ledger checkpoint`.
func newLedgerCheckpointCommand() *cobra.Command {
	var o checkpointOptions
	cmd := &cobra.Command{
		Use:   "checkpoint [-c FILE] [--key FILE] [--out FILE] [--webhook URL --webhook-secret-file FILE]",
		Short: "Name the end of the ledger, signed, and send it outside",
		Long: `Write a checkpoint: number and hash of the last record, one line of JSON. With
--key it is signed (Ed25519; make a key with: openssl genpkey -algorithm ed25519
-out ledger.key). With --out it is appended to a file, with --webhook posted and
signed as alerts are (Standard Webhooks); without either it goes to stdout.

Keep it where those who administer Kafka cannot write: on another machine, in a
mailbox, on paper. Run it by a timer; what is said between two checkpoints can
be cut off unseen only together with weir's own state. weir run sends them by
itself where the section ledger of its configuration says so.`,
		Example: `  weir ledger checkpoint -c weir.yaml --key ledger.key --out /mnt/audit/weir.checkpoints
  weir ledger checkpoint -c weir.yaml --key ledger.key --webhook https://audit.example/weir --webhook-secret-file audit.secret`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLedgerCheckpoint(cmd.Context(), cmd, &o) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.key, "key", "", "PEM file of the Ed25519 key to sign with (default: not signed)")
	cmd.Flags().StringVar(&o.out, "out", "", "file to append the checkpoint to")
	cmd.Flags().StringVar(&o.url, "webhook", "", "URL to post the checkpoint to")
	cmd.Flags().StringVar(&o.secretFile, "webhook-secret-file", "", "file of the webhook's secret, whsec_…")
	return cmd
}

func runLedgerCheckpoint(ctx context.Context, cmd *cobra.Command, o *checkpointOptions) error {
	if (o.url == "") != (o.secretFile == "") {
		return usage.Errorf("--webhook and --webhook-secret-file go together")
	}
	var key ed25519.PrivateKey
	if o.key != "" {
		var err error
		if key, err = checkpoint.ReadPrivateKey(o.key); err != nil {
			return fmt.Errorf("--key %s: %w", o.key, err)
		}
	}
	c, conn, err := reach(cmd, o.config)
	if err != nil {
		return err
	}
	names := topics.Named(c.TopicPrefix)
	head, err := topics.LedgerHead(ctx, conn, names)
	if err != nil {
		return err
	}
	made, err := ledger.NewCheckpoint(names.Ledger, head, time.Now(), key)
	if err != nil {
		return err
	}
	if o.out == "" && o.url == "" {
		printLine(cmd.OutOrStdout(), made)
		return nil
	}
	if err := o.send(ctx, &made); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Checkpoint of record %d, %s.\n", made.Seq, made.Hash)
	return nil
}

// send sends a checkpoint to the file and the webhook that are named.
func (o *checkpointOptions) send(ctx context.Context, c *ledger.Checkpoint) error {
	if o.out != "" {
		if err := checkpoint.ToFile(o.out)(ctx, c); err != nil {
			return err
		}
	}
	if o.url == "" {
		return nil
	}
	secret, err := os.ReadFile(o.secretFile)
	if err != nil {
		return fmt.Errorf("reading the webhook's secret: %w", err)
	}
	hook, err := checkpoint.ToWebhook(o.url, string(bytes.TrimSpace(secret)))
	if err != nil {
		return err
	}
	return hook(ctx, c)
}
