package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
)

// newMapCommand makes `weir map`: what a sample of a source becomes, before
// the source is connected.
func newMapCommand() *cobra.Command {
	var output string
	var limit int
	cmd := &cobra.Command{
		Use:   "map FORMAT FILE…",
		Short: "Show what a sample of events becomes under a format",
		Long: `Show what a sample of events becomes under a format: the first events in
weir's own form, how many events carry each field, and what was odd or rejected,
with the reason, the path and the lines.

FORMAT is ` + strings.Join(fieldmap.Names(), ", ") + `, or the path of a field map (docs/formats.md).
FILE may be packed by gzip or zstd; - is standard input. Sessions are shown hashed.`,
		Example: `  weir map native events.ndjson
  weir map ocsf -o json events.ndjson.gz
  weir map ./crm.yaml - < sample.ndjson`,
		Args: atLeast(2, "a FORMAT and at least one FILE (- is standard input)"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return fieldmap.Names(), cobra.ShellCompDirectiveDefault
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "table" && output != "json" {
				return usagef("-o is table or json, not %q", output)
			}
			if limit < 0 {
				return usagef("--limit is a number of events, not %d", limit)
			}
			report, err := mapFiles(cmd, args[0], args[1:], limit)
			if output == "json" {
				if failed := report.writeJSON(cmd.OutOrStdout(), cmd.ErrOrStderr(), err); failed != nil {
					return errors.Join(failed, err)
				}
				return told(err)
			}
			if err != nil && report.Values == 0 {
				return err // there is nothing to show
			}
			return errors.Join(report.writeTable(cmd.OutOrStdout()), err)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "form of the output: table or json")
	cmd.Flags().IntVar(&limit, "limit", 5, "how many events to show")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// mapReport is what weir map finds. Its lists have a fixed order.
type mapReport struct {
	Format  string      `json:"format"`
	Values  int64       `json:"values"` // lines or documents read
	Events  int64       `json:"events"`
	Samples []mapSample `json:"samples"`
	Fields  []mapCount  `json:"fields"`  // events that carry each field
	Actions []mapCount  `json:"actions"` // events of each action
	Notes   []mapCount  `json:"notes"`   // events with each oddity
	Rejects []mapCount  `json:"rejects"` // by reason and path
}

// mapSample is one event in weir's own form.
type mapSample struct {
	At      string          `json:"at"` // file:line, and [index] in an envelope
	Event   json.RawMessage `json:"event"`
	Records int             `json:"records"` // of which the event shows the first
}

// mapCount counts events that have something in common.
type mapCount struct {
	Name   string   `json:"name"`
	Path   string   `json:"path,omitempty"`
	Events int64    `json:"events"`
	At     []string `json:"at,omitempty"` // the first of them
}

// shownRecords is how many records of an event, and shownPlaces how many lines
// of a reject, weir map shows.
const (
	shownRecords = 10
	shownPlaces  = 5
)

// mapper gathers a report.
type mapper struct {
	report   mapReport
	progress *progress
	limit    int
	explodes bool   // a value may hold several events
	at       string // where the value at hand stands
	index    int    // of the event within it
}

// mapFiles decodes the files. The report holds what was read even when there is
// an error.
func mapFiles(cmd *cobra.Command, format string, names []string, limit int) (*mapReport, error) {
	m := &mapper{limit: limit}
	r := &m.report
	r.Format, r.Samples, r.Notes, r.Rejects = format, []mapSample{}, []mapCount{}, []mapCount{}
	for _, name := range fieldmap.FieldNames() {
		r.Fields = append(r.Fields, mapCount{Name: name})
	}
	for _, name := range event.ActionNames() {
		r.Actions = append(r.Actions, mapCount{Name: name})
	}
	f, err := files.LoadFormat(format)
	if err != nil {
		return r, usagef("%w", err)
	}
	m.progress = newProgress(cmd.ErrOrStderr())
	defer m.progress.clear()
	for _, file := range names {
		if err := m.file(cmd, f, file); err != nil {
			return r, err
		}
	}
	slices.SortStableFunc(r.Rejects, func(a, b mapCount) int { return cmp.Compare(b.Events, a.Events) })
	return r, nil
}

// file decodes one file.
func (m *mapper) file(cmd *cobra.Command, f *fieldmap.Format, path string) error {
	in, err := files.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	m.explodes = f.Explodes()
	lines, decoder := files.NewReader(in, f), f.NewDecoder()
	for cmd.Context().Err() == nil {
		line, n, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("mapping %s: %w", path, err)
		}
		if m.report.Values++; m.report.Values%10_000 == 0 {
			m.progress.show("%d read, %d events", m.report.Values, m.report.Events)
		}
		m.at, m.index = fmt.Sprintf("%s:%d", path, n), 0
		decoder.Decode(line, func(ev *event.Event, rej *event.Reject) {
			if rej != nil {
				m.rejected(rej)
			} else {
				m.event(ev)
			}
			m.index++
		})
	}
	return cmd.Context().Err()
}

// event counts one event.
func (m *mapper) event(ev *event.Event) {
	r := &m.report
	r.Events++
	carried := []bool{true, ev.ID != "", true, ev.Actor != "", ev.Role != "", ev.Subject != "", ev.KeyID != "", ev.Session != "",
		ev.IP != "", ev.Client != "", ev.Endpoint != "", len(ev.Records) > 0, ev.Rows > 0}
	for i := range r.Fields {
		if carried[i] {
			r.Fields[i].Events++
		}
	}
	r.Actions[ev.Action].Events++
	if ev.Notes != 0 {
		for _, note := range event.AllNotes() {
			if ev.Notes&note != 0 {
				r.Notes = count(r.Notes, note.String(), "", m.at)
			}
		}
	}
	if len(r.Samples) < m.limit {
		shown := *ev
		shown.Records = ev.Records[:min(len(ev.Records), shownRecords)]
		if shown.Session != "" {
			shown.Session = "hashed:" + string(event.FixedHasher().AppendSession(nil, ev.Session))
		}
		at := m.at
		if m.explodes {
			at = fmt.Sprintf("%s[%d]", at, m.index)
		}
		r.Samples = append(r.Samples, mapSample{
			At: at, Event: event.AppendNative(nil, &shown), Records: len(ev.Records),
		})
	}
}

// rejected counts one reject.
func (m *mapper) rejected(rej *event.Reject) {
	at := m.at
	if rej.Index >= 0 {
		at = fmt.Sprintf("%s[%d]", at, rej.Index)
	}
	if rej.Offset >= 0 {
		at = fmt.Sprintf("%s, byte %d", at, rej.Offset)
	}
	m.report.Rejects = count(m.report.Rejects, rej.Reason.String(), rej.Path, at)
}

// count adds one to the count of a name and path.
func count(counts []mapCount, name, path, at string) []mapCount {
	i := slices.IndexFunc(counts, func(c mapCount) bool { return c.Name == name && c.Path == path })
	if i < 0 {
		i = len(counts)
		counts = append(counts, mapCount{Name: name, Path: path})
	}
	c := &counts[i]
	if c.Events++; len(c.At) < shownPlaces {
		c.At = append(c.At, at)
	}
	return counts
}

// total sums counts.
func total(counts []mapCount) (n int64) {
	for _, c := range counts {
		n += c.Events
	}
	return n
}

// writeJSON writes the report to out and, as every command does with -o json,
// one line of summary to summary.
func (r *mapReport) writeJSON(out, summary io.Writer, failure error) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	s := struct {
		Events   int64            `json:"events"`
		Rejected map[string]int64 `json:"rejected"`
		Error    string           `json:"error,omitempty"`
	}{Events: r.Events, Rejected: map[string]int64{}}
	for _, c := range r.Rejects {
		s.Rejected[c.Name] += c.Events
	}
	if failure != nil {
		s.Error = failure.Error()
	}
	if err := json.NewEncoder(summary).Encode(s); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// writeTable writes the report for people.
func (r *mapReport) writeTable(out io.Writer) error {
	var text strings.Builder
	for _, s := range r.Samples {
		fmt.Fprintf(&text, "%s  %s", s.At, printable(string(s.Event)))
		if s.Records > shownRecords {
			fmt.Fprintf(&text, " and %d more records", s.Records-shownRecords)
		}
		text.WriteByte('\n')
	}
	if len(r.Samples) > 0 {
		text.WriteByte('\n')
	}
	fmt.Fprintf(&text, "%d read, %d events, %d rejected or left out\n", r.Values, r.Events, total(r.Rejects))
	if r.Events > 0 {
		r.table(&text, "FIELD", r.Fields)
		r.table(&text, "ACTION", slices.DeleteFunc(slices.Clone(r.Actions), func(c mapCount) bool { return c.Events == 0 }))
	}
	r.table(&text, "NOTE", r.Notes)
	r.table(&text, "REJECTED", r.Rejects)
	if _, err := io.WriteString(out, text.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// table writes one table of counts, unless it is empty.
func (r *mapReport) table(out io.Writer, head string, counts []mapCount) {
	if len(counts) == 0 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	defer w.Flush()
	switch head {
	case "NOTE", "REJECTED":
		fmt.Fprintf(w, "\n%s\tPATH\tEVENTS\tFIRST AT\n", head)
		for _, c := range counts {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", c.Name, cmp.Or(printable(c.Path), "-"), c.Events, strings.Join(c.At, "; "))
		}
	default:
		fmt.Fprintf(w, "\n%s\tEVENTS\tSHARE\n", head)
		for _, c := range counts {
			fmt.Fprintf(w, "%s\t%d\t%.1f %%\n", c.Name, c.Events, 100*float64(c.Events)/float64(r.Events))
		}
	}
}

// printable escapes what could steer a terminal, or hide text on it.
func printable(s string) string {
	var b strings.Builder
	for _, c := range s {
		if unicode.IsPrint(c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}
