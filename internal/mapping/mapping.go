// Package mapping shows what a sample of a source becomes under a format: which
// fields its events carry, and what is odd or rejected.
package mapping

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/guess"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/usage"
)

// Report is what a sample becomes. Its lists have a fixed order.
type Report struct {
	Format  string   `json:"format"`
	Values  int64    `json:"values"` // lines or documents read
	Events  int64    `json:"events"`
	Samples []Sample `json:"samples"`
	Fields  []Count  `json:"fields"`         // events that carry each field
	Actions []Count  `json:"actions"`        // events of each action
	Notes   []Count  `json:"notes"`          // events with each oddity
	Rejects []Count  `json:"rejects"`        // by reason and path
	Unread  []Count  `json:"unread"`         // keys of documents that the native form does not know
	Hint    string   `json:"hint,omitempty"` // what to try, where no event says more than a time
}

// Sample is one event in weir's own form.
type Sample struct {
	At      string          `json:"at"` // file:line, and [index] in an envelope
	Event   json.RawMessage `json:"event"`
	Records int             `json:"records"` // of which the event shows the first
}

// Count counts events that have something in common.
type Count struct {
	Name   string   `json:"name"`
	Path   string   `json:"path,omitempty"`
	Events int64    `json:"events"`
	At     []string `json:"at,omitempty"` // the first of them
}

// ShownRecords is how many records of an event a Sample holds.
const ShownRecords = 10

// shownPlaces is how many places a Count names.
const shownPlaces = 5

// mapper gathers a report.
type mapper struct {
	report   Report
	progress *progress.Line
	limit    int
	explodes bool   // a value may hold several events
	native   bool   // keys that are not read are reported
	bare     int64  // events that say nothing but a time
	at       string // file and line of the value that is being decoded
	index    int    // of the event within that value
}

// Map decodes files under a format and reports on them, with up to limit events
// as samples. The report holds what was read even when there is an error.
func Map(ctx context.Context, format string, names []string, limit int, p *progress.Line) (*Report, error) {
	m := &mapper{limit: limit, progress: p}
	r := &m.report
	r.Format, r.Samples, r.Notes, r.Rejects, r.Unread = format, []Sample{}, []Count{}, []Count{}, []Count{}
	for _, name := range fieldmap.FieldNames() {
		r.Fields = append(r.Fields, Count{Name: name})
	}
	for _, name := range event.ActionNames() {
		r.Actions = append(r.Actions, Count{Name: name})
	}
	f, err := files.LoadFormat(format)
	if err != nil {
		return r, usage.Errorf("%w", err)
	}
	m.native = f.Name() == "native"
	defer m.progress.Clear()
	for _, name := range names {
		if err := m.file(ctx, f, name); err != nil {
			return r, err
		}
	}
	for _, counts := range [][]Count{r.Rejects, r.Unread} {
		slices.SortStableFunc(counts, func(a, b Count) int { return cmp.Compare(b.Events, a.Events) })
	}
	return r, m.usable(f, names)
}

// usable returns an error if nothing could be read.
func (m *mapper) usable(f *fieldmap.Format, names []string) error {
	rejects := map[string]int64{}
	for _, c := range m.report.Rejects {
		rejects[c.Name] += c.Events
	}
	m.progress.Clear()
	switch {
	case m.report.Events > m.bare:
		return nil
	case m.bare > 0:
		rejects[guess.OnlyTime] = m.bare
		m.report.Hint = guess.Unusable(names[0], f.Name(), rejects).Error()
		return nil
	case m.report.Values == 0:
		return fmt.Errorf("reading %s: nothing is in it", strings.Join(names, ", "))
	}
	return guess.Unusable(names[0], f.Name(), rejects)
}

// file decodes one file.
func (m *mapper) file(ctx context.Context, f *fieldmap.Format, path string) error {
	in, err := files.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	m.explodes = f.Explodes()
	lines, decoder := files.NewReader(in, f), f.NewDecoder()
	for ctx.Err() == nil {
		line, n, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("mapping %s: %w", path, err)
		}
		if m.report.Values++; m.report.Values%10_000 == 0 {
			m.progress.Show("%d read, %d events", m.report.Values, m.report.Events)
		}
		m.unread(line, fmt.Sprintf("%s:%d", path, n))
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
	return ctx.Err()
}

// mostUnread is how many keys that are not read are reported.
const mostUnread = 50

// unread counts the keys of a document that the native form does not know.
func (m *mapper) unread(document []byte, at string) {
	if !m.native {
		return
	}
	var keys map[string]json.RawMessage
	if json.Unmarshal(document, &keys) != nil {
		return // it is rejected
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		known := slices.Contains(fieldmap.FieldNames(), key)
		if !known && (len(m.report.Unread) < mostUnread || slices.ContainsFunc(m.report.Unread, func(c Count) bool { return c.Name == key })) {
			m.report.Unread = count(m.report.Unread, key, "", at)
		}
	}
}

// event counts one event.
func (m *mapper) event(ev *event.Event) {
	r := &m.report
	r.Events++
	if ev.OnlyTime() {
		m.bare++
	}
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
		shown.Records = ev.Records[:min(len(ev.Records), ShownRecords)]
		if shown.Session != "" {
			shown.Session = "hashed:" + string(event.FixedHasher().AppendSession(nil, ev.Session))
		}
		at := m.at
		if m.explodes {
			at = fmt.Sprintf("%s[%d]", at, m.index)
		}
		r.Samples = append(r.Samples, Sample{
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
func count(counts []Count, name, path, at string) []Count {
	i := slices.IndexFunc(counts, func(c Count) bool { return c.Name == name && c.Path == path })
	if i < 0 {
		i = len(counts)
		counts = append(counts, Count{Name: name, Path: path})
	}
	c := &counts[i]
	if c.Events++; len(c.At) < shownPlaces {
		c.At = append(c.At, at)
	}
	return counts
}

// Rejected returns how many events were rejected or left out.
func (r *Report) Rejected() (n int64) {
	for _, c := range r.Rejects {
		n += c.Events
	}
	return n
}
