package backtest

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
)

// A leak that is split over three names of a person is found as if it were of one
// name, byte for byte, where a table says that they are one. Without it nobody of that
// name leaks.
func TestLeakOfThreeNames(t *testing.T) {
	lines := leakyLog()
	split := make([][]byte, len(lines))
	for i, line := range lines {
		name := []string{`"ben"`, `"Ben@Example.com"`, `"S-1-5-21-7"`}[i%3]
		split[i] = bytes.Replace(line, []byte(`"ben"`), []byte(name), 1)
	}
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, []byte("name,person\nben@example.com,ben\nS-1-5-21-7,ben@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	alerts := func(lines [][]byte, aliases string) string {
		c := config.Default()
		c.Aliases.File = aliases
		set, err := settings.New(c)
		if err != nil {
			t.Fatal(err)
		}
		log := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(log, bytes.Join(lines, nil), 0o600); err != nil {
			t.Fatal(err)
		}
		l := native(t, log)
		r, out := NewRun(set, l, progress.New(&bytes.Buffer{})), []byte(nil)
		r.Alert = func(a *alerting.Alert) error {
			out = append(a.AppendJSON(out), '\n')
			return nil
		}
		if err := l.Read(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	want := alerts(lines, "")
	if !strings.Contains(want, `"identity":"ben"`) {
		t.Fatalf("one name is not found:\n%s", want)
	}
	got := alerts(split, path)
	names := regexp.MustCompile(`,"names":\[[^\]]*\]`)
	if plain := names.ReplaceAllString(got, ""); plain != want {
		t.Errorf("three names:\n%s\nwant\n%s", plain, want)
	}
	if found := names.FindString(got); !strings.Contains(found, `"Ben@Example.com"`) || !strings.Contains(found, `"S-1-5-21-7"`) || strings.Contains(found, `"ben"`) {
		t.Errorf("the names are %s", found)
	}
	if got := alerts(split, ""); got == want {
		t.Error("without the table it is the same, so that nothing is shown")
	}
}
