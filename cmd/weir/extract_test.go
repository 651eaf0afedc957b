package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/extract"
	"github.com/weirhq/weir/simulate"
)

// leaked is the company of `weir demo`, whose leak comes through the signing
// key mobile-k1, as files: its events, and what a backtest says of them.
type leaked struct {
	events []byte          // native, one a line
	alerts []byte          // JSON, one a line
	stolen map[string]bool // what the thief read
}

var theLeak = sync.OnceValues(func() (*leaked, error) {
	c, err := simulate.New(simulate.Options{Scenario: "demo", Seed: 1, Days: 10, Scale: 0.1})
	if err != nil {
		return nil, err
	}
	l := &leaked{stolen: map[string]bool{}}
	var ev event.Event
	thefts := int64(0)
	for c.Next(&ev) {
		l.events = append(event.AppendNative(l.events, &ev), '\n')
		if n := c.Truth().Leaks[0].Events; n != thefts { // this one is of the leak
			thefts = n
			for _, id := range ev.Records {
				l.stolen[strings.Clone(id)] = true
			}
		}
	}
	l.alerts, err = backtested(l.events)
	return l, err
})

// backtested returns the alerts of a log, one a line.
func backtested(log []byte) ([]byte, error) {
	dir, err := os.MkdirTemp("", "weir-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "events.ndjson")
	if err := os.WriteFile(path, log, 0o600); err != nil {
		return nil, err
	}
	var out, errs bytes.Buffer
	cmd := newRootCommand()
	cmd.SetArgs([]string{"backtest", "-o", "json", path})
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	if err := cmd.ExecuteContext(context.Background()); err != nil {
		return nil, fmt.Errorf("backtest: %w: %s", err, &errs)
	}
	return out.Bytes(), nil
}

// files writes the leak into a folder, and returns the last alert on the key.
func (l *leaked) files(t *testing.T) (events, alerts string, a *alerting.Alert) {
	t.Helper()
	dir := t.TempDir()
	for _, line := range bytes.Split(bytes.TrimSpace(l.alerts), []byte("\n")) {
		got, err := alerting.ParseAlert(line)
		if err != nil {
			t.Fatal(err)
		}
		if got.Dimension == "key" && got.Identity == "mobile-k1" {
			a = got
		}
	}
	if a == nil {
		t.Fatalf("there is no alert on the key mobile-k1:\n%s", l.alerts)
	}
	return writeFile(t, filepath.Join(dir, "events.ndjson"), string(l.events)), writeFile(t, filepath.Join(dir, "alerts.ndjson"), string(l.alerts)), a
}

// touched says what the key touched between two times, by the log itself: by
// another decoder than weir's.
func (l *leaked) touched(t *testing.T, key string, since, until time.Time) (ids map[string]bool, events int) {
	t.Helper()
	ids = map[string]bool{}
	for _, line := range bytes.Split(bytes.TrimSpace(l.events), []byte("\n")) {
		var ev struct {
			Time    time.Time
			Action  string
			KeyID   string `json:"key_id"`
			Records []string
		}
		if err := json.Unmarshal(line, &ev); err != nil {
			t.Fatal(err)
		}
		access := slices.Contains([]string{"read", "list", "export", "update", "delete"}, ev.Action)
		if ev.KeyID != key || !access || ev.Time.Before(since) || !ev.Time.Before(until) {
			continue
		}
		events++
		for _, id := range ev.Records {
			ids[id] = true
		}
	}
	return ids, events
}

// The list of the demo's leak is exactly what the key touched from the onset to
// the alert; everything stolen until then is in it; the alert's bars hold it.
func TestExtractTheDemosLeak(t *testing.T) {
	alone(t)
	l, err := theLeak()
	if err != nil {
		t.Fatal(err)
	}
	events, alerts, a := l.files(t)
	dir := t.TempDir()
	out, evs := filepath.Join(dir, "ids"), filepath.Join(dir, "events")
	code, stdout, stderr := weir(t, "extract", a.DedupKey, "--alerts", alerts, "--input", events, "--out", out, "--events", evs, "-o", "json")
	if code != 0 || stdout != "" {
		t.Fatalf("exit code %d, stdout %q\n%s", code, stdout, stderr)
	}
	var r extract.Result
	if err := json.Unmarshal([]byte(stderr), &r); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	want, n := l.touched(t, "mobile-k1", a.Exposed.Since.Std(), a.Time.Std())
	got := listed(t, out)
	if !maps.Equal(got, want) || r.Records != int64(len(want)) || r.Events != int64(n) {
		t.Errorf("listed are %d customers of %d events (the result says %d), want %d of %d", len(got), r.Events, r.Records, len(want), n)
	}
	if r.Estimate == nil || !r.Estimate.Within || r.Estimate.Records != a.Exposed.Records {
		t.Errorf("the estimate %+v does not hold %d", r.Estimate, r.Records)
	}
	all, _ := l.touched(t, "mobile-k1", time.Time{}, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	for id := range l.stolen {
		if !all[id] {
			t.Fatalf("the thief read %s by another key", id)
		}
	}
	stolen := 0
	code, later, _ := weir(t, "extract", a.DedupKey, "--alerts", alerts, "--input", events, "--since", "2020-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z")
	for id := range strings.Lines(later) {
		if l.stolen[strings.TrimSpace(id)] {
			stolen++
		}
	}
	if code != 0 || stolen != len(l.stolen) {
		t.Errorf("in all %d of the %d stolen are listed", stolen, len(l.stolen))
	}

	lines := bytes.Split(bytes.TrimSpace(read(t, evs)), []byte("\n"))
	if len(lines) != n {
		t.Errorf("%d events are written, want %d", len(lines), n)
	}
	log := bytes.Split(l.events, []byte("\n"))
	for _, line := range lines {
		var ev struct {
			File    string
			Line    int
			Session string
			Records []string
		}
		if err := json.Unmarshal(line, &ev); err != nil || ev.File != events {
			t.Fatalf("%s: %v", line, err)
		}
		var original struct {
			Session string
			Records []string
		}
		if err := json.Unmarshal(log[ev.Line-1], &original); err != nil || !slices.Equal(original.Records, ev.Records) {
			t.Fatalf("%s is not of line %d: %s", line, ev.Line, log[ev.Line-1])
		}
		if original.Session != "" && (ev.Session == original.Session || len(ev.Session) != 16) {
			t.Fatalf("a token is written as it is: %s", line)
		}
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the list is open to others: %v, %v", info.Mode(), err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func listed(t *testing.T, path string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for id := range strings.Lines(string(read(t, path))) {
		id = strings.TrimSuffix(id, "\n")
		if out[id] {
			t.Errorf("%s is listed twice", id)
		}
		out[id] = true
	}
	return out
}

// From the topics comes what comes from files; and only who has the key gets it.
func TestExtractFromKafka(t *testing.T) {
	l, err := theLeak()
	if err != nil {
		t.Fatal(err)
	}
	_, _, a := l.files(t)
	cl, config := newCluster(t)
	publish(t, cl, "weir.alerts", a.DedupKey, a.AppendJSON(nil))
	lines := bytes.Split(bytes.TrimSpace(l.events), []byte("\n"))
	if _, err := kadm.NewClient(cl).CreateTopic(t.Context(), 3, 1, nil, "access"); err != nil {
		t.Fatal(err)
	}
	var batch []*kgo.Record
	for _, line := range lines {
		batch = append(batch, &kgo.Record{Topic: "access", Key: line[:30], Value: line})
	}
	if err := cl.ProduceSync(t.Context(), batch...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "ids")
	expect(t, 0, "within its bars", "extract", a.DedupKey, "-c", config, "--out", out)
	want, _ := l.touched(t, "mobile-k1", a.Exposed.Since.Std(), a.Time.Std())
	if got := listed(t, out); !maps.Equal(got, want) {
		t.Errorf("listed are %d customers, want %d", len(got), len(want))
	}

	publish(t, cl, "weir.fleet", "manifest", []byte(`{"record_key":"anothers"}`))
	expect(t, 1, "use the key file that weir run uses", "extract", a.DedupKey, "-c", config)
	if err := os.Remove(filepath.Join(filepath.Dir(config), "record.key")); err != nil {
		t.Fatal(err)
	}
	expect(t, 1, "record.key", "extract", a.DedupKey, "-c", config)
}

// A campaign's list is that of its members together.
func TestExtractOfACampaign(t *testing.T) {
	dir := t.TempDir()
	events := writeFile(t, filepath.Join(dir, "events"), `{"time":"2026-03-03T10:00:00Z","actor":"ana","records":["1","2"]}
{"time":"2026-03-03T10:01:00Z","actor":"bob","records":["2","3"]}
{"time":"2026-03-03T10:02:00Z","actor":"eve","records":["4"]}
{"time":"2026-03-03T10:03:00Z","action":"login","actor":"ana"}
{"time":"2026-03-03T10:04:00Z","actor":"ana","rows":100}
{"time":"2026-03-03T12:00:00Z","actor":"ana","records":["5"]}
{"time":"soon"}
`)
	since := alerting.Time(time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC).UnixMilli())
	alert := func(key, campaign, dimension, identity string) string {
		a := episodeAlert(key)
		a.Campaign, a.Dimension, a.Identity, a.Status = campaign, dimension, identity, alerting.Close
		a.Exposed, a.Time = alerting.Exposed{Records: 3, Low: 3, High: 3, Since: since}, since+3_600_000
		if dimension == alerting.CampaignDimension {
			a.Kind, a.Members = alerting.KindCampaign, &alerting.Members{Count: 2, Top: []alerting.Member{{DedupKey: "weir-a", Dimension: "user", Identity: "ana", Severity: episode.Low}}}
		}
		return string(a.AppendJSON(nil)) + "\n"
	}
	alerts := writeFile(t, filepath.Join(dir, "alerts"), alert("weir-a", "weir-c", "user", "ana")+alert("weir-b", "weir-c", "user", "bob")+alert("weir-c", "", "campaign", "network 192.0.2.0/24"))
	code, stdout, stderr := weir(t, "extract", "weir-c", "--alerts", alerts, "--input", events)
	if code != 0 || stdout != "1\n2\n3\n" {
		t.Errorf("exit code %d, listed %q\n%s", code, stdout, stderr)
	}
	for _, says := range []string{"touched 3 customers in 3 events", "within its bars", "Beware: 100 rows", "Beware: 1 records of the sources could not be read"} {
		if !strings.Contains(stderr, says) {
			t.Errorf("does not say %q:\n%s", says, stderr)
		}
	}
	few := writeFile(t, filepath.Join(dir, "few"), alert("weir-c", "", "campaign", "network 192.0.2.0/24"))
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"weir-c --input " + events + " --alerts " + few, 1, "has 2 members, but alerts of 1 only"},
		{"weir-x --input " + events + " --alerts " + alerts, 1, "no alert of the episode weir-x"},
		{"weir-a --input " + events, 2, "--input needs --alerts"},
		{"weir-a", 2, "extract needs a configuration"},
		{"", 2, "extract needs one DEDUP_KEY"},
		{"weir-a --state s -c x", 2, "--state needs --out"},
		{"weir-a --input " + events + " --alerts " + alerts + " --since yesterday", 2, "--since \"yesterday\""},
		{"weir-a --input " + events + " --alerts " + alerts + " --until 2026-03-03T09:00:00Z", 2, "is empty"},
		{"weir-a --input " + events + " --alerts " + events, 1, "events:1:"},
		{"weir-a --input nosuch --alerts " + alerts, 1, "nosuch"},
	} {
		expect(t, c.code, c.says, append([]string{"extract"}, strings.Fields(c.args)...)...)
	}
}

