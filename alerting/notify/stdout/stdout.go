// Package stdout writes alerts for pipes and for eyes: one JSON object a line,
// or a table row with the sentence below it.
package stdout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
)

// Format is the form of the output.
type Format string

// The formats.
const (
	JSON  Format = "json"  // one alert a line, as alerting.Alert.AppendJSON
	Table Format = "table" // for people: a row of figures, then the summary
)

// Writer is a destination that writes to an io.Writer. It is safe for
// concurrent use; each alert is one call of Write.
type Writer struct {
	name   string
	format Format
	loc    *time.Location

	mu    sync.Mutex
	w     io.Writer
	begun bool // the header of the table has been written
	torn  bool // the last write ended inside a line
}

var _ notify.Destination = (*Writer)(nil)

// New returns a destination that writes to w. Times of the table are shown in
// loc (nil: UTC); JSON is always UTC. An empty format means JSON.
func New(name string, w io.Writer, format Format, loc *time.Location) (*Writer, error) {
	switch format {
	case "":
		format = JSON
	case JSON, Table:
	default:
		return nil, fmt.Errorf("setting up %s: unknown format %q, want json or table", name, format)
	}
	if loc == nil {
		loc = time.UTC
	}
	return &Writer{name: name, w: w, format: format, loc: loc}, nil
}

// Name returns the destination's name.
func (o *Writer) Name() string { return o.name }

// Notify writes the alert. If the reader has gone away, the alert is refused for
// good; any other fault, such as a full disk, may pass. After a fault inside a
// line the next alert begins a new line.
func (o *Writer) Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error) {
	return o.write(ctx, func(b []byte) []byte {
		if o.format == Table {
			return appendNames(AppendTable(b, a, o.loc), a, o.loc)
		}
		return append(a.AppendJSON(b), '\n')
	})
}

// Beat writes the heartbeat: a line of JSON, or what it says under a row of the table.
func (o *Writer) Beat(ctx context.Context, h *alerting.Heartbeat) (retry bool, err error) {
	return o.write(ctx, func(b []byte) []byte {
		if o.format == Table {
			return appendHeartbeat(b, h, o.loc)
		}
		return append(h.AppendJSON(b), '\n')
	})
}

// write writes what is appended, as one piece.
func (o *Writer) write(ctx context.Context, appendTo func(b []byte) []byte) (retry bool, err error) {
	if err := ctx.Err(); err != nil {
		return true, fmt.Errorf("writing to %s: %w", o.name, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	var b []byte
	if o.torn {
		b = append(b, '\n')
	}
	if o.format == Table && !o.begun {
		b = AppendHeader(b, o.loc)
	}
	b = appendTo(b)
	n, err := o.w.Write(b)
	if n > 0 {
		o.begun = true
		o.torn = b[n-1] != '\n'
	}
	if err != nil {
		gone := errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
		return !gone, fmt.Errorf("writing to %s: %w", o.name, err)
	}
	return false, nil
}

const row = "%-16s  %-8s  %-6s  %-10s  %-28s  %12s  %12s  %14s\n"

// AppendHeader appends the line that names the table's columns.
func AppendHeader(b []byte, loc *time.Location) []byte {
	if loc == nil {
		loc = time.UTC
	}
	return fmt.Appendf(b, row, "TIME ("+loc.String()+")", "SEVERITY", "STATUS", "DIMENSION", "IDENTITY", "OBSERVED", "EXPECTED", "EXPOSED")
}

// AppendTable appends one alert as a row of figures and, indented below it,
// its summary. A cell that is too wide is cut; the summary is not.
func AppendTable(b []byte, a *alerting.Alert, loc *time.Location) []byte {
	if loc == nil {
		loc = time.UTC
	}
	exposed := alerting.Group(a.Exposed.Records)
	if a.Exposed.Records == 0 && a.Exposed.Rows > 0 {
		exposed = alerting.Group(a.Exposed.Rows) + " rows"
	}
	observed, expected := figure(a.Observed), figure(a.Expected)
	if a.Measure == "" || a.Observed == 0 && a.Expected == 0 { // it rests on no count, or on that of an hour
		observed, expected = "-", "-"
	}
	b = fmt.Appendf(b, row,
		a.Time.Std().In(loc).Format("2006-01-02 15:04"), cell(a.Severity.String(), 8), cell(string(a.Status), 6),
		cell(a.Dimension, 10), cell(a.Identity, 28), observed, expected, exposed)
	return append(append(append(b, "    "...), clean(a.Summary)...), '\n')
}

// appendNames appends a line for each of those for whom the message stands, below the
// summary.
func appendNames(b []byte, a *alerting.Alert, loc *time.Location) []byte {
	m := alerting.Compose(a, loc)
	for _, line := range slices.Concat(m.Members, m.New) {
		b = append(append(append(b, "    "...), line...), '\n')
	}
	return b
}

// appendHeartbeat appends a heartbeat as AppendTable does an alert.
func appendHeartbeat(b []byte, h *alerting.Heartbeat, loc *time.Location) []byte {
	r := h.Report(loc)
	b = fmt.Appendf(b, row, h.Time.Std().In(loc).Format("2006-01-02 15:04"), "-", "-", "heartbeat", cell(h.Group, 28), "-", "-", "-")
	b = append(append(append(b, "    "...), clean(r.Title+". "+r.Sentence)...), '\n')
	for _, s := range r.Sections {
		b = append(append(append(b, "    "...), clean(s.Heading+": "+strings.Join(s.Lines, "; "))...), '\n')
	}
	return b
}

// cell returns s as one printable line of at most width runes.
func cell(s string, width int) string {
	runes := []rune(clean(s))
	if len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return string(runes)
}

// clean keeps other people's text from steering the terminal.
func clean(s string) string { return alerting.Printable(s, len(s)) }

// figure shows a count as people read it: with one decimal below 100, else with
// commas between groups of three digits.
func figure(v float64) string {
	if v > -100 && v < 100 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	}
	if v > 1e15 || v < -1e15 || v != v {
		return fmt.Sprintf("%.3g", v)
	}
	return alerting.Group(int64(v + 0.5))
}
