package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os/user"
	"time"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// verdictCommand is one of the four commands by which a person answers.
type verdictCommand struct {
	name, short, long, done, example string
	kind                             correlate.VerdictKind
}

var verdictCommands = []verdictCommand{
	{
		name: "ack", kind: correlate.Acknowledged, done: "Acknowledged", short: "Say that somebody looks at an episode",
		long: `Say that somebody looks at an episode or a campaign. It is no longer repeated as
a reminder; what is material (graver, twice as many customers, another kind of
evidence) is still told.`,
		example: `  weir ack weir-dffa33c0917f4f02 -c weir.yaml --reason "INC-4711"`,
	},
	{
		name: "expect", kind: correlate.Expected, done: "Expected", short: "Say that an episode is known and harmless, until a time",
		long: `Say that an episode is known and harmless. What its identity does in that
dimension is held back until the time given, counted, and listed by ` + "`weir\nsuppressed`" + `; nothing is held back for ever, and nothing without a reason.`,
		example: `  weir expect weir-dffa33c0917f4f02 -c weir.yaml --reason "yearly audit, CHG-88" --expires 14d
  weir expect weir-dffa33c0917f4f02 -c weir.yaml --reason "migration" --expires 2026-12-01T00:00:00Z`,
	},
	{
		name: "confirm", kind: correlate.Confirmed, done: "Confirmed", short: "Say that an episode is a leak",
		long: `Say that an episode is a leak. It ranks as critical and stays open, and its
interval is taken out of the baseline, so that the leak does not become normal.
` + "`weir extract`" + ` lists the customers it has touched.`,
		example: `  weir confirm weir-dffa33c0917f4f02 -c weir.yaml --reason "tokens forged with a stolen key"`,
	},
	{
		name: "reopen", kind: correlate.Reopened, done: "Reopened", short: "Take back what was said of an episode",
		long:    `Take back an earlier ack, expect or confirm of an episode.`,
		example: `  weir reopen weir-dffa33c0917f4f02 -c weir.yaml --reason "the change was not ours after all"`,
	},
}

type verdictOptions struct {
	config, reason, author, expires, output string
}

// newVerdictCommands makes weir ack, expect, confirm and reopen.
func newVerdictCommands() (out []*cobra.Command) {
	for _, v := range verdictCommands {
		var o verdictOptions
		cmd := &cobra.Command{
			Use:   v.name + " DEDUP_KEY… -c FILE --reason TEXT",
			Short: v.short,
			Long: v.long + `

The verdict is appended to weir.verdicts and takes effect with the next tick of
event time; it goes into the ledger with its author. Nothing is overwritten:
` + "`weir reopen`" + ` takes it back by another verdict.`,
			Example: v.example,
			Args:    atLeast(1, "at least one DEDUP_KEY, as it stands in the alert"),
			RunE:    func(cmd *cobra.Command, args []string) error { return runVerdict(cmd.Context(), cmd, v, &o, args) },
		}
		configFlag(cmd, &o.config)
		cmd.Flags().StringVar(&o.reason, "reason", "", "why, for those who read it later")
		cmd.Flags().StringVar(&o.author, "author", "", "who says so (default: the user who runs the command)")
		outputFlag(cmd, &o.output)
		if v.kind == correlate.Expected {
			cmd.Flags().StringVar(&o.expires, "expires", "", "until when: a time such as 2026-12-01T00:00:00Z, or so long from now: 14d, 12h")
		}
		out = append(out, cmd)
	}
	return out
}

func runVerdict(ctx context.Context, cmd *cobra.Command, v verdictCommand, o *verdictOptions, keys []string) error {
	verdicts, err := verdicts(v, o, keys, time.Now())
	if err != nil {
		return err
	}
	c, conn, err := reach(cmd, o.config)
	if err != nil {
		return err
	}
	names := topics.Named(c.TopicPrefix)
	found, err := topics.AlertsOf(ctx, conn, names, keys...)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if len(found[key]) == 0 {
			return fmt.Errorf("there is no episode %s on %s or %s: give the dedup_key as it stands in the alert", key, names.Alerts, names.Suppressed)
		}
	}
	if err := topics.AppendVerdict(ctx, conn, names, verdicts...); err != nil {
		return err
	}
	for i := range verdicts {
		alerts := found[verdicts[i].DedupKey]
		if err := printVerdict(cmd.OutOrStdout(), v, o.output, &verdicts[i], alerts[len(alerts)-1]); err != nil {
			return err
		}
	}
	return nil
}

// verdicts builds what is to be written, or says what the call lacks.
func verdicts(v verdictCommand, o *verdictOptions, keys []string, now time.Time) ([]correlate.Verdict, error) {
	if err := checkOutput(o.output); err != nil {
		return nil, err
	}
	if v.kind == correlate.Expected && (o.reason == "" || o.expires == "") {
		return nil, usage.Errorf("expect needs --reason and --expires: nothing is held back without a reason, nor for ever")
	}
	if o.author == "" {
		me, err := user.Current()
		if err != nil {
			return nil, usage.Errorf("there is no telling who runs this command (%w); say --author", err)
		}
		o.author = me.Username
	}
	expires, err := until(o.expires, now)
	if err != nil {
		return nil, err
	}
	var out []correlate.Verdict
	for _, key := range keys {
		id := make([]byte, 12)
		_, _ = rand.Read(id) // never fails
		verdict := correlate.Verdict{
			ID: hex.EncodeToString(id), Time: alerting.Time(now.UnixMilli()), Kind: v.kind, DedupKey: key,
			Author: o.author, Reason: o.reason, Expires: expires,
		}
		if err := verdict.Validate(); err != nil {
			return nil, usage.Errorf("%w", err)
		}
		out = append(out, verdict)
	}
	return out, nil
}

// until reads a time, or a duration from now on; 0 for an empty text.
func until(text string, now time.Time) (alerting.Time, error) {
	if text == "" {
		return 0, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		d, short := parseSpan(text)
		if !short || d <= 0 {
			return 0, usage.Errorf("--expires %q: want a time such as 2026-12-01T00:00:00Z, or so long from now: 14d, 12h", text)
		}
		at = now.Add(d)
	}
	if !at.After(now) {
		return 0, usage.Errorf("--expires %s is past", text)
	}
	return alerting.Time(at.UnixMilli()), nil
}

// printVerdict says what was written of an episode, whose last alert is a.
func printVerdict(w io.Writer, v verdictCommand, form string, verdict *correlate.Verdict, a *alerting.Alert) error {
	if form == "json" {
		line, err := verdict.Encode()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", line)
		return err
	}
	until := ""
	if verdict.Expires != 0 {
		until = ", until " + verdict.Expires.Std().Format("Mon 2 Jan 2006 15:04 MST")
	}
	_, err := fmt.Fprintf(w, "%s%s: %s (%s %s, by %s)\n    %s\n", v.done, until, verdict.DedupKey,
		a.Dimension, alerting.Printable(a.Identity, 100), verdict.Author, alerting.Printable(a.Summary, 2000))
	return err
}
