package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/lab"
)

// newTuneCommand makes `weir tune`: the same log under several settings.
func newTuneCommand() *cobra.Command {
	var o tuneOptions
	cmd := &cobra.Command{
		Use:   "tune [-c FILE] --try SETTINGS… [--inject LEAK…] [--format F] [-o json|table] [FILE…]",
		Short: "Compare settings on your own log",
		Long: `Read a log under the configuration as it is and under each of the settings to
try, and show side by side how many alerts a day they raise and which added leaks
they catch, how late, beside what chance would score.

SETTINGS are KEY=VALUE pairs between spaces; keys are paths in the configuration,
values are YAML (without spaces). Each --try is one column of the comparison.
Leaks are those of weir backtest --inject; without any, a drift to twice and one
to five times the usual, of three identities each. The log is read once for each
setting and once more for each setting and identity.

Without FILE the source topics of the configuration are read, from the oldest
record that they still hold to their ends of now.`,
		Example: `  weir tune --try alerts.budget=0.5/day --try alerts.budget=5/day access.ndjson.gz
  weir tune -c weir.yaml --try time.bin=30m --try "time.bin=2h alerts.budget=1/day" \
      --inject KIND=forged,RATE=500/day --inject KIND=drift,RATE=3x,COUNT=5 access.ndjson.gz
  weir tune -c weir.yaml --try time.bin=30m          # the source topics
  weir tune --try 'dimensions={"user":["actor"]}' -o json access.ndjson.gz`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			return runTune(cmd.Context(), cmd, &o)
		},
	}
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file (default: no file, all defaults)")
	cmd.Flags().StringVar(&o.format, "format", "native", "format of the files: "+strings.Join(fieldmap.Names(), ", ")+", or the path of a field map")
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "form of the output: table, or json (one setting a line; the summary on stderr)")
	cmd.Flags().StringArrayVar(&o.try, "try", nil, "settings to try, such as alerts.budget=1/day; may be given several times")
	cmd.Flags().StringArrayVar(&o.inject, "inject", nil, "a leak to add (see weir backtest --help); may be given several times")
	return cmd
}

type tuneOptions struct {
	config, format, output string
	files, try, inject     []string
}

// defaultLeaks are what settings are compared on unless told otherwise.
var defaultLeaks = []string{"KIND=drift,RATE=2x,COUNT=3", "KIND=drift,RATE=5x,COUNT=3"}

// tuneResult is one setting: a line of stdout with -o json.
type tuneResult struct {
	Settings  string         `json:"settings"` // empty: the configuration as it is
	PerDay    float64        `json:"alerts_per_day"`
	FirstWeek float64        `json:"alerts_per_day_first_week"`
	Opened    int64          `json:"opened"` // on the log as it is
	Leaks     []injectResult `json:"leaks"`
}

func runTune(ctx context.Context, cmd *cobra.Command, o *tuneOptions) error {
	if o.output != "table" && o.output != "json" {
		return usagef("-o is table or json, not %q", o.output)
	}
	var summary injectSummary
	results, err := tune(ctx, cmd, o, &summary)
	if o.output == "table" {
		if err == nil {
			printTune(cmd.OutOrStdout(), results)
			fmt.Fprintf(cmd.ErrOrStderr(), "%s events in %.0f days\n", alerting.Group(summary.Events), summary.Days)
		}
		return err
	}
	for _, r := range results {
		for _, l := range r.Leaks {
			summary.Tried += l.Tried
			summary.Caught += l.Caught
		}
		line, _ := json.Marshal(r) // a struct of numbers and strings always marshals
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n", line)
	}
	if err != nil {
		summary.Error = err.Error()
	}
	line, _ := json.Marshal(summary)
	fmt.Fprintf(cmd.ErrOrStderr(), "%s\n", line)
	return told(err)
}

