package backtest

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
)

// The summary tells of a wrong clock, also where its event is the first of the log, and
// of a log that runs backwards and is read as it is. A log in order has no warning.
func TestSummaryTellsOfTimes(t *testing.T) {
	const n = 3000
	path := logOf(t, "log", monday, n)
	value, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(bytes.Lines(value))
	wrong := []byte(`{"time":"2026-04-20T00:00:00Z","actor":"ana","records":[1]}` + "\n")
	backwards := slices.Clone(lines)
	slices.Reverse(backwards)
	for _, c := range []struct {
		name           string
		lines          [][]byte
		counted, ahead int64
		warning        string // a part of the only one; empty: there is none
	}{
		{"in order", lines, n, 0, ""},
		{"a wrong date within", slices.Insert(slices.Clone(lines), 1000, wrong), n, 1, "the first says 2026-04-20T00:00:00.000Z"},
		{"a wrong date at the beginning", slices.Insert(slices.Clone(lines), 0, wrong), n, 1, "look for a wrong clock"},
		{"newest first", backwards, 601, 0, "oldest first"},
	} {
		if err := os.WriteFile(path, bytes.Join(c.lines, nil), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := settings.New(config.Default())
		if err != nil {
			t.Fatal(err)
		}
		l := native(t, path)
		l.AsIs = true
		r := NewRun(s, l, progress.New(&bytes.Buffer{}))
		if err := l.Read(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		got := r.Summary
		if got.Counted != c.counted || got.Ahead != c.ahead || got.To.Std().After(monday.Add(n*time.Second)) {
			t.Errorf("%s: %+v", c.name, got)
		}
		switch {
		case c.warning == "" && len(got.Warnings) == 0:
		case c.warning != "" && len(got.Warnings) == 1 && strings.Contains(got.Warnings[0], c.warning):
		default:
			t.Errorf("%s: warnings %q, want one with %q", c.name, got.Warnings, c.warning)
		}
	}
}

// While a log is read, people are told up to when it is judged, not how far it is read.
func TestJudged(t *testing.T) {
	s, err := settings.New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	l := native(t, logOf(t, "log", monday, 2*BatchEvents+chunkLines))
	r, shown := NewRun(s, l, progress.New(&bytes.Buffer{})), 0
	r.Ahead = true
	r.show = func(judged alerting.Time, last bool) {
		shown++
		if judged%alerting.Time(s.Grid.Tick) != 0 || (judged > r.Summary.To) != last {
			t.Errorf("judged up to %s, read up to %s; the end: %v", judged, r.Summary.To, last)
		}
	}
	if err := l.Read(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if shown < 3 {
		t.Errorf("shown %d times", shown)
	}
}
