package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what the report says into testdata")

// Each story in testdata is what go test -json writes, a line of dashes, and
// the report of it. A line "beat TIME" is the clock, "close TIME" the end.
func TestReport(t *testing.T) {
	stories, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, path := range stories {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			story, want, _ := strings.Cut(string(text), "----\n")
			got := sent(t, story, strings.HasPrefix(filepath.Base(path), "strict"))
			if *update {
				if err := os.WriteFile(path, []byte(story+"----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// told returns the report of a story, which begins at noon.
func sent(t *testing.T, story string, strict bool) string {
	t.Helper()
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339, "2026-03-02T"+text+"Z")
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	var out strings.Builder
	r := newReport(&out, at("12:00:00"))
	r.strict = strict
	for line := range strings.Lines(story) {
		switch word, when, _ := strings.Cut(strings.TrimSpace(line), " "); word {
		case "beat":
			r.beat(at(when))
		case "close":
			if r.close(at(when)) {
				out.WriteString("passed\n")
			} else {
				out.WriteString("failed\n")
			}
		default:
			r.line([]byte(line))
		}
	}
	return out.String()
}