// What the message of an episode stands for is no part of the episode: on Kafka
// the alert of a key whose events look the same stands on weir.suppressed with the
// dedup key of the fact that it is held back by.
func TestExtractListsNobodyElsesCustomers(t *testing.T) {
	dir := t.TempDir()
	events := writeFile(t, filepath.Join(dir, "events"), `{"time":"2026-03-03T10:00:00Z","actor":"ana","key_id":"k1","records":["1","2"]}
{"time":"2026-03-03T10:01:00Z","actor":"bob","key_id":"k2","records":["2","3"]}
`)
	since := alerting.Time(time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC).UnixMilli())
	alert := func(key, lead, identity string, records int64) string {
		a := episodeAlert(key)
		a.Campaign, a.Dimension, a.Identity, a.Status = lead, "key", identity, alerting.Close
		a.Exposed, a.Time = alerting.Exposed{Records: records, Low: records, High: records, Since: since}, since+3_600_000
		return string(a.AppendJSON(nil)) + "\n"
	}
	alerts := writeFile(t, filepath.Join(dir, "alerts"), alert("weir-a", "", "k1", 2)+alert("weir-b", "weir-a", "k2", 2))
	code, stdout, stderr := weir(t, "extract", "weir-a", "--alerts", alerts, "--input", events)
	if code != 0 || stdout != "1\n2\n" {
		t.Errorf("exit code %d, listed %q, want those of k1\n%s", code, stdout, stderr)
	}
}

