package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/internal/checkpoint"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/topics"
)

type checkpointOptions struct {
	config, key, out, url, secretFile, witness, publicKey string
}

// newLedgerCheckpointCommand makes `weir ledger checkpoint`.
func newLedgerCheckpointCommand() *cobra.Command {
	var o checkpointOptions
	cmd := &cobra.Command{
		Use:   "checkpoint [-c FILE] --key FILE [--out FILE] [--webhook URL --webhook-secret-file FILE] [--witness URL --public-key FILE]",
		Short: "Sign the ledger as it is, and send the signature outside",
		Long: `Read the ledger, check that it is whole, and write a checkpoint: the number of its
records and the root of the Merkle tree over them, signed, in the form of
transparency logs (C2SP tlog-checkpoint). With --out it is appended to a file, with
--webhook posted and signed as alerts are (Standard Webhooks); without either it goes
to stdout. With --witness a witness signs it first (C2SP tlog-witness), which does so
only if the ledger goes on from what it has seen before.

Keep it where those who administer Kafka cannot write: on another machine, in a
mailbox, on paper. Run it by a timer. weir run sends checkpoints by itself where the
section ledger of its configuration says so.`,
		Example: `  weir ledger checkpoint -c weir.yaml --key ledger.key --out /mnt/audit/weir.checkpoints
  weir ledger checkpoint -c weir.yaml --key ledger.key --webhook https://audit.example/weir --webhook-secret-file audit.secret
  weir ledger checkpoint -c weir.yaml --key ledger.key --witness https://witness.example --public-key ledger.pub`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLedgerCheckpoint(cmd.Context(), cmd, &o) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.key, "key", "", "file of the key to sign with, which `weir ledger key` makes")
	cmd.Flags().StringVar(&o.out, "out", "", "file to append the checkpoint to")
	cmd.Flags().StringVar(&o.url, "webhook", "", "URL to post the checkpoint to")
	cmd.Flags().StringVar(&o.secretFile, "webhook-secret-file", "", "file of the webhook's secret, whsec_…")
	cmd.Flags().StringVar(&o.witness, "witness", "", "URL of a witness that signs it too")
	cmd.Flags().StringVar(&o.publicKey, "public-key", "", "file of the ledger's public key and, a line each after it, those of witnesses")
	return cmd
}

func runLedgerCheckpoint(ctx context.Context, cmd *cobra.Command, o *checkpointOptions) error {
	switch {
	case (o.url == "") != (o.secretFile == ""):
		return usage.Errorf("--webhook and --webhook-secret-file go together")
	case (o.witness == "") != (o.publicKey == ""):
		return usage.Errorf("--witness and --public-key go together")
	case o.key == "":
		return usage.Errorf("a checkpoint is signed: name the key with --key; make one with: weir ledger key NAME --out ledger.key")
	}
	key, err := checkpoint.ReadSigner(o.key)
	if err != nil {
		return fmt.Errorf("--key %s: %w", o.key, err)
	}
	c, conn, err := reach(cmd, o.config)
	if err != nil {
		return err
	}
	var records [][]byte
	names := topics.Named(c.TopicPrefix)
	cut, why, err := topics.LedgerCut(ctx, conn, names, topics.ProofBy(settings.Authors(c).Check))
	if err != nil {
		return err
	}
	v := ledger.Verifier{Cut: cut, Uncut: why}
	err = topics.EachLink(ctx, conn, names, func(offset int64, value []byte) error {
		v.Add(fmt.Sprint("offset ", offset), value)
		if o.witness != "" {
			records = append(records, bytes.Clone(value))
		}
		return nil
	})
	if err != nil {
		return err
	}
	found := v.End(ledger.Head{})
	if found.Fault != nil {
		return fmt.Errorf("a ledger that is not whole is not signed: %s", found.Fault.Text)
	}
	made, err := ledger.Sign(&found.Tree, key)
	if err != nil {
		return err
	}
	if o.witness != "" {
		if made, err = o.cosign(ctx, &made, cut, records); err != nil {
			return err
		}
	}
	if o.out == "" && o.url == "" {
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n", made.Note)
		return nil
	}
	if err := o.send(ctx, &made); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Checkpoint of %d records, root %s.\n", made.Size, made.Root)
	return nil
}

// cosign has a witness sign the checkpoint.
func (o *checkpointOptions) cosign(ctx context.Context, c *ledger.Checkpoint, cut *ledger.Cut, records [][]byte) (ledger.Checkpoint, error) {
	keys, err := checkpoint.ReadPublicKeys(o.publicKey)
	if err != nil {
		return *c, fmt.Errorf("--public-key %s: %w", o.publicKey, err)
	}
	w := checkpoint.Witness{URL: o.witness, Client: http.DefaultClient}
	return w.Cosign(ctx, c, cut, records, keys)
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
