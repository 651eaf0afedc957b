package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/explain"
)

// clerksLeak is a log in which a clerk steals on the last two days, and what a
// backtest says of it.
var clerksLeak = sync.OnceValues(func() (l struct{ log, alerts []byte }, err error) {
	b := []byte(clerks(15))
	for day := 16; day <= 17; day++ {
		for i := range 400 {
			b = fmt.Appendf(b, `{"time":"2026-03-%dT%02d:%d%d:00Z","actor":"clerk2","ip":"10.0.2.9","client":"crm","records":["n99%d%03d"]}`+"\n",
				day, 9+i/100, i%100/20, i%10, day-12, i)
		}
	}
	l.log = b
	l.alerts, err = backtested(b)
	return l, err
})

// alertsOfLeak writes the log and the alerts into the folder, and returns the
// alert on the thief.
func alertsOfLeak(t *testing.T) *alerting.Alert {
	t.Helper()
	l, err := clerksLeak()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, "log.ndjson", string(l.log))
	writeFile(t, "alerts.ndjson", string(l.alerts))
	for line := range bytes.Lines(l.alerts) {
		a, err := alerting.ParseAlert(line)
		if err != nil {
			t.Fatal(err)
		}
		if a.Dimension == "user" && a.Identity == "clerk2" {
			return a
		}
	}
	t.Fatalf("no alert of the thief in\n%s", l.alerts)
	return nil
}

