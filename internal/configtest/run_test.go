package configtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// passes runs a suite in which every test must pass.
func passes(t *testing.T, s *Suite) {
	t.Helper()
	results, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.Passed {
			t.Errorf("%s: %s", r.Name, strings.Join(r.Faults, "\n"))
		}
	}
}

func load(t *testing.T, path string) *Suite {
	t.Helper()
	s, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// block returns the first block of YAML after a heading of a page.
func block(t *testing.T, path, heading string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)\n#+ " + heading + "\n.*?```yaml\n(.*?)```").FindSubmatch(append([]byte("\n"), text...))
	if m == nil {
		t.Fatalf("%s has no YAML under %q", path, heading)
	}
	return string(m[1])
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The page of `weir test` shows tests that pass.
func TestPage(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "weir.yaml"), "")
	passes(t, load(t, write(t, filepath.Join(dir, "weir.test.yaml"), block(t, "../../docs/testing.md", "Testing a configuration"))))
}

// The presets read what their sources write, and what they say of people together
// leads to facts.
func TestPresets(t *testing.T) { passes(t, load(t, "testdata/presets.test.yaml")) }

// The entries of `expected` that the page shows hold back what the page says.
func TestExpectedOfThePage(t *testing.T) {
	s := load(t, "testdata/expected.test.yaml")
	s.Config = write(t, filepath.Join(t.TempDir(), "weir.yaml"), block(t, "../../docs/episodes.md", "What is expected"))
	passes(t, s)
}

// A test fails that wants what is not there, or finds what it does not want, and says
// so.
func TestFaults(t *testing.T) {
	results, err := load(t, "testdata/broken.test.yaml").Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"an alert of user bob@example.com (acted_after_leave, high, opened 2026-03-04T09:05:00.000Z), which the test does not want"},
		{"nobody was alerted of {identity: bob*, fact: acted_after_leave}"},
		{
			"an alert of user bob@example.com (acted_after_leave, high, opened 2026-03-04T09:05:00.000Z), which the test does not want",
			"nobody was alerted of {identity: bob*, before: 2026-03-04 08:00:00 +0000 UTC}", "nobody was alerted of {identity: bob*, severity: critical}",
			"nobody was alerted of {identity: alice*}", "nothing holds back {by: nightly-export}",
			"read are 1 events that count, 1 facts and 0 rejected; the test wants 3, 1 and 0",
		},
	}
	for i, r := range results {
		if r.Passed || strings.Join(r.Faults, "\n") != strings.Join(want[i], "\n") {
			t.Errorf("%s: passed %v, says\n%s\nwant\n%s", r.Name, r.Passed, strings.Join(r.Faults, "\n"), strings.Join(want[i], "\n"))
		}
	}
	var out strings.Builder
	Print(&out, results)
	if !strings.HasPrefix(out.String(), "FAIL  unwanted\n      an alert of user bob") || !strings.HasSuffix(out.String(), "0 of 3 tests passed\n") {
		t.Errorf("printed:\n%s", out.String())
	}
}

// What is wrong with a suite is said before anything runs.
func TestLoadFaults(t *testing.T) {
	dir := t.TempDir()
	for text, says := range map[string]string{
		"":                                     "there are none under tests",
		"kafka: {brokers: [a]}\nsources: []\n": "line 1: key kafka is unknown; line 2: key sources is unknown; a file of tests has `config` and `tests`",
		"tests: [{name: a}]":                   "needs a name and events",
		"tests: [{nam: a}]":                    "line 1: key nam is unknown",
		"test: []":                             "line 1: key test is unknown",
		"tests: [{name: a, events: [{file: x, lines: y}]}]":                                                                            "one of file, lines and pattern",
		"tests: [{name: a, events: [{pattern: {every: 1h}}]}]":                                                                         "needs from",
		"tests: [{name: a, events: [{pattern: {every: 1}}]}]":                                                                          "lacks a unit",
		"tests: [{name: a, events: [{lines: x}], alerts: [{}]}]":                                                                       "says nothing",
		"tests: [{name: a, events: [{lines: x}], alerts: [{by: x}]}]":                                                                  "by belongs to held_back",
		"tests: [{name: a, events: [{lines: x}], alerts: [{severity: x}]}]":                                                            "severity",
		"tests: [{name: a, events: [{pattern: {from: 2026-01-01T00:00:00Z, until: 2027-01-01T00:00:00Z, every: 1s}}]}]":                "more than 500000 events",
		"tests: [{name: a, events: [{pattern: {from: 2026-01-01T00:00:00Z, until: 2026-01-02T00:00:00Z, every: 1h, days: [heute]}}]}]": "no day",
		"tests: [{name: a, events: [{pattern: {from: 2026-01-01T00:00:00Z, until: 2026-01-02T00:00:00Z, every: 1h, hours: early}}]}]":  "such as 09:00-17:00",
		"tests: [{name: a, events: [{format: ocsf, pattern: {from: 2026-01-01T00:00:00Z, until: 2026-01-02T00:00:00Z, every: 1h}}]}]":  "format belongs to file and lines",
		"tests: [{name: a, events: [{pattern: {from: 2026-01-01T00:00:00Z, until: 2026-01-02T00:00:00Z, every: 1h, records: -1}}]}]":   "not negative",
	} {
		if _, err := Load(write(t, filepath.Join(dir, "x.yaml"), text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
	if _, err := Load(filepath.Join(dir, "none.yaml")); err == nil {
		t.Error("a file that is not there is read")
	}
	s := load(t, write(t, filepath.Join(dir, "t.yaml"), "tests: [{name: a, events: [{file: none.ndjson}]}]"))
	write(t, filepath.Join(dir, "weir.yaml"), "")
	if _, err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "none.ndjson") {
		t.Errorf("a file of events that is not there: %v", err)
	}
}
