package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/checkpoint"
	"github.com/weirhq/weir/internal/ndjson"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/topics"
)

type verifyOptions struct {
	config, input, publicKey, output string
	checkpoints                      []string
}

// newLedgerVerifyCommand makes `weir ledger verify`.
func newLedgerVerifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify [-c FILE | --input FILE] [--checkpoint FILE]… [--public-key FILE]",
		Short: "Find any alteration, gap or reordering of the ledger, and name the first",
		Long: `Read the ledger from its first record to its last and check that each follows
from the one before. Found, and the first one named: a changed byte, a dropped
record, two that were swapped, one that was inserted, one that was written anew.

Of a topic that is read from Kafka the end is held against what weir's own state
knows of it, and each alert, each one that was held back, and each verdict against
the topic that has it. With --checkpoint it is held against checkpoints that were kept
elsewhere, so that an end cut off together with the state is found too; with
--public-key their signatures are checked. --input reads a copy that ` + "`weir ledger\nprint`" + ` wrote; - is standard input.

The exit code is 1 if anything is wrong.`,
		Example: `  weir ledger verify -c weir.yaml
  weir ledger verify -c weir.yaml --checkpoint weir.checkpoints --public-key ledger.pub
  weir ledger verify --input ledger.ndjson -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLedgerVerify(cmd.Context(), cmd, &o) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.input, "input", "", "verify a copy in a file, one record a line, instead of the topic")
	cmd.Flags().StringArrayVar(&o.checkpoints, "checkpoint", nil, "file of checkpoints, one a line; may be given more than once")
	cmd.Flags().StringVar(&o.publicKey, "public-key", "", "PEM file of the key under which every checkpoint must be signed")
	outputFlag(cmd, &o.output)
	return cmd
}

// ledgerReport is what verify prints with -o json.
type ledgerReport struct {
	Ledger      string `json:"ledger"`
	Whole       bool   `json:"whole"`
	Checkpoints int    `json:"checkpoints"`
	ledger.Result
}

func runLedgerVerify(ctx context.Context, cmd *cobra.Command, o *verifyOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	if o.input != "" && o.config != "" {
		return usage.Errorf("verify reads the topic (-c) or a copy (--input), not both")
	}
	if o.publicKey != "" && len(o.checkpoints) == 0 {
		return usage.Errorf("--public-key checks the signatures of checkpoints; name them with --checkpoint")
	}
	var key ed25519.PublicKey
	if o.publicKey != "" {
		var err error
		if key, err = checkpoint.ReadPublicKey(o.publicKey); err != nil {
			return fmt.Errorf("--public-key %s: %w", o.publicKey, err)
		}
	}
	checkpoints, err := checkpoint.Read(o.checkpoints, key)
	if err != nil {
		return err
	}
	if key == nil && slices.ContainsFunc(checkpoints, func(c ledger.Checkpoint) bool { return len(c.Signature) > 0 }) {
		fmt.Fprintln(cmd.ErrOrStderr(), "weir: the checkpoints are signed, but without --public-key their signatures are not checked")
	}
	v := ledger.Verifier{Checkpoints: checkpoints}
	report := ledgerReport{Ledger: o.input, Checkpoints: len(checkpoints)}
	var known ledger.Head
	var differs *ledger.Fault // between the ledger and the topics
	if o.input != "" {
		err = ndjson.EachLine(o.input, func(line int, b []byte) { v.Add(fmt.Sprint("line ", line), b) })
	} else {
		known, report.Ledger, differs, err = verifyTopic(ctx, cmd, o.config, &v)
	}
	if err != nil {
		return err
	}
	report.Result = v.End(known)
	if report.Fault == nil {
		report.Fault = differs
	}
	report.Whole = report.Fault == nil
	return report.print(cmd.OutOrStdout(), o.output)
}

// verifyTopic gives the ledger of a deployment to the verifier, holds it against the
// topics that say the same, and returns what weir's own state knows of its end.
func verifyTopic(ctx context.Context, cmd *cobra.Command, path string, v *ledger.Verifier) (known ledger.Head, name string, differs *ledger.Fault, err error) {
	c, conn, err := reach(cmd, path)
	if err != nil {
		return known, "", nil, err
	}
	names := topics.Named(c.TopicPrefix)
	line := progress.New(cmd.ErrOrStderr())
	defer line.Clear()
	n := int64(0)
	known, differs, err = topics.VerifyLedger(ctx, conn, names, v, func() {
		n++
		line.Show("%s records", alerting.Group(n))
	})
	return known, names.Ledger, differs, err
}

// print writes the report, and returns an error unless the ledger is whole.
func (r *ledgerReport) print(w io.Writer, form string) error {
	if form == "json" {
		printLine(w, r)
		if !r.Whole {
			return exitError(1)
		}
		return nil
	}
	if f := r.Fault; f != nil {
		where := ""
		if f.Where != "" {
			where = " (" + f.Where + ")"
		}
		if f.Seq == 0 {
			return fmt.Errorf("the ledger %s and %s do not agree: %s: %s", r.Ledger, f.Where, f.Kind, f.Text)
		}
		return fmt.Errorf("the ledger %s is not whole: %s at record %d%s: %s", r.Ledger, f.Kind, f.Seq, where, f.Text)
	}
	fmt.Fprintf(w, "The ledger %s is whole: %s records", r.Ledger, alerting.Group(r.Records))
	for i, kind := range []ledger.Kind{ledger.Alert, ledger.Suppression, ledger.Verdict, ledger.Refusal, ledger.Config, ledger.Check} {
		fmt.Fprintf(w, "%s%s %s", map[bool]string{true: " (", false: ", "}[i == 0], alerting.Group(r.Kinds[kind]), kind)
	}
	fmt.Fprintln(w, ").")
	if r.Head.Seq > 0 {
		fmt.Fprintf(w, "The last one is number %d, with the hash %s.\n", r.Head.Seq, r.Head.Hash)
	}
	switch r.Checkpoints {
	case 0:
		fmt.Fprintln(w, "It was held against no checkpoint: that its end is still there is known from weir's own state only.")
	case 1:
		fmt.Fprintln(w, "It agrees with the checkpoint.")
	default:
		fmt.Fprintf(w, "It agrees with all %d checkpoints.\n", r.Checkpoints)
	}
	return nil
}
