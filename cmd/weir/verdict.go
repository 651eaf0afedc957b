package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// verdictCommand is one of the commands by which a person answers.
type verdictCommand struct {
	name, short, long, done, example string
	kind                             correlate.VerdictKind
}

var verdictCommands = []verdictCommand{
	{
		name: "ack", kind: correlate.Acknowledged, done: "acknowledged", short: "Say that somebody looks at an episode",
		long: `Say that somebody looks at an episode or a campaign. It is no longer repeated as
a reminder; what is material (graver, twice as many customers, another kind of
evidence) is still told.`,
		example: `  weir ack weir-dffa33c0917f4f02 -c weir.yaml --reason "INC-4711"`,
	},
	{
		name: "expect", kind: correlate.Expected, done: "expected", short: "Say that an episode is known and harmless, until a time",
		long: `Say that an episode is known and harmless. What its identity does in that
dimension is held back until the time given, counted, and listed by ` + "`weir\nsuppressed`" + `; nothing is held back for ever, and nothing without a reason.`,
		example: `  weir expect weir-dffa33c0917f4f02 -c weir.yaml --reason "yearly audit, CHG-88" --expires 14d
  weir expect weir-dffa33c0917f4f02 -c weir.yaml --reason "migration" --expires 2026-12-01T00:00:00Z`,
	},
	{
		name: "confirm", kind: correlate.Confirmed, done: "confirmed", short: "Say that an episode is a leak",
		long: `Say that an episode is a leak. It ranks as critical and stays open, and its
interval is taken out of the baseline, so that the leak does not become normal.
` + "`weir extract`" + ` lists the customers it has touched.`,
		example: `  weir confirm weir-dffa33c0917f4f02 -c weir.yaml --reason "tokens forged with a stolen key"`,
	},
	{
		name: "reopen", kind: correlate.Reopened, done: "reopened", short: "Take back what was said of an episode",
		long:    `Take back an earlier ack, expect or confirm of an episode.`,
		example: `  weir reopen weir-dffa33c0917f4f02 -c weir.yaml --reason "the change was not ours after all"`,
	},
	{
		name: "assign", kind: correlate.Assigned, done: "assigned", short: "Say who holds an episode",
		long: `Say who looks after an episode or a campaign: you, or whom --to names. Messages and
the console show it. It says nothing of what the episode is.`,
		example: `  weir assign weir-dffa33c0917f4f02 -c weir.yaml --to lee@example.com`,
	},
	{
		name: "release", kind: correlate.Released, done: "released", short: "Say that nobody holds an episode any more",
		long:    `Say that nobody looks after an episode or a campaign any more.`,
		example: `  weir release weir-dffa33c0917f4f02 -c weir.yaml --reason "end of my shift"`,
	},
}

type verdictOptions struct {
	config, reason, key, expires, to, output string
}

// newVerdictCommands makes weir ack, expect, confirm, reopen, assign and release.
func newVerdictCommands() (out []*cobra.Command) {
	for _, v := range verdictCommands {
		var o verdictOptions
		cmd := &cobra.Command{
			Use:   v.name + " DEDUP_KEY… -c FILE --reason TEXT",
			Short: v.short,
			Long: v.long + `

The verdict is signed with your key, whose public half stands in the configuration
under verdicts.authors, and appended to weir.verdicts. It takes effect with the next
tick of event time, and goes into the ledger with its author. Nothing is overwritten:
` + "`weir reopen`" + ` takes it back by another verdict.`,
			Example: v.example,
			Args:    atLeast(1, "at least one DEDUP_KEY, as it stands in the alert"),
			RunE:    func(cmd *cobra.Command, args []string) error { return runVerdict(cmd.Context(), cmd, v, &o, args) },
		}
		configFlag(cmd, &o.config)
		cmd.Flags().StringVar(&o.reason, "reason", "", "why, for those who read it later")
		cmd.Flags().StringVar(&o.key, "key", os.Getenv(keyVariable), "PEM file of your Ed25519 key (default: that of the environment variable "+keyVariable+")")
		outputFlag(cmd, &o.output)
		if v.kind == correlate.Expected {
			cmd.Flags().StringVar(&o.expires, "expires", "", "until when: a time such as 2026-12-01T00:00:00Z, or so long from now: 14d, 12h (default 7d, at most 90d)")
		}
		if v.kind == correlate.Assigned {
			cmd.Flags().StringVar(&o.to, "to", "", "who holds it from now on (default: you)")
		}
		out = append(out, cmd)
	}
	return out
}

// keyVariable is the environment variable that names the file of the author's key.
const keyVariable = "WEIR_VERDICT_KEY"

func runVerdict(ctx context.Context, cmd *cobra.Command, v verdictCommand, o *verdictOptions, keys []string) error {
	verdict, err := o.verdict(v, time.Now())
	if err != nil {
		return err
	}
	c, conn, err := reach(cmd, o.config)
	if err != nil {
		return err
	}
	proof, err := settings.AuthorOf(c, o.key)
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
	write := destinations.VerdictWriter(conn, names.Verdicts)
	for _, key := range keys {
		verdict.DedupKey = key
		written, err := authority.Submit(ctx, write, verdict, authority.By{Proof: proof})
		if err != nil {
			return err
		}
		alerts := found[key]
		if err := printVerdict(cmd.OutOrStdout(), v, o.output, &written, alerts[len(alerts)-1]); err != nil {
			return err
		}
	}
	return nil
}

// verdict builds what is said of each episode, or says what the call lacks.
func (o *verdictOptions) verdict(v verdictCommand, now time.Time) (correlate.Verdict, error) {
	if err := checkOutput(o.output); err != nil {
		return correlate.Verdict{}, err
	}
	if v.kind == correlate.Expected && o.reason == "" {
		return correlate.Verdict{}, usage.Errorf("expect needs --reason: nothing is held back without one")
	}
	if o.key == "" {
		return correlate.Verdict{}, usage.Errorf("%s needs --key, your signing key: make it with openssl genpkey -algorithm ed25519, and put its public half under verdicts.authors", v.name)
	}
	expires, err := until(o.expires, now)
	if err != nil {
		return correlate.Verdict{}, err
	}
	if int64(expires)-now.UnixMilli() > correlate.ExpectedAtMost {
		return correlate.Verdict{}, usage.Errorf("--expires %s: nothing is expected for longer than 90d", o.expires)
	}
	return correlate.Verdict{Time: alerting.Time(now.UnixMilli()), Kind: v.kind, Reason: o.reason, Assignee: o.to, Expires: expires}, nil
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
	_, err := fmt.Fprintf(w, "Received, and counts with the next tick of the log that is judged: %s%s: %s (%s %s, by %s)\n    %s\n", v.done, until, verdict.DedupKey,
		a.Dimension, alerting.Printable(a.Identity, 100), verdict.Author, alerting.Printable(a.Summary, 2000))
	return err
}
