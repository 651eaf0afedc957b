package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/internal/mapping"
	"github.com/weirhq/weir/internal/usage"
)

// runMap runs weir map and returns both outputs.
func runMap(t *testing.T, args ...string) (out, errs string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := newRootCommand()
	cmd.SetArgs(append([]string{"map"}, args...))
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	err = cmd.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

// sampleFile writes a sample and returns its path.
func sampleFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample.ndjson")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const mapInput = `{"time":1772356527123,"actor":"a\u009b","session":"secret","records":[1,2,3,4,5,6,7,8,9,10,11,12],"ip":"x"}
{"time":"soon"}
{"time":1772356527123,"records":["a",{}]}

{"time":1772356527123,"action":"login","actor":"b","session":"secret"}
{"time":"later","actor":"confidential"}
{broken
`

func TestMapTable(t *testing.T) {
	path := sampleFile(t, mapInput)
	out, _, err := runMap(t, "native", "--limit", "1", path)
	if err != nil {
		t.Fatal(err)
	}
	out = strings.ReplaceAll(out, path, "FILE")
	const want = `FILE:1  {"time":"2026-03-01T09:15:27.123Z","action":"read","actor":"a\u009b","session":"hashed:4c","records":["1","2","3","4","5","6","7","8","9","10"]} and 2 more records

6 read, 3 events, 3 rejected or left out

FIELD     EVENTS  SHARE
time      3       100.0 %
id        0       0.0 %
action    3       100.0 %
actor     2       66.7 %
role      0       0.0 %
subject   1       33.3 %
key_id    0       0.0 %
session   2       66.7 %
ip        0       0.0 %
client    0       0.0 %
endpoint  0       0.0 %
records   2       66.7 %
rows      0       0.0 %

ACTION  EVENTS  SHARE
read    2       66.7 %
login   1       33.3 %

NOTE            PATH  EVENTS  FIRST AT
ip_invalid      -     1       FILE:1
record_dropped  -     1       FILE:3

REJECTED         PATH  EVENTS  FIRST AT
time_unreadable  time  2       FILE:2; FILE:6
not_json         -     1       FILE:7, byte 1
`
	got := strings.Split(out, "\n")
	for i, line := range strings.Split(want, "\n") {
		// The hash of the session is hash.go's affair.
		if cut, rest, ok := strings.Cut(line, "hashed:"); ok {
			if !strings.HasPrefix(got[i], cut) || !strings.HasSuffix(got[i], rest[2:]) {
				t.Errorf("line %d: got %s, want %s", i+1, got[i], line)
			}
		} else if i >= len(got) || got[i] != line {
			t.Fatalf("line %d: want %s, got\n%s", i+1, line, out)
		}
	}
	if strings.Contains(out, "secret") || strings.Contains(out, "confidential") {
		t.Error("a session, or the value of a reject, is shown")
	}
}

func TestMapJSON(t *testing.T) {
	out, errs, err := runMap(t, "native", "-o", "json", sampleFile(t, mapInput))
	if err != nil {
		t.Fatal(err)
	}
	var report mapping.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if report.Values != 6 || report.Events != 3 || len(report.Samples) != 3 || report.Samples[0].Records != 12 {
		t.Errorf("got %s", out)
	}
	const want = `{"events":3,"rejected":{"not_json":1,"time_unreadable":2}}` + "\n"
	if errs != want {
		t.Errorf("the summary is %s, want %s", errs, want)
	}
}

// TestMapEnvelope: an event of an envelope is named by its index.
func TestMapEnvelope(t *testing.T) {
	out, _, err := runMap(t, "cloudtrail", sampleFile(t, "{\"Records\":[\n{\"eventTime\":\"2026-03-01T09:15:27Z\"},\n5]}"))
	if err != nil || !strings.Contains(out, "sample.ndjson:1[0]  {") || !strings.Contains(out, "sample.ndjson:1[1]\n") {
		t.Errorf("got %v\n%s", err, out)
	}
}

func TestMapFaults(t *testing.T) {
	for _, c := range []struct {
		args  []string
		want  string
		usage bool
	}{
		{[]string{"native"}, "map needs a FORMAT and at least one FILE", true},
		{[]string{"nativ", "-"}, "did you mean native?", true},
		{[]string{"native", "-", "-o", "yaml"}, `-o is table or json, not "yaml"`, true},
		{[]string{"native", "-", "--limit", "-1"}, "--limit is a number of events", true},
		{[]string{"native", "missing.ndjson"}, "no such file", false},
	} {
		out, _, err := runMap(t, c.args...)
		var wrong usage.Error
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &wrong) != c.usage || out != "" {
			t.Errorf("%s: got %v and %q, want …%s…", c.args, err, out, c.want)
		}
	}
}

// The field map that map auto gives for a sample of each format names the format, and a
// backtest by it reads the sample.
func TestBacktestByGuess(t *testing.T) {
	samples, err := filepath.Glob("../../event/fieldmap/testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, sample := range samples {
		ext := filepath.Ext(sample)
		format := strings.TrimSuffix(filepath.Base(sample), ext)
		if info, err := os.Stat(sample); err != nil || info.IsDir() || ext == ".golden" {
			continue
		}
		code, guessed, stderr := weir(t, "map", "auto", sample)
		if code != 0 || !strings.Contains(guessed, "\nbase: "+format+"\n") {
			t.Errorf("%s: exit %d, %s%s", sample, code, guessed, stderr)
			continue
		}
		path := filepath.Join(t.TempDir(), "map.yaml")
		if err := os.WriteFile(path, []byte(guessed), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := weir(t, "backtest", "--format", path, sample); code != 0 || strings.Contains(stderr, " 0 counted, 0 facts") {
			t.Errorf("%s: exit %d, %s", sample, code, stderr)
		}
		known++
	}
	if known < 10 {
		t.Errorf("%d formats were tried, want ten at least", known)
	}
}
