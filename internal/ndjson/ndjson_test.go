package ndjson

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
)

func fileOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Empty lines are counted and not handed on; the last line needs no newline.
func TestEachLine(t *testing.T) {
	var got []string
	err := EachLine(fileOf(t, "a\n\nb\nc"), func(line int, b []byte) { got = append(got, fmt.Sprintf("%d %s", line, b)) })
	if want := "1 a|3 b|4 c"; err != nil || strings.Join(got, "|") != want {
		t.Errorf("%v, %v; want %s", got, err, want)
	}
	if err := EachLine("missing", nil); err == nil || !strings.Contains(err.Error(), "opening missing") {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := EachLine(fileOf(t, strings.Repeat("x", maxLine+1)), func(int, []byte) {}); err == nil {
		t.Error("a line above the bound is read")
	}
}

// The wanted alerts come in the order of the file; the first line that is none is
// named.
func TestAlerts(t *testing.T) {
	line := func(key string) string {
		a := alertingtest.Alert()
		a.DedupKey = key
		return string(a.AppendJSON(nil)) + "\n"
	}
	wanted := func(a *alerting.Alert) bool { return a.DedupKey != "weir-2" }
	got, err := Alerts(fileOf(t, line("weir-1")+line("weir-2")+line("weir-3")), wanted)
	if err != nil || len(got) != 2 || got[0].DedupKey != "weir-1" || got[1].DedupKey != "weir-3" {
		t.Errorf("%v, %v", got, err)
	}
	path := fileOf(t, line("weir-1")+"{}x\nno\n")
	if _, err := Alerts(path, wanted); err == nil || !strings.HasPrefix(err.Error(), path+":2: ") {
		t.Errorf("a line that is no alert: %v", err)
	}
}
