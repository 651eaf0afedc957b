package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/checkpoint"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/verification"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/topics"
)

type verifyOptions struct {
	config, input, publicKey, output string
	since                            []string // files of checkpoints
}

// newLedgerVerifyCommand makes `weir ledger verify`.
func newLedgerVerifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify [-c FILE] [--input FILE] [--since-checkpoint FILE --public-key FILE]",
		Short: "Find what does not agree: chain, state, alerts, verdicts, settings, checkpoints",
		Long: `Read the ledger from its first record to its last and check that each follows
from the one before. Found, and the first one named: a changed byte, a dropped
record, two that were swapped, one that was inserted, one that was written anew.

Of a topic that is read from Kafka the end is held against what weir's own state
knows of it; each alert, each one that was held back, and each verdict against the
topic that has it; and the settings in force against the state and, if the file
given by -c is one that weir could run with, against that.

With --since-checkpoint the ledger is held against checkpoints that were kept
elsewhere: what they no longer agree with is told, and how much came after the
newest. They must be signed with the key in --public-key. --input reads a copy that
` + "`weir ledger print`" + ` wrote; - is standard input.

Records that ` + "`weir erase --before`" + ` has deleted are no break: who did it, when and why is
told. The author must still be one of verdicts.authors; for a copy, of the file given by -c.

Each break is told in one sentence, and the exit code is 1 if there is any.`,
		Example: `  weir ledger verify -c weir.yaml
  weir ledger verify -c weir.yaml --since-checkpoint weir.checkpoints --public-key ledger.pub
  weir ledger verify --input ledger.ndjson -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLedgerVerify(cmd.Context(), cmd, &o) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.input, "input", "", "verify a copy in a file, one record a line, instead of the topic")
	checkpointFlags(cmd, &o.since, &o.publicKey)
	outputFlag(cmd, &o.output)
	return cmd
}

func runLedgerVerify(ctx context.Context, cmd *cobra.Command, o *verifyOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	checkpoints, _, err := checkpoint.ReadOutside(o.since, o.publicKey)
	if err != nil {
		return err
	}
	report := verification.Report{Ledger: o.input, Verifier: ledger.Verifier{Checkpoints: checkpoints}}
	if o.input == "" {
		err = verifyTopic(ctx, cmd, o.config, &report)
	} else {
		err = verifyFile(o, &report)
	}
	if err != nil {
		return err
	}
	whole := report.End()
	if o.output == "json" {
		printLine(cmd.OutOrStdout(), &report)
	} else {
		report.Print(cmd.OutOrStdout())
	}
	if !whole {
		return exitError(1)
	}
	return nil
}

// checkpointFlags adds what checkpoint.ReadOutside reads.
func checkpointFlags(cmd *cobra.Command, files *[]string, publicKey *string) {
	cmd.Flags().StringArrayVar(files, "since-checkpoint", nil, "file of checkpoints; may be given more than once")
	cmd.Flags().StringVar(publicKey, "public-key", "", "file of the key that `weir ledger key` printed and, a line each after it, those of witnesses")
}

// verifyFile verifies a copy. Of a configuration it takes whose word counts.
func verifyFile(o *verifyOptions, r *verification.Report) error {
	if o.config != "" {
		c, err := loadConfig(o.config)
		if err != nil {
			return err
		}
		r.Proof = topics.ProofBy(settings.Authors(c).Check)
	}
	return r.ReadFile(o.input)
}

// verifyTopic verifies the ledger of a deployment.
func verifyTopic(ctx context.Context, cmd *cobra.Command, path string, r *verification.Report) error {
	c, conn, err := reach(cmd, path)
	if err != nil {
		return err
	}
	var atHand []byte // the settings, if weir could run with them
	if runnable := c.CheckRun() == nil; runnable {
		s, err := settings.New(c)
		if err != nil {
			return err
		}
		if atHand, err = deployment.InForce(s, version()); err != nil {
			return err
		}
	}
	r.Proof = topics.ProofBy(settings.Authors(c).Check)
	line, n := progress.New(cmd.ErrOrStderr()), int64(0)
	defer line.Clear()
	return r.ReadTopic(ctx, conn, topics.Named(c.TopicPrefix), atHand, func() {
		n++
		line.Show("%s records", alerting.Group(n))
	})
}
