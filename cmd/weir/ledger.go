package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka"
)

// newLedgerCommand makes `weir ledger`: the chain of all that was said.
func newLedgerCommand() *cobra.Command {
	cmd := &cobra.Command{
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
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLedgerVerifyCommand(), newLedgerCheckpointCommand(), newLedgerPrintCommand())
	for _, sub := range cmd.Commands() {
		asUsage(sub)
	}
	return cmd
}

type verifyOptions struct {
	config, input, publicKey, output string
	checkpoints                      []string
}

func newLedgerVerifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify [-c FILE | --input FILE] [--checkpoint FILE]… [--public-key FILE]",
		Short: "Find any alteration, gap or reordering of the ledger, and name the first",
		Long: `Read the ledger from its first record to its last and check that each follows
from the one before. Found, and the first one named: a changed byte, a dropped
record, two that were swapped, one that was inserted, one that was written anew.

Of a topic that is read from Kafka the end is held against what weir's own state
knows of it. With --checkpoint it is held against checkpoints that were kept
elsewhere, so that an end cut off together with the state is found too; with
--public-key their signatures are checked. --input reads a copy that ` + "`weir ledger\nprint`" + ` wrote; - is standard input.

The exit code is 1 if anything is wrong.`,
		Example: `  weir ledger verify -c weir.yaml
  weir ledger verify -c weir.yaml --checkpoint weir.checkpoints --public-key ledger.pub
  weir ledger verify --input ledger.ndjson -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLedgerVerify(cmd.Context(), cmd, &o) },
	}
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file (default: no file, all defaults)")
	cmd.Flags().StringVar(&o.input, "input", "", "verify a copy in a file, one record a line, instead of the topic")
	cmd.Flags().StringArrayVar(&o.checkpoints, "checkpoint", nil, "file of checkpoints, one a line; may be given more than once")
	cmd.Flags().StringVar(&o.publicKey, "public-key", "", "PEM file of the key under which every checkpoint must be signed")
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "form of the output: table or json")
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
	if err := outputForm(o.output); err != nil {
		return err
	}
	if o.input != "" && o.config != "" {
		return usagef("verify reads the topic (-c) or a copy (--input), not both")
	}
	if o.publicKey != "" && len(o.checkpoints) == 0 {
		return usagef("--public-key checks the signatures of checkpoints; name them with --checkpoint")
	}
	checkpoints, err := readCheckpoints(o.checkpoints, o.publicKey)
	if err != nil {
		return err
	}
	if o.publicKey == "" && slices.ContainsFunc(checkpoints, func(c ledger.Checkpoint) bool { return len(c.Signature) > 0 }) {
		fmt.Fprintln(cmd.ErrOrStderr(), "weir: the checkpoints are signed, but without --public-key their signatures are not checked")
	}
	v := ledger.Verifier{Checkpoints: checkpoints}
	report := ledgerReport{Ledger: o.input, Checkpoints: len(checkpoints)}
	var known ledger.Head
	if o.input != "" {
		err = eachLine(o.input, func(line int, b []byte) { v.Add(fmt.Sprint("line ", line), b) })
	} else {
		known, report.Ledger, err = verifyTopic(ctx, cmd, o.config, &v)
	}
	if err != nil {
		return err
	}
	report.Result = v.End(known)
	report.Whole = report.Fault == nil
	return report.print(cmd.OutOrStdout(), o.output)
}

func verifyTopic(ctx context.Context, cmd *cobra.Command, path string, v *ledger.Verifier) (known ledger.Head, name string, err error) {
	c, conn, err := reach(ctx, path, cmd.ErrOrStderr())
	if err != nil {
		return known, "", err
	}
	topics := kafka.NewTopics(c.TopicPrefix)
	progress := newProgress(cmd.ErrOrStderr())
	defer progress.clear()
	n := int64(0)
	known, err = kafka.ReadLedger(ctx, conn, topics, func(offset int64, value []byte) error {
		n++
		progress.show("%s records", alerting.Group(n))
		v.Add(fmt.Sprint("offset ", offset), value)
		return nil
	})
	return known, topics.Ledger, err
}

func (r *ledgerReport) print(w io.Writer, form string) error {
	if form == "json" {
		b, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("writing the result: %w", err)
		}
		fmt.Fprintf(w, "%s\n", b)
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
		return fmt.Errorf("the ledger %s is not whole: %s at record %d%s: %s", r.Ledger, f.Kind, f.Seq, where, f.Text)
	}
	fmt.Fprintf(w, "The ledger %s is whole: %s records", r.Ledger, alerting.Group(r.Records))
	for i, kind := range []ledger.Kind{ledger.Alert, ledger.Suppression, ledger.Verdict, ledger.Config, ledger.Check} {
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

// readCheckpoints reads files of checkpoints and, where there is a key, checks
// every signature.
func readCheckpoints(files []string, publicKey string) ([]ledger.Checkpoint, error) {
	var key ed25519.PublicKey
	if publicKey != "" {
		text, err := os.ReadFile(publicKey)
		if err == nil {
			key, err = ledger.ParsePublicKey(text)
		}
		if err != nil {
			return nil, fmt.Errorf("--public-key %s: %w", publicKey, err)
		}
	}
	var out []ledger.Checkpoint
	for _, name := range files {
		var fault error
		err := eachLine(name, func(line int, b []byte) {
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

// maxLine bounds one line of a file of records.
const maxLine = 16 << 20

// eachLine hands each line of a file to fn, without its newline; - is standard
// input. Empty lines count, and are passed over.
func eachLine(name string, fn func(line int, b []byte)) error {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("opening %s: %w", name, err)
		}
		defer f.Close()
		in = f
	}
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, maxLine)
	for line := 1; scan.Scan(); line++ {
		if len(scan.Bytes()) > 0 {
			fn(line, bytes.Clone(scan.Bytes()))
		}
	}
	if err := scan.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

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
			c, conn, err := reach(cmd.Context(), path, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			_, err = kafka.ReadLedger(cmd.Context(), conn, kafka.NewTopics(c.TopicPrefix), func(_ int64, value []byte) error {
				_, err := out.Write(append(bytes.Clone(value), '\n'))
				return err
			})
			return errors.Join(err, out.Flush())
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration file (default: no file, all defaults)")
	return cmd
}

type checkpointOptions struct {
	config, key, out, url, secretFile string
}

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
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file (default: no file, all defaults)")
	cmd.Flags().StringVar(&o.key, "key", "", "PEM file of the Ed25519 key to sign with (default: not signed)")
	cmd.Flags().StringVar(&o.out, "out", "", "file to append the checkpoint to")
	cmd.Flags().StringVar(&o.url, "webhook", "", "URL to post the checkpoint to")
	cmd.Flags().StringVar(&o.secretFile, "webhook-secret-file", "", "file of the webhook's secret, whsec_…")
	return cmd
}

func runLedgerCheckpoint(ctx context.Context, cmd *cobra.Command, o *checkpointOptions) error {
	if (o.url == "") != (o.secretFile == "") {
		return usagef("--webhook and --webhook-secret-file go together")
	}
	var key ed25519.PrivateKey
	if o.key != "" {
		text, err := os.ReadFile(o.key)
		if err == nil {
			key, err = ledger.ParsePrivateKey(text)
		}
		if err != nil {
			return fmt.Errorf("--key %s: %w", o.key, err)
		}
	}
	c, conn, err := reach(ctx, o.config, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	topics := kafka.NewTopics(c.TopicPrefix)
	head, err := kafka.LedgerHead(ctx, conn, topics)
	if err != nil {
		return err
	}
	checkpoint, err := ledger.NewCheckpoint(topics.Ledger, head, time.Now(), key)
	if err != nil {
		return err
	}
	line, err := json.Marshal(checkpoint)
	if err != nil {
		return fmt.Errorf("writing the checkpoint: %w", err)
	}
	if o.out != "" {
		if err := appendLine(o.out, line); err != nil {
			return fmt.Errorf("writing the checkpoint: %w", err)
		}
	}
	if o.url != "" {
		secret, err := os.ReadFile(o.secretFile)
		if err != nil {
			return fmt.Errorf("reading the webhook's secret: %w", err)
		}
		hook, err := checkpointHook(o.url, string(bytes.TrimSpace(secret)))
		if err != nil {
			return err
		}
		if err := postCheckpoint(ctx, hook, &checkpoint, line); err != nil {
			return err
		}
	}
	if o.out == "" && o.url == "" {
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n", line)
		return nil
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Checkpoint of record %d, %s.\n", checkpoint.Seq, checkpoint.Hash)
	return nil
}