func tune(ctx context.Context, cmd *cobra.Command, o *tuneOptions, summary *injectSummary) ([]tuneResult, error) {
	if len(o.inject) == 0 {
		o.inject = defaultLeaks
	}
	leaks, err := parseLeaks(o.inject)
	if err != nil {
		return nil, err
	}
	summary.Leaks = len(leaks)
	settings, err := tuneSettings(o)
	if err != nil {
		return nil, err
	}
	log, err := openLog(ctx, cmd, "tune", o.files, o.format, o.config, settings[0])
	if err != nil {
		return nil, err
	}
	x := newExperiment(log, leaks, newProgress(cmd.ErrOrStderr()))
	defer x.progress.clear()
	var results []tuneResult
	for i, s := range settings {
		calm, err := x.calm(ctx, s)
		if err != nil {
			return results, err
		}
		if i == 0 {
			summary.Events, summary.Days, summary.Opened = calm.summary.Events, calm.days(), calm.summary.Opened
		}
		r := tuneResult{Opened: calm.summary.Opened}
		r.PerDay, r.FirstWeek = rates(calm)
		if i > 0 {
			r.Settings = o.try[i-1]
		}
		if r.Leaks, err = x.inject(ctx, s, calm); err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

// rates returns how many episodes a day opened after the first week, and in it.
func rates(calm *calmRun) (after, first float64) {
	const week = 7
	end := calm.summary.From + week*24*3600*1000
	for i := range calm.alerts {
		switch a := &calm.alerts[i]; {
		case a.Status != alerting.Open:
		case a.Time < end:
			first++
		default:
			after++
		}
	}
	days := calm.days()
	if days <= week {
		return 0, first / max(days, 1)
	}
	return after / (days - week), first / week
}

// tuneSettings returns the configuration as it is, and with each of the
// settings to try.
func tuneSettings(o *tuneOptions) ([]*settings, error) {
	name, text := "the configuration", []byte(nil)
	if o.config != "" {
		if _, err := config.Load(o.config); err != nil {
			return nil, err
		}
		b, err := os.ReadFile(o.config)
		if err != nil {
			return nil, fmt.Errorf("reading the configuration: %w", err)
		}
		name, text = o.config, b
	}
	var out []*settings
	for _, try := range append([]string{""}, o.try...) {
		changed, err := withSettings(text, try)
		if err != nil {
			return nil, usagef("%w", err)
		}
		cfg, err := config.Parse(name, changed, os.LookupEnv)
		if err != nil {
			if try != "" {
				err = triedFaults(err, try)
			}
			return nil, err
		}
		s, err := newSettings(cfg)
		if err != nil {
			return nil, fmt.Errorf("trying %q: %w", try, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// triedFaults tells faults of a setting without lines of a file, since the file
// has no such line.
func triedFaults(err error, try string) error {
	var faults config.Faults
	if !errors.As(err, &faults) {
		return usagef("trying %q: %w", try, err)
	}
	texts := make([]string, len(faults))
	for i, f := range faults {
		texts[i] = f.Text
	}
	return usagef("trying %q: %s", try, strings.Join(texts, "; "))
}

// withSettings returns a configuration's text with KEY=VALUE pairs put in.
func withSettings(text []byte, try string) ([]byte, error) {
	if try == "" {
		return text, nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(doc.Content) == 0 {
		doc = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	}
	for _, pair := range strings.Fields(try) {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" || value == "" {
			return nil, fmt.Errorf("trying %q: %q is no KEY=VALUE, such as alerts.budget=1/day", try, pair)
		}
		var v yaml.Node
		if err := yaml.Unmarshal([]byte(value), &v); err != nil || len(v.Content) == 0 {
			return nil, fmt.Errorf("trying %q: %q is no YAML value", try, value)
		}
		put(doc.Content[0], strings.Split(key, "."), v.Content[0])
	}
	out, err := yaml.Marshal(&doc)
	if err != nil {
		return nil, fmt.Errorf("trying %q: %w", try, err)
	}
	return out, nil
}

// put sets the value at a path of keys, making the mappings on the way.
func put(n *yaml.Node, path []string, value *yaml.Node) {
	at := -1
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == path[0] {
			at = i + 1
		}
	}
	if at < 0 {
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: path[0]}, &yaml.Node{Kind: yaml.MappingNode})
		at = len(n.Content) - 1
	}
	if len(path) == 1 {
		n.Content[at] = value
		return
	}
	if n.Content[at].Kind != yaml.MappingNode {
		n.Content[at] = &yaml.Node{Kind: yaml.MappingNode}
	}
	put(n.Content[at], path[1:], value)
}

// printTune writes the settings side by side.
func printTune(w io.Writer, results []tuneResult) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := []string{"settings", "alerts a day", "first week"}
	for _, l := range results[0].Leaks {
		head = append(head, fmt.Sprintf("%s %s", l.Kind, l.Rate), "after", "by chance")
	}
	fmt.Fprintln(t, strings.Join(head, "\t"))
	for _, r := range results {
		name := r.Settings
		if name == "" {
			name = "as it is"
		}
		row := []string{name, fmt.Sprintf("%.2f", r.PerDay), fmt.Sprintf("%.2f", r.FirstWeek)}
		for _, l := range r.Leaks {
			row = append(row, fmt.Sprintf("%d of %d", l.Caught, l.Tried), delayOf(l), fmt.Sprintf("%.0f %%", 100*l.Chance))
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
	fmt.Fprintln(w, strings.Join(legend(results[0].Leaks), "\n"))
}

func delayOf(l injectResult) string {
	if l.Caught == 0 {
		return "-"
	}
	return hours(l.Median)
}

// legend says what the columns of the leaks mean.
func legend(leaks []injectResult) []string {
	out := []string{"", "alerts a day: episodes opened on the log as it is, after its first week.",
		"after: median delay of the caught, from the first stolen record to the alert.",
		"by chance: of comparable identities, those that alert in the same days without a leak."}
	if i := slices.IndexFunc(leaks, func(l injectResult) bool { return l.Kind == lab.Mules || l.Kind == lab.Newcomer }); i >= 0 {
		out = append(out, "of mules and newcomers, the identities are those that they are like.")
	}
	return out
}
