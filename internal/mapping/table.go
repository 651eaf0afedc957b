package mapping

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"
)

// WriteTable writes the report for people.
func (r *Report) WriteTable(out io.Writer) error {
	var text strings.Builder
	for _, s := range r.Samples {
		fmt.Fprintf(&text, "%s  %s", s.At, Printable(string(s.Event)))
		if s.Records > ShownRecords {
			fmt.Fprintf(&text, " and %d more records", s.Records-ShownRecords)
		}
		text.WriteByte('\n')
	}
	if len(r.Samples) > 0 {
		text.WriteByte('\n')
	}
	fmt.Fprintf(&text, "%d read, %d events, %d rejected or left out\n", r.Values, r.Events, r.Rejected())
	if r.Events > 0 {
		writeCounts(&text, "FIELD", r.Fields, r.Events)
		writeCounts(&text, "ACTION", slices.DeleteFunc(slices.Clone(r.Actions), func(c Count) bool { return c.Events == 0 }), r.Events)
	}
	writeCounts(&text, "NOTE", r.Notes, r.Events)
	writeCounts(&text, "REJECTED", r.Rejects, r.Events)
	writeCounts(&text, "NOT READ", r.Unread, r.Events)
	if r.Hint != "" {
		fmt.Fprintf(&text, "\n%s\n", Printable(r.Hint))
	}
	if _, err := io.WriteString(out, text.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// writeCounts writes one table of counts, unless it is empty; events is how
// many there are in all.
func writeCounts(out io.Writer, head string, counts []Count, events int64) {
	if len(counts) == 0 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	defer w.Flush()
	switch head {
	case "NOT READ":
		fmt.Fprint(w, "\nKEY NOT READ\tEVENTS\tFIRST AT\n")
		for _, c := range counts {
			fmt.Fprintf(w, "%s\t%d\t%s\n", Printable(c.Name), c.Events, strings.Join(c.At, "; "))
		}
	case "NOTE", "REJECTED":
		fmt.Fprintf(w, "\n%s\tPATH\tEVENTS\tFIRST AT\n", head)
		for _, c := range counts {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", c.Name, cmp.Or(Printable(c.Path), "-"), c.Events, strings.Join(c.At, "; "))
		}
	default:
		fmt.Fprintf(w, "\n%s\tEVENTS\tSHARE\n", head)
		for _, c := range counts {
			fmt.Fprintf(w, "%s\t%d\t%.1f %%\n", c.Name, c.Events, 100*float64(c.Events)/float64(events))
		}
	}
}

// Printable escapes what could steer a terminal, or hide text on it.
func Printable(s string) string {
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
