package backtest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/guess"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
)

// TestGuessedFormatRuns: the guess names what each sample file is, and a backtest under
// the format or the field map that it gives counts events. Nothing is missing in them but
// what the draft asks for.
func TestGuessedFormatRuns(t *testing.T) {
	drafts := map[string]struct{ looks, sample string }{
		"semicolons.csv": {"CSV with the columns when, who, customer_no", "when;who;customer_no\n02/Mar/2026:10:15:27 +0100;alice;4711\n02/Mar/2026:10:15:28 +0100;bob;4712\n"},
		"tabs.tsv":       {"CSV with the columns ts, login, record_id", "ts\tlogin\trecord_id\n1772442927.5\talice\t4711\n1772442928.5\tbob\t4712\n"},
		"app.log":        {"key=value pairs", "ts=2026-03-02T09:15:27Z level=info user=alice path=/customers/4711\nts=2026-03-02T09:15:28Z level=info user=bob path=/customers/4712\n"},
		"otlp.json": {"JSON, but no format", `{"resourceLogs":[{"resource":{},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1772442927123000000",` +
			`"attributes":[{"key":"enduser.id","value":{"stringValue":"alice"}},{"key":"customer.id","value":{"stringValue":"4711"}}]}]}]}]}`},
		"fluentbit.json": {"JSON, but no format", `{"@timestamp":"2026-03-02T09:15:28Z","log":"{\"user\":\"alice\",\"customer\":4711}"}{"@timestamp":"2026-03-02T09:15:29Z","log":"{\"user\":\"bob\",\"customer\":4712}"}`},
		"pretty.json":    {"JSON, but no format", "[\n {\n  \"date\": \"Mar 2, 2026, 9:15:27 AM UTC\",\n  \"employee\": \"alice\",\n  \"patient_id\": 4711\n }\n]\n"},
		"latin1.csv":     {"CSV with the columns zeit, user_name, datetime, customer_id, in the charset windows-1252", "zeit;user_name;datetime;customer_id\nx;jos\xe9;2026-03-02T09:15:27Z;5\ny;b;2026-03-02T09:15:27Z;6\n"},
		"cef.log":        {"lines of syslog, and in them CEF", "<134>Mar  2 09:15:27 gw CEF:0|Acme|CRM|4.2|100|view|3|suser=kim src=192.0.2.7 cs1Label=customerId cs1=4711\n"},
		"german.csv":     {"CSV with the columns Datum, Benutzer, Kundennummer", "Bericht M\xe4rz\n\nDatum;Benutzer;Kundennummer\n02.03.2026 09:15;kim;4711\n03.03.2026 09:15;ana;4712\nSumme;;2\n"},
		"local.csv":      {"CSV with the columns time, actor, record", "time,actor,record\n2026-03-02 09:15:27,alice,4711\n2026-03-02 09:15:28,bob,4712\n"},
	}
	samples := map[string]string{} // by path, what it looks like
	for _, name := range fieldmap.Names() {
		found, err := filepath.Glob("../../event/fieldmap/testdata/" + name + ".*")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if !strings.HasSuffix(path, ".golden") {
				samples[path] = "the format " + name + " "
			}
		}
	}
	for name, d := range drafts {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(d.sample), 0o600); err != nil {
			t.Fatal(err)
		}
		samples[path] = d.looks
	}
	set, err := settings.New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	for path, looks := range samples {
		t.Run(filepath.Base(path), func(t *testing.T) {
			g, err := guess.File(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(g.Looks, looks) {
				t.Errorf("it looks like %s, want %s", g.Looks, looks)
			}
			fieldMap := filepath.Join(t.TempDir(), "map.yaml")
			if err := os.WriteFile(fieldMap, []byte(g.Map), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, format := range []string{g.Preset, fieldMap} {
				if format == "" {
					continue
				}
				f, err := files.LoadFormat(format)
				if err != nil {
					t.Fatal(err)
				}
				l := &Files{Names: []string{path}, Format: f}
				r := NewRun(set, l, progress.New(&bytes.Buffer{}))
				if err := l.Read(t.Context(), r); err != nil {
					t.Fatalf("%s: %v", format, err)
				}
				if r.Summary.Counted+r.Summary.Facts == 0 {
					t.Errorf("%s: nothing is counted: %+v", format, r.Summary)
				}
			}
		})
	}
}

// TestWrongFormatIsAnError: under every format but its own, a log is an error that says
// what it is, also where the format leaves out all that is in it. One file of that kind
// among others is warned of.
func TestWrongFormatIsAnError(t *testing.T) {
	log := logOf(t, "log", monday, 5)
	for _, name := range fieldmap.Names()[1:] {
		f, err := files.LoadFormat(name)
		if err != nil {
			t.Fatal(err)
		}
		err = (&Files{Names: []string{log}, Format: f}).Read(t.Context(), newRecorder())
		if err == nil || !strings.Contains(err.Error(), "no event could be read as "+name) || !strings.Contains(err.Error(), "this looks like the format native") {
			t.Errorf("%s: %v", name, err)
		}
	}
	table := filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(table, []byte("time,actor\n2026-03-02T09:15:27Z,ana\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRecorder()
	if err := native(t, log, table).Read(t.Context(), r); err != nil || len(r.warned) != 1 || !strings.Contains(r.warned[0], "no event of "+table+" could be read as native (2 not_json)") {
		t.Errorf("a table among other files: %v, warned %q", err, r.warned)
	}
}
