package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// weir runs one command line as main does.
func weir(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := newRootCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	code = exitCode(cmd.ExecuteContext(t.Context()), &errs)
	return code, out.String(), errs.String()
}

// alone skips, with -short, what one goroutine works out by itself: the race
// detector, which -short is for, would make it ten times slower and find nothing.
func alone(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("one goroutine alone")
	}
}

// workFolder makes the files that the tables name, and goes there.
func workFolder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"good.ndjson": `{"time":"2026-03-02T09:00:00Z","actor":"ana","records":[1,2]}
{"time":"2026-03-02T09:01:00Z","action":"login","actor":"ana"}
{"time":"soon","actor":"ana"}
`,
		"table.csv":      "time,actor,record\n2026-03-02T09:00:00Z,ana,1\n2026-03-02T09:01:00Z,ana,2\n",
		"seconds.ndjson": "{\"time\":1772442927.5,\"actor\":\"ana\",\"records\":[1]}{\"time\":1772442928,\"actor\":\"ana\",\"records\":[2]}",
		"empty.ndjson":   "",
		"times.ndjson":   "{\"time\":\"2026-03-02T09:00:00Z\",\"who\":\"ana\"}\n{\"time\":\"2026-03-02T09:01:00Z\",\"who\":\"ben\"}\n",
		"record.key":     "00112233445566778899aabbccddeeff\n",
		"good.yaml":      "sources: [{topic: access}]\nrecord_key_file: record.key\n",
		"bad.yaml":       "sources:\n  - topic: access\n    fromat: native\ntime: {tick: 5}\n",
		"keyless.yaml":   "sources: [{topic: access}]\n",
		// Port 1 answers nobody.
		"unreachable.yaml": "kafka: {brokers: ['127.0.0.1:1']}\nsources: [{topic: access}]\nrecord_key_file: record.key\nhttp: {listen: 'off'}\n",
	} {
		if err := os.WriteFile(filepath.Clean(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Who starts weir hears of a record key that others can read.
func TestOpenKeyIsWarnedAbout(t *testing.T) {
	workFolder(t)
	const warning = "record_key_file: the key is open to everybody on this machine (mode 0644)"
	for _, args := range []string{"validate -c good.yaml", "validate -c good.yaml -o json", "run -c unreachable.yaml"} {
		for mode, warned := range map[os.FileMode]bool{0o600: false, 0o644: true} {
			if err := os.Chmod("record.key", mode); err != nil {
				t.Fatal(err)
			}
			if _, stdout, stderr := weir(t, strings.Fields(args)...); strings.Contains(stdout+stderr, warning) != warned {
				t.Errorf("weir %s with mode %04o: warned %v, want %v\n%s%s", args, mode, !warned, warned, stdout, stderr)
			}
		}
	}
}

// Exit codes: 0 done, 1 failed, 2 wrong usage. What is wrong is told on
// stderr, with what would be right.
func TestExitCodes(t *testing.T) {
	workFolder(t)
	for _, c := range []struct {
		args string
		code int
		says string // on stderr
	}{
		{"", 0, ""},
		{"--help", 0, ""},
		{"version", 0, ""},
		{"nosuch", 2, `there is no command "nosuch"`},
		{"--nosuch", 2, "unknown flag: --nosuch"},
		{"version extra", 2, "weir version --help"},
		{"completion bash --help", 0, ""},
		{"completion", 0, ""},
		{"completion nosuch", 2, "weir completion --help"},

		{"backtest good.ndjson", 0, "1 counted, 1 facts, 0 late, 1 rejected (1 time_unreadable)"},
		{"backtest empty.ndjson", 1, "reading empty.ndjson: nothing is in it"},
		{"backtest seconds.ndjson", 0, "odd, but read: 2 time_guessed (docs/formats.md)"},
		{"backtest --exit-code good.ndjson", 0, ""},
		{"backtest", 2, "backtest needs at least one FILE"},
		{"backtest -o xml good.ndjson", 2, "-o is table or json"},
		{"backtest --format nosuch good.ndjson", 2, "there are native, ocsf, cloudtrail"},
		{"backtest --nosuch good.ndjson", 2, "weir backtest --help"},
		{"backtest missing.ndjson", 1, "missing.ndjson"},
		{"backtest good.ndjson missing.ndjson", 1, "missing.ndjson"},
		{"backtest -c bad.yaml good.ndjson", 1, "bad.yaml:3: unknown key fromat"},

		{"backtest table.csv", 1, "no event could be read as native (3 not_json); this looks like CSV with the columns time, actor, record: try --format map.yaml, with a field map made by: weir map auto table.csv > map.yaml"},
		{"backtest --format ocsf good.ndjson", 1, "this looks like the format native"},
		{"backtest times.ndjson", 1, "no event could be read as native (2 with nothing but a time)"},
		{"map native empty.ndjson", 1, "reading empty.ndjson: nothing is in it"},
		{"map native table.csv", 1, "this looks like CSV"},
		{"map auto table.csv", 0, ""},
		{"map auto good.ndjson", 0, ""},
		{"map auto empty.ndjson", 1, "this looks like an empty file"},
		{"map auto good.ndjson table.csv", 2, "map auto takes one FILE"},

		{"map native good.ndjson", 0, ""},
		{"map native", 2, "map needs a FORMAT and at least one FILE"},
		{"map nosuch good.ndjson", 2, "there are native, ocsf, cloudtrail"},
		{"map native missing.ndjson", 1, "missing.ndjson"},

		{"validate -c good.yaml", 0, ""},
		{"validate", 2, "-c FILE"},
		{"validate good.yaml", 2, "weir validate -c good.yaml"},
		{"explain weir-1 --alerts good.ndjson", 1, "good.ndjson:1: reading an alert: this is none"},
		{"validate -c bad.yaml", 1, `bad.yaml:4: time.tick: "5" lacks a unit`},
		{"validate -c keyless.yaml", 1, "record_key_file"},
		{"validate -c missing.yaml", 1, "missing.yaml"},
		{"validate -c bad.yaml -o json", 1, ""},

		{"run", 2, "-c FILE"},
		{"run -c good.yaml --roles nosuch", 2, "ingest, join, detect, correlate, notify"},
		{"run -c bad.yaml", 1, "did you mean format?"},
		{"run -c keyless.yaml", 1, "record_key_file"},
		{"run -c unreachable.yaml", 1, "check kafka.brokers"},

		{"topics", 0, ""},
		{"topics -o xml", 2, "-o is table or json"},
		{"topics -c unreachable.yaml --create", 1, "check kafka.brokers"},
		{"reset -c good.yaml", 2, "--from TIME"},
		{"reset -c good.yaml --from yesterday", 2, "want a time such as"},
		{"reset -c good.yaml --from earliest", 2, "say --yes if that is meant"},
		{"reset -c unreachable.yaml --from earliest --yes", 1, "check kafka.brokers"},

		{"simulate", 2, "--out FILE"},
		{"simulate --scenario nosuch --out events.ndjson", 2, "nosuch"},
	} {
		code, _, stderr := weir(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("weir %s: exit %d, want %d with %q on stderr; stderr:\n%s", c.args, code, c.code, c.says, stderr)
		}
	}
}

// With -o json the last line on stderr is one JSON summary, also of a run that
// fails, and nothing follows it.
func TestSummaryIsLast(t *testing.T) {
	workFolder(t)
	for _, c := range []struct {
		args string
		code int
		want string // the summary; an error only has to hold what stands here
	}{
		{"backtest -o json good.ndjson", 0, `{"events":2,"rejected":{"time_unreadable":1}}`},
		{"backtest -o json empty.ndjson", 1, `{"events":0,"rejected":{},"error":"reading empty.ndjson: nothing is in it"}`},
		{"backtest -o json missing.ndjson", 1, `{"events":0,"rejected":{},"error":"missing.ndjson"}`},
		{"backtest -o json -c bad.yaml good.ndjson", 1, `{"events":0,"rejected":{},"error":"did you mean format?"}`},
		{"backtest -o json --format nosuch good.ndjson", 2, `{"events":0,"rejected":{},"error":"nosuch"}`},
		{"map -o json native good.ndjson", 0, `{"events":2,"rejected":{"time_unreadable":1}}`},
		{"map -o json native good.ndjson missing.ndjson", 1, `{"events":2,"rejected":{"time_unreadable":1},"error":"missing.ndjson"}`},
		{"map -o json nosuch good.ndjson", 2, `{"events":0,"rejected":{},"error":"nosuch"}`},
	} {
		type summary struct {
			Events   int64            `json:"events"`
			Rejected map[string]int64 `json:"rejected"`
			Error    string           `json:"error"`
		}
		var got, want summary
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := weir(t, strings.Fields(c.args)...)
		lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
			t.Errorf("weir %s: the last line on stderr is no summary (%v):\n%s", c.args, err, stderr)
			continue
		}
		if code != c.code {
			t.Errorf("weir %s: exit %d, want %d", c.args, code, c.code)
		}
		if !strings.Contains(got.Error, want.Error) || want.Error == "" && got.Error != "" {
			t.Errorf("weir %s: error %q, want one with %q", c.args, got.Error, want.Error)
		}
		got.Error, want.Error = "", ""
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		if !bytes.Equal(g, w) {
			t.Errorf("weir %s: summary %s, want %s", c.args, g, w)
		}
	}
}

// An empty log has no first and last time to tell.
func TestSummaryOfNothing(t *testing.T) {
	workFolder(t)
	_, _, stderr := weir(t, "backtest", "-o", "json", "empty.ndjson")
	if want := `{"events":0,"counted":0,"facts":0,"late":0,"rejected":{},"alerts":0,"opened":0,"error":"reading empty.ndjson: nothing is in it"}` + "\n"; stderr != want {
		t.Errorf("got  %swant %s", stderr, want)
	}
}
