package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
)

// Print writes the report as Markdown, which reads as plain text too, with times
// in a zone.
func (r *Report) Print(w io.Writer, zone *time.Location) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# weir, week %s\n", r.Week)
	line("From %s to %s (%s).\n", r.From.In(zone).Format("Mon 2 Jan 2006"), r.To.In(zone).Format("Mon 2 Jan 2006"), zone)
	line("- opened: %d, of them still open: %d", r.Opened, r.Open)
	line("- sent to people: %d%s", r.Sent, listed(r.Severities()))
	answered := "nobody answered"
	if r.Answered > 0 {
		answered = "median " + (time.Duration(r.ToAnswer) * time.Second).String() + " after the first message"
	}
	line("- answered: %d of %d, %s", r.Answered, r.Sent, answered)
	line("- verdicts:%s", orNone(counts(r.Judged)))
	line("- statistical openings sent: %s a day; the budget allows %s", alerting.Decimal(r.Used), alerting.Decimal(r.Budget))
	section(&b, "Leaks that were confirmed", len(r.Confirmed))
	for i := range r.Confirmed {
		line("- %s: %s", r.Confirmed[i].Key, r.Confirmed[i].Summary)
	}
	if n := r.Further(); n > 0 {
		line("- and %d more", n)
	}
	section(&b, "False alarms, of what was judged", 1)
	for _, by := range slices.Sorted(maps.Keys(r.Rates)) {
		line("| %s | sent | judged | harmless |\n|---|---:|---:|---:|", strings.ReplaceAll(by, "_", " "))
		for _, rate := range r.Rates[by] {
			line("| %s | %d | %d | %d |", cell(rate.Value), rate.Sent, rate.Judged, rate.Harmless)
		}
		line("")
	}
	section(&b, "Reasons that people gave", len(r.Reasons))
	for _, why := range r.Reasons {
		line("- %s, %s: %s (%s)", why.Kind, why.Subject, why.Reason, alerting.Printable(why.Author, 100))
	}
	section(&b, "Held back", len(r.HeldBack))
	for _, h := range r.HeldBack {
		line("- %d messages: %s %s %s", h.Messages, h.Kind, alerting.Printable(h.Name, 100), alerting.Printable(h.Reason, 500))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// section begins a part of the report that has so many lines.
func section(b *strings.Builder, title string, n int) {
	b.WriteString("\n## " + title + "\n\n")
	if n == 0 {
		b.WriteString("None.\n")
	}
}

// counts lists numbers by name, such as " (3 high, 1 low)".
func counts(m map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[name], name))
	}
	return listed(parts)
}

func listed(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func orNone(s string) string {
	if s == "" {
		return " none"
	}
	return s
}

// cell makes a text fit into a table.
func cell(s string) string { return strings.ReplaceAll(alerting.Printable(s, 100), "|", "\\|") }
