package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/weirhq/weir/console/tuning"
	"github.com/weirhq/weir/lab"
)

// The settings stand side by side: the configuration as it is first, then each
// that is tried, with alerts a day and the leaks caught.
func TestTune(t *testing.T) {
	alone(t)
	t.Chdir(t.TempDir())
	writeFile(t, "log.ndjson", clerks(21))
	code, stdout, stderr := weir(t, "tune", "--try", "time.bin=2h", "--try", `dimensions={"network":["network"]} alerts.budget=1/day`,
		"--inject", "RATE=10x,IDENTITY=network:10.0.2.0/24", "-o", "json", "log.ndjson")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var settings []string
	for line := range strings.Lines(stdout) {
		var r lab.Trial
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		settings = append(settings, r.Settings)
		var shown tuning.Trial // as the console's page reads it
		if err := json.Unmarshal([]byte(line), &shown); err != nil {
			t.Fatal(err)
		}
		for what, pair := range map[string][2]any{
			"openings a day": {shown.PerDay, r.PerDay}, "in the first week": {shown.FirstWeek, r.FirstWeek}, "opened": {shown.Opened, r.Opened}, "openings": {len(shown.Openings), len(r.Openings)},
			"caught": {shown.Leaks[0].Caught, r.Leaks[0].Caught}, "after": {shown.Leaks[0].Median, r.Leaks[0].Median}, "by chance": {shown.Leaks[0].Chance, r.Leaks[0].Chance},
			"who":   {shown.Leaks[0].Dimension + shown.Leaks[0].Outcomes[0].Identity, r.Leaks[0].Dimension + r.Leaks[0].Outcomes[0].Identity},
			"delay": {shown.Leaks[0].Outcomes[0].Delay, r.Leaks[0].Outcomes[0].Delay}, "gone": {shown.Leaks[0].Outcomes[0].Gone, r.Leaks[0].Outcomes[0].Gone},
		} {
			if pair[0] != pair[1] {
				t.Errorf("under %q the page has for %s %v, weir tune %v", r.Settings, what, pair[0], pair[1])
			}
		}
		if len(r.Leaks) != 1 || r.Leaks[0].Caught != 1 || r.Leaks[0].Outcomes[0].Delay <= 0 {
			t.Errorf("under %q: %+v", r.Settings, r.Leaks)
		}
		if by := r.Leaks[0].Outcomes[0].By; len(settings) == 3 && by != "network 10.0.2.0/24" {
			t.Errorf("with one dimension it is caught by %q", by)
		}
	}
	if want := `|time.bin=2h|dimensions={"network":["network"]} alerts.budget=1/day`; strings.Join(settings, "|") != want {
		t.Errorf("settings %q", settings)
	}
	_, table, _ := weir(t, "tune", "--try", "alerts.budget=1/day", "--inject", "RATE=10x", "log.ndjson")
	for _, want := range []string{"settings", "drift 10x", "as it is", "alerts.budget=1/day", "1 of 1", "by chance"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}

func TestTuneFaults(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "log.ndjson", clerks(2))
	if err := os.WriteFile("bad.yaml", []byte("alerts: {bugdet: 1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"tune", 2, "tune needs FILEs, or a configuration"},
		{"tune -", 2, "reads the log several times"},
		{"tune --try budget log.ndjson", 2, "no KEY=VALUE, such as alerts.budget=1/day"},
		{"tune --try alerts.bugdet=1 log.ndjson", 2, "did you mean budget?"},
		{"tune --try alerts.budget=lots log.ndjson", 2, `trying "alerts.budget=lots"`},
		{"tune --try time.bin=7m log.ndjson", 2, "time.bin"},
		{"tune -c bad.yaml log.ndjson", 1, "bad.yaml:1:"},
		{"tune --inject KIND=theft log.ndjson", 2, "want drift"},
		{"tune -o xml log.ndjson", 2, "-o is table or json"},
		{"tune log.ndjson", 1, "the log is too short"},
	} {
		code, _, stderr := weir(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("weir %s: exit %d, want %d with %q: %s", c.args, code, c.code, c.says, stderr)
		}
	}
}