// A list that cannot be that of the alert is written, and the command fails.
func TestExtractRefusesWhatContradictsTheAlert(t *testing.T) {
	dir := t.TempDir()
	events := writeFile(t, filepath.Join(dir, "events"), `{"time":"2026-03-03T10:00:00Z","actor":"ana","records":["1","2","3"]}
{"time":"soon"}
`)
	since := alerting.Time(time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC).UnixMilli())
	for _, c := range []struct {
		exposed alerting.Exposed
		code    int
		says    string
	}{
		{alerting.Exposed{Records: 3, Low: 3, High: 3}, 0, "within its bars"},
		{alerting.Exposed{Records: 5, Low: 4, High: 7}, 0, "within its bars"}, // 5 - 1.985 = 3.015, and bounds are rounded outwards
		{alerting.Exposed{Records: 6, Low: 5, High: 7}, 1, "allows 4 to 8 (99.99 %)"},
		{alerting.Exposed{Records: 6, Low: 5, High: 7}, 1, "records of the sources could not be read"},
		{alerting.Exposed{Records: 2, Low: 2, High: 2}, 1, "events came late"},
		{alerting.Exposed{}, 0, "touched 3 customers"}, // nothing is estimated
	} {
		a := episodeAlert("weir-a")
		a.Dimension, a.Identity, a.Exposed, a.Time = "user", "ana", c.exposed, since+3_600_000
		a.Exposed.Since = since
		alerts := writeFile(t, filepath.Join(dir, "alerts"), string(a.AppendJSON(nil))+"\n")
		expect(t, c.code, c.says, "extract", "weir-a", "--alerts", alerts, "--input", events)
		code, stdout, stderr := weir(t, "extract", "weir-a", "--alerts", alerts, "--input", events, "-o", "json")
		var r extract.Result
		if err := json.Unmarshal([]byte(stderr), &r); err != nil || code != c.code || (r.Error != "") != (code != 0) || stdout != "1\n2\n3\n" {
			t.Errorf("%+v: exit code %d, listed %q, error %q, %v", c.exposed, code, stdout, r.Error, err)
		}
	}
}

// What retention has deleted is named by partition and offsets.
func TestExtractNamesWhatIsGone(t *testing.T) {
	var b strings.Builder
	printExtract(&b, &extract.Result{Dimension: "key", Identity: "k1", Deleted: []extract.Deleted{
		{Topic: "access", Partition: 0, Last: 18_411}, {Topic: "access", Partition: 3, Last: 7}}})
	if want := "the list lacks what belonged to it there: access/0, offsets 0 to 18,411; access/3, offsets 0 to 7."; !strings.Contains(b.String(), want) {
		t.Errorf("does not say %q:\n%s", want, &b)
	}
}
