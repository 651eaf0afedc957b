package stream_test

import (
	"slices"
	"testing"

	"github.com/weirhq/weir/stream"
)

// A restore that begins at a tick reads from the first record that brought anything
// for it or later, and repeats the closes from the last before the tick on.
func TestReplayLog(t *testing.T) {
	var l stream.ReplayLog
	for i := range int64(5000) {
		l.Came(i, 2*i)
		l.Came(i, 2*i+1) // later records change nothing
		l.Closed(2*i+2, i)
	}
	l.Came(9000, 7) // came early, and waits
	if got := l.From(3000, 10_000); got != 7 {
		t.Errorf("replayed from offset %d, want 7", got)
	}
	l.Trim(4000)
	if got := l.From(4000, 10_000); got != 7 {
		t.Errorf("trimmed, replayed from offset %d, want 7", got)
	}
	if got := l.From(9001, 10_000); got != 10_000 {
		t.Errorf("with nothing to replay it is from offset %d, want 10000", got)
	}
	closes := l.Closes()
	if want := (stream.Advance{Offset: 8000, Done: 3999}); closes[0] != want || len(closes) != 1001 {
		t.Errorf("%d closes from %v on, want 1001 from %v on", len(closes), closes[0], want)
	}
	again := stream.RestoredLog(slices.Clone(closes))
	if !slices.Equal(again.Closes(), closes) {
		t.Error("the closes of a restored log are others")
	}
}
