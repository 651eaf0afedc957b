package main

import (
	"bufio"
	"bytes"
	"errors"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// newLedgerCommand makes `weir ledger`: the chain of all that was said.
func newLedgerCommand() *cobra.Command {
	return withCommands(&cobra.Command{
		Use:   "ledger",
		Short: "Verify the chain of alerts, verdicts and settings, and sign its end",
		Long: `Every alert, every alert held back, every verdict that took effect and every
change of the settings is one record of the topic weir.ledger, which holds the
hash of the record before it. So nobody can change, drop, move or insert one
without a trace. A checkpoint, kept where those who administer Kafka cannot
write, shows also that the end is still there.`,
		Example: `  weir ledger verify -c weir.yaml
  weir ledger checkpoint -c weir.yaml --key ledger.key --out /mnt/audit/weir.checkpoints
  weir ledger verify -c weir.yaml --checkpoint /mnt/audit/weir.checkpoints --public-key ledger.pub`,
	}, newLedgerVerifyCommand(), newLedgerCheckpointCommand(), newLedgerPrintCommand())
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
			_, err = topics.ReadLedger(cmd.Context(), conn, topics.Named(c.TopicPrefix), func(_ int64, value []byte) error {
				_, err := out.Write(append(bytes.Clone(value), '\n'))
				return err
			})
			return errors.Join(err, out.Flush())
		},
	}
	configFlag(cmd, &path)
	return cmd
}
