package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/checkpoint"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/ndjson"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
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
		Use:   "verify [-c FILE | --input FILE] [--since-checkpoint FILE --public-key FILE]",
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

Each break is told in one sentence, and the exit code is 1 if there is any.`,
		Example: `  weir ledger verify -c weir.yaml
  weir ledger verify -c weir.yaml --since-checkpoint weir.checkpoints --public-key ledger.pub
  weir ledger verify --input ledger.ndjson -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLedgerVerify(cmd.Context(), cmd, &o) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.input, "input", "", "verify a copy in a file, one record a line, instead of the topic")
	cmd.Flags().StringArrayVar(&o.since, "since-checkpoint", nil, "file of checkpoints; may be given more than once")
	cmd.Flags().StringVar(&o.publicKey, "public-key", "", "file of the key that `weir ledger key` printed and, a line each after it, those of witnesses")
	outputFlag(cmd, &o.output)
	return cmd
}

// ledgerReport is what verify prints with -o json.
type ledgerReport struct {
	Ledger      string `json:"ledger"`
	Whole       bool   `json:"whole"`
	Checkpoints int    `json:"checkpoints"`
	newest      *ledger.Checkpoint
	ledger.Result
	Faults []ledger.Fault `json:"faults"`
}

func runLedgerVerify(ctx context.Context, cmd *cobra.Command, o *verifyOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	if o.input != "" && o.config != "" {
		return usage.Errorf("verify reads the topic (-c) or a copy (--input), not both")
	}
	checkpoints, err := o.checkpoints()
	if err != nil {
		return err
	}
	v := ledger.Verifier{Checkpoints: checkpoints}
	report := ledgerReport{Ledger: o.input, Checkpoints: len(checkpoints), newest: ledger.Newest(checkpoints), Faults: []ledger.Fault{}}
	if o.input != "" {
		err = ndjson.EachLine(o.input, func(line int, b []byte) { v.Add(fmt.Sprint("line ", line), b) })
		if report.Result = v.End(ledger.Head{}); report.Fault != nil {
			report.Faults = append(report.Faults, *report.Fault)
		}
	} else {
		err = report.verifyTopic(ctx, cmd, o.config, &v)
	}
	if err != nil {
		return err
	}
	report.Whole = len(report.Faults) == 0
	return report.print(cmd.OutOrStdout(), o.output)
}

// checkpoints reads the files of checkpoints.
func (o *verifyOptions) checkpoints() ([]ledger.Checkpoint, error) {
	if (len(o.since) == 0) != (o.publicKey == "") {
		return nil, usage.Errorf("--since-checkpoint and --public-key go together")
	}
	if o.publicKey == "" {
		return nil, nil
	}
	keys, err := checkpoint.ReadPublicKeys(o.publicKey)
	if err != nil {
		return nil, fmt.Errorf("--public-key %s: %w", o.publicKey, err)
	}
	return checkpoint.Read(o.since, keys)
}

// verifyTopic verifies the ledger of a deployment.
func (r *ledgerReport) verifyTopic(ctx context.Context, cmd *cobra.Command, path string, v *ledger.Verifier) error {
	c, conn, err := reach(cmd, path)
	if err != nil {
		return err
	}
	atHand, err := atHand(c)
	if err != nil {
		return err
	}
	names := topics.Named(c.TopicPrefix)
	r.Ledger = names.Ledger
	line := progress.New(cmd.ErrOrStderr())
	defer line.Clear()
	n := int64(0)
	r.Result, r.Faults, err = topics.VerifyLedger(ctx, conn, names, v, atHand, func() {
		n++
		line.Show("%s records", alerting.Group(n))
	})
	return err
}

// atHand returns the settings of a configuration with which weir could run, nil for
// another.
func atHand(c *config.Config) ([]byte, error) {
	if runnable := c.CheckRun() == nil; !runnable {
		return nil, nil
	}
	s, err := settings.New(c)
	if err != nil {
		return nil, err
	}
	return deployment.InForce(s, version())
}

// print writes the report, and returns an error unless the ledger is whole.
func (r *ledgerReport) print(w io.Writer, form string) error {
	switch {
	case form == "json":
		printLine(w, r)
	case r.Whole:
		fmt.Fprintf(w, "The ledger %s is whole: %s records%s.\n", r.Ledger, alerting.Group(r.Records), counts(r.Kinds))
		if r.Head.Seq > 0 {
			fmt.Fprintf(w, "The last one is number %d, with the hash %s.\n", r.Head.Seq, r.Head.Hash)
		}
	default:
		for i := range r.Faults {
			fmt.Fprintln(w, r.sentence(&r.Faults[i]))
		}
	}
	if form != "json" {
		r.printSince(w)
	}
	if !r.Whole {
		return exitError(1)
	}
	return nil
}

// printSince says what checkpoints know of the ledger.
func (r *ledgerReport) printSince(w io.Writer) {
	switch {
	case r.newest == nil:
		fmt.Fprintln(w, "It was held against no checkpoint: that it was not written anew is known from Kafka only.")
		return
	case r.Fault == nil && r.Checkpoints == 1:
		fmt.Fprintln(w, "It agrees with the checkpoint.")
	case r.Fault == nil:
		fmt.Fprintf(w, "It agrees with all %d checkpoints.\n", r.Checkpoints)
	}
	n := int64(0)
	for _, of := range r.Since {
		n += of
	}
	fmt.Fprintf(w, "Since the newest checkpoint, of %s records, came %s%s.\n", alerting.Group(r.newest.Size), alerting.Group(n), counts(r.Since))
	for _, name := range r.newest.Witnesses {
		fmt.Fprintf(w, "The witness %s has signed it.\n", name)
	}
}

// sentence says what is wrong.
func (r *ledgerReport) sentence(f *ledger.Fault) string {
	if f.Seq == 0 {
		return fmt.Sprintf("The ledger %s and %s do not agree: %s: %s.", r.Ledger, f.Where, f.Kind, f.Text)
	}
	where := ""
	if f.Where != "" {
		where = " (" + f.Where + ")"
	}
	return fmt.Sprintf("The ledger %s is not whole: %s at record %d%s: %s.", r.Ledger, f.Kind, f.Seq, where, f.Text)
}

// counts lists how many records of each kind there are.
func counts(of map[ledger.Kind]int64) string {
	if len(of) == 0 {
		return ""
	}
	text := " ("
	for i, kind := range slices.Sorted(maps.Keys(of)) {
		if i > 0 {
			text += ", "
		}
		text += alerting.Group(of[kind]) + " " + string(kind)
	}
	return text + ")"
}