// Every number of an alert is computed again, from the alert and from the log.
func TestExplain(t *testing.T) {
	alone(t)
	t.Chdir(t.TempDir())
	a := alertsOfLeak(t)
	code, stdout, stderr := weir(t, "explain", a.DedupKey, "--alerts", "alerts.ndjson", "--input", "log.ndjson", "-o", "json")
	if code != 0 {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	var x explain.Explanation
	if err := json.Unmarshal([]byte(stdout), &x); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, n := range x.Numbers {
		seen[n.Name] = true
		if n.Differs() || n.Agrees && n.StatedText() != n.AgainText() && n.High == 0 {
			t.Errorf("%s: told %g, again %g from %s, %s", n.Name, n.Stated, n.Again, n.From, n.Verdict())
		}
	}
	for _, want := range []string{"evidence of distinct", "evidence", "allowed of " + a.Measure, "evidence of " + a.Measure, "observed " + a.Measure, "exposed"} {
		if !seen[want] {
			t.Errorf("nothing is said of %q; numbers %v", want, seen)
		}
	}
	if text := strings.Join(x.Notes, "\n"); !strings.Contains(text, "the same alert, byte for byte") {
		t.Errorf("the replay says\n%s", text)
	}
	_, table, _ := weir(t, "explain", "--identity", "user:clerk2", "--bin", a.Evidence.Bin.String(), "--alerts", "alerts.ndjson")
	for _, want := range []string{a.DedupKey, "evidence of distinct", "over the drifts", "of the group", "agrees"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}

// The numbers of any bin of any identity are computed again from the log alone:
// where nothing happened, where all was well, and where the alert was raised.
func TestExplainBin(t *testing.T) {
	alone(t)
	t.Chdir(t.TempDir())
	a := alertsOfLeak(t)
	for _, c := range []struct {
		who, bin string
		idle     bool // in the bin, by the events
		says     string
	}{
		{"user:clerk1", "2026-03-11T10:20:00Z", false, "nobody is told anything"},
		{"user:clerk1", "2026-03-11T23:00:00Z", true, "nobody is told anything"},
		{"user:clerk2", a.Evidence.Bin.String(), false, a.DedupKey},
	} {
		code, stdout, stderr := weir(t, "explain", "--identity", c.who, "--bin", c.bin, "--input", "log.ndjson", "-o", "json")
		var x explain.Explanation
		if err := json.Unmarshal([]byte(stdout), &x); err != nil || code != 0 || !x.Agrees {
			t.Errorf("%s %s: exit %d, %v: %s%s", c.who, c.bin, code, err, stdout, stderr)
			continue
		}
		seen := map[string]bool{}
		for _, n := range x.Numbers {
			seen[n.Name] = true
		}
		for _, want := range []string{"evidence of distinct", "evidence of first_touch", "evidence"} {
			if !seen[want] {
				t.Errorf("%s %s: nothing is said of %q: %s", c.who, c.bin, want, stdout)
			}
		}
		if idle := strings.Contains(strings.Join(x.Notes, "\n"), fmt.Sprintf("From %s to %s the events have 0 distinct records", x.Bin, x.Time)); idle != c.idle {
			t.Errorf("%s %s: nothing in the bin: %v, in\n%s", c.who, c.bin, idle, strings.Join(x.Notes, "\n"))
		}
		if text := strings.Join(x.Notes, "\n"); !strings.Contains(text, c.says) {
			t.Errorf("%s %s: no word of %q in\n%s", c.who, c.bin, c.says, text)
		}
	}
	_, table, _ := weir(t, "explain", "--identity", "user:clerk1", "--bin", "2026-03-11T10:20:00Z", "--input", "log.ndjson")
	if !strings.Contains(table, "user clerk1, from 2026-03-11T10:00:00.000Z to 2026-03-11T11:00:00.000Z") || strings.Contains(table, "DIFFERS") {
		t.Errorf("the table is\n%s", table)
	}
}

// A number that does not follow from its parts is named, and the exit code is 1.
func TestExplainFindsForgedNumbers(t *testing.T) {
	alone(t)
	t.Chdir(t.TempDir())
	a := alertsOfLeak(t)
	a.Evidence.Measures[0].LogValue += 2
	a.Evidence.Measures[0].Allowed = a.Evidence.Measures[0].Ratio + 1
	if err := os.WriteFile("forged.ndjson", append(a.AppendJSON(nil), '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := weir(t, "explain", a.DedupKey, "--alerts", "forged.ndjson")
	if code != 1 || strings.Count(stdout, "DIFFERS") != 3 {
		t.Errorf("exit %d, want 1 with three that differ:\n%s", code, stdout)
	}
}

func TestExplainFaults(t *testing.T) {
	alone(t)
	t.Chdir(t.TempDir())
	a := alertsOfLeak(t)
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"explain", 2, "needs either one DEDUP_KEY"},
		{"explain a b", 2, "takes one DEDUP_KEY"},
		{"explain weir-1", 2, "needs a configuration"},
		{"explain weir-1 --identity user:ana --alerts alerts.ndjson", 2, "either"},
		{"explain weir-1 --bin 2026-03-01T00:00:00Z --alerts alerts.ndjson", 2, "--bin goes with --identity"},
		{"explain --identity ana --alerts alerts.ndjson", 2, "want DIMENSION:NAME"},
		{"explain --identity user:clerk2 --bin noon --alerts alerts.ndjson", 2, "want a time such as"},
		{"explain weir-1 --alerts alerts.ndjson", 1, "there is no alert of the episode weir-1"},
		{"explain weir-1 --alerts missing.ndjson", 1, "missing.ndjson"},
		{"explain weir-1 --alerts log.ndjson", 1, "log.ndjson:1:"},
		{"explain weir-1 --alerts alerts.ndjson --replay", 2, "--input FILE"},
		{"explain " + a.DedupKey + " --alerts alerts.ndjson --input -", 2, "several times"},
		{"explain weir-1 --alerts alerts.ndjson -o xml", 2, "-o is table or json"},
		{"explain --identity user:clerk1 --input log.ndjson", 2, "--bin and a log"},
		{"explain --identity user:clerk1 --bin noon --input log.ndjson", 2, "want a time such as"},
		{"explain --identity users:clerk1 --bin 2026-03-11T10:00:00Z --input log.ndjson", 2, "there are user, key, network"},
		{"explain --identity user:nobody --bin 2026-03-11T10:00:00Z --input log.ndjson", 1, "nothing of it is in the log before"},
		{"explain --identity user:clerk1 --bin 2025-03-11T10:00:00Z --input log.ndjson", 1, "the log begins at"},
		{"explain --identity user:clerk1 --bin 2027-03-11T10:00:00Z --input log.ndjson", 1, "not over in this log"},
		{"explain --identity user:clerk1 --bin 2026-03-11T10:00:00Z --input missing.ndjson", 1, "missing.ndjson"},
	} {
		code, _, stderr := weir(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("weir %s: exit %d, want %d with %q: %s", c.args, code, c.code, c.says, stderr)
		}
	}
}

// The source topics serve as a log as files do.
func TestTopicsAreALog(t *testing.T) {
	t.Chdir(t.TempDir())
	a := alertsOfLeak(t)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "access"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("access"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	log, err := os.ReadFile("log.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	var records []*kgo.Record
	for line := range strings.Lines(string(log)) {
		records = append(records, kgo.StringRecord(strings.TrimSpace(line)))
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	conf := "kafka: {brokers: ['" + cluster.ListenAddrs()[0] + "']}\nsources: [{topic: access}]\n"
	if err := os.WriteFile("weir.yaml", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := weir(t, "explain", a.DedupKey, "--alerts", "alerts.ndjson", "-c", "weir.yaml", "--replay")
	if code != 0 || !strings.Contains(stdout, "byte for byte") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = weir(t, "explain", "--identity", "user:clerk1", "--bin", "2026-03-11T10:00:00Z", "-c", "weir.yaml", "--replay")
	if code != 0 || !strings.Contains(stdout, "user clerk1, from 2026-03-11T10:00") || strings.Contains(stdout, "DIFFERS") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = weir(t, "tune", "-c", "weir.yaml", "--inject", "RATE=10x", "-o", "json")
	if code != 0 || !strings.Contains(stdout, `"kind":"drift"`) || !strings.Contains(stderr, `"tried":1`) {
		t.Errorf("tune: exit %d: %s%s", code, stdout, stderr)
	}
}
