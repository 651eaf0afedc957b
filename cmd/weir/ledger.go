package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// newLedgerCommand makes `weir ledger`: the chain of all that was said.
func newLedgerCommand() *cobra.Command {
	return withCommands(&cobra.Command{
		Use:   "ledger",
		Short: "Verify the chain of alerts, verdicts and settings, and sign it",
		Long: `Every alert, every alert held back, every verdict that took effect and every
change of the settings is one record of the topic weir.ledger, which holds the
hash of the record before it. So nobody can change, drop, move or insert one
without a trace. A checkpoint, kept where those who administer Kafka cannot
write, shows also that the end is still there.`,
		Example: `  weir ledger verify -c weir.yaml
  weir ledger key bank.example/weir --out ledger.key > ledger.pub
  weir ledger checkpoint -c weir.yaml --key ledger.key --out /mnt/audit/weir.checkpoints
  weir ledger verify -c weir.yaml --since-checkpoint /mnt/audit/weir.checkpoints --public-key ledger.pub`,
	}, newLedgerVerifyCommand(), newLedgerCheckpointCommand(), newLedgerKeyCommand(), newLedgerPrintCommand())
}

// newLedgerKeyCommand makes `weir ledger key`.
func newLedgerKeyCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "key NAME --out FILE",
		Short: "Make a key to sign checkpoints with, and print the public key that goes with it",
		Long: `Make a key to sign checkpoints with (Ed25519, in the form of signed notes), write it
to a file that only its owner may read, and print the public key. NAME is that of the
ledger as a transparency log: a host and a path, without a scheme.`,
		Example: `  weir ledger key bank.example/weir --out ledger.key > ledger.pub`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usage.Errorf("key writes the private key to a file: name it with --out")
			}
			private, public, err := ledger.NewKey(args[0])
			if err != nil {
				return err
			}
			f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return fmt.Errorf("writing the key: %w", err)
			}
			_, err = f.WriteString(private + "\n")
			if err := errors.Join(err, f.Close()); err != nil {
				return fmt.Errorf("writing the key: %w", err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), public)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write the private key to; it must not exist")
	return cmd
}

// newLedgerPrintCommand makes `weir ledger print`.
func newLedgerPrintCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "print [-c FILE]",
		Short: "Write the ledger to stdout, one record a line, as it stands on the topic",
		Long: `Write the ledger to stdout, byte for byte as it stands on the topic, one record a
line. Such a copy can be verified anywhere: ` + "`weir ledger verify --input`" + `.`,
		Example: `  weir ledger print -c weir.yaml > ledger.ndjson
  weir ledger print -c weir.yaml | grep '"kind":"verdict"'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, conn, err := reach(cmd, path)
			if err != nil {
				return err
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			err = topics.EachLink(cmd.Context(), conn, topics.Named(c.TopicPrefix), func(_ int64, value []byte) error {
				_, err := out.Write(append(bytes.Clone(value), '\n'))
				return err
			})
			return errors.Join(err, out.Flush())
		},
	}
	configFlag(cmd, &path)
	return cmd
}
