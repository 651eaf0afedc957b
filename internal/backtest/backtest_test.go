package backtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/stream"
)

// recorder is a Reader that notes what it is given.
type recorder struct {
	times   []int64 // of the events, ms
	rejects int
	warned  []string
	lines   map[int32]int64 // last line of each file
	ended   map[int32]bool
	last    bool
	enough  int // events after which it has had enough; 0: never
}

func newRecorder() *recorder { return &recorder{lines: map[int32]int64{}, ended: map[int32]bool{}} }

func (r *recorder) Event(_ stream.Source, ev *event.Event) int64 {
	r.times = append(r.times, ev.Time)
	return ev.Time
}
func (r *recorder) Reject(*event.Reject)                   { r.rejects++ }
func (r *recorder) Warn(what string)                       { r.warned = append(r.warned, what) }
func (r *recorder) Progress(src stream.Source, line int64) { r.lines[src.Partition] = line }
func (r *recorder) End(src stream.Source)                  { r.ended[src.Partition] = true }
func (r *recorder) Flush(last bool) error {
	r.last = last
	if r.enough > 0 && len(r.times) >= r.enough {
		return ErrEnough
	}
	return nil
}

// logOf writes a file of n events, one a second, whose first is at start.
func logOf(t *testing.T, name string, start time.Time, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"time":%q,"actor":"ana","records":[%d]}`+"\n", start.Add(time.Duration(i)*time.Second).Format(time.RFC3339), i)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func native(t *testing.T, names ...string) *Files {
	t.Helper()
	f, err := files.LoadFormat("native")
	if err != nil {
		t.Fatal(err)
	}
	return &Files{Names: names, Format: f}
}

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// Several files advance side by side in event time: none is further behind
// another than where it begins, and what is read of one at once, explain.
func TestFilesSideBySide(t *testing.T) {
	const n = 5 * chunkLines
	l := native(t, logOf(t, "early", monday, n), logOf(t, "late", monday.Add(chunkLines*time.Second), n))
	r := newRecorder()
	if err := l.Read(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if len(r.times) != 2*n || r.lines[0] != n || r.lines[1] != n || !r.ended[0] || !r.ended[1] || !r.last {
		t.Errorf("%d events, lines %v, ended %v, last flush %v", len(r.times), r.lines, r.ended, r.last)
	}
	reached := int64(0)
	for _, at := range r.times {
		if behind := reached - at; behind > 2*chunkLines*1000 {
			t.Fatalf("an event comes %d s behind another", behind/1000)
		}
		reached = max(reached, at)
	}
	if topics := l.Topics(); len(topics) != 1 || topics[0].Partitions != 2 {
		t.Errorf("topics %v", topics)
	}
}

// Reading stops without an error when the reader has had enough, and with one
// when the context ends, or a file is not there.
func TestReadingStops(t *testing.T) {
	l := native(t, logOf(t, "log", monday, 2*BatchEvents))
	r := newRecorder()
	r.enough = 1
	if err := l.Read(t.Context(), r); err != nil || len(r.times) > BatchEvents+chunkLines || r.last {
		t.Errorf("after enough: %v, %d events, last %v", err, len(r.times), r.last)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Read(ctx, newRecorder()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := native(t, "missing").Read(t.Context(), newRecorder()); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a file that is not there: %v", err)
	}
}
