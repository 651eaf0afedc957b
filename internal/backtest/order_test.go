package backtest

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
)

// leakyLog returns the lines of a log of 16 days, in order, in which somebody reads
// much on the last day. One line cannot be read.
func leakyLog() (lines [][]byte) {
	dice := rand.New(rand.NewPCG(3, 3))
	add := func(at time.Time, who string, record int) {
		lines = append(lines, lineOf(at, who, record))
	}
	for day := range 16 {
		for hour := 8; hour < 17; hour++ {
			for n := range 30 {
				who, record := []string{"ana", "ben", "cat", "dan"}[n%4], dice.IntN(50)
				at := monday.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour + time.Duration(n)*100*time.Second)
				add(at, who, 1000*(n%4)+record)
				for k := range 10 {
					if day == 15 && who == "ben" {
						add(at.Add(time.Duration(k)*time.Second), who, 10_000+n*10+k+hour*1000)
					}
				}
			}
		}
	}
	return append(lines, []byte("nothing\n"))
}

// lineOf returns the line of one read.
func lineOf(at time.Time, who string, record int) []byte {
	return []byte(`{"time":"` + at.Format(time.RFC3339) + `","actor":"` + who + `","ip":"192.0.2.7","records":["` + time.Duration(record).String() + `"]}` + "\n")
}

// reports returns the alerts of a log and its summary.
func reports(t *testing.T, lines [][]byte, asIs, pipe bool) (alerts string, s Summary) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, bytes.Join(lines, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	if pipe {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		old := os.Stdin
		os.Stdin, path = file, "-"
		defer func() { os.Stdin = old }()
	}
	set, err := settings.New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	l := native(t, path)
	l.AsIs = asIs
	r, out := NewRun(set, l, progress.New(&bytes.Buffer{})), []byte(nil)
	r.Alert = func(a *alerting.Alert) error {
		out = append(a.AppendJSON(out), '\n')
		return nil
	}
	if err := l.Read(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return string(out), r.Summary
}

// A log that runs backwards, is in no order, or is put together of parts in the wrong
// order, tells byte for byte what it tells in order: as a file and as a pipe.
func TestFilesAreSorted(t *testing.T) {
	lines := leakyLog()
	want, in := reports(t, lines, false, false)
	if !strings.Contains(want, `"identity":"ben"`) || len(in.Warnings) > 0 || in.Rejected["not_json"] != 1 {
		t.Fatalf("in order: %+v\n%s", in, want)
	}
	backwards, shuffled := slices.Clone(lines), slices.Clone(lines)
	slices.Reverse(backwards)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, c := range []struct {
		name  string
		lines [][]byte
		pipe  bool
	}{
		{"backwards", backwards, false},
		{"backwards from a pipe", backwards, true},
		{"in no order", shuffled, false},
		{"the second half first", slices.Concat(lines[len(lines)/2:], lines[:len(lines)/2]), false},
	} {
		got, s := reports(t, c.lines, false, c.pipe)
		if got != want {
			t.Errorf("%s: other alerts:\n%s\nwant\n%s", c.name, got, want)
		}
		if s.Counted != in.Counted || s.Late != 0 || s.Rejected["not_json"] != 1 || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "was sorted") {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
	if got, s := reports(t, backwards, true, false); got == want || s.Late+s.Rejected["expired"] == 0 {
		t.Errorf("read as it is, what runs backwards tells the same, so that nothing is shown: %+v", s)
	}
}

// A log with a backlog, and one from a pipe that is in order, are not sorted.
func TestOrderIsLeftAlone(t *testing.T) {
	lines := leakyLog()
	want, _ := reports(t, lines, false, false)
	if got, s := reports(t, lines, false, true); got != want || len(s.Warnings) > 0 {
		t.Errorf("from a pipe: %+v\n%s", s, got)
	}
	from := len(lines) / 2
	backlog := slices.Concat(lines[:from], lines[from+400:from+600], lines[from:from+400], lines[from+600:])
	if _, s := reports(t, backlog, false, false); s.Late == 0 || strings.Contains(strings.Join(s.Warnings, "\n"), "sorted") {
		t.Errorf("with a backlog: %+v", s)
	}
}

// A log that is sorted can be read again.
func TestSortedFileIsReadAgain(t *testing.T) {
	backwards := leakyLog()
	slices.Reverse(backwards)
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, bytes.Join(backwards, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	l := native(t, path)
	for range 2 {
		r := newRecorder()
		if err := l.Read(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if len(r.times) != len(backwards)-1 || !slices.IsSorted(r.times) || r.rejects != 1 || len(r.warned) != 1 {
			t.Errorf("%d events, sorted %v, %d rejects, %q", len(r.times), slices.IsSorted(r.times), r.rejects, r.warned)
		}
	}
}
