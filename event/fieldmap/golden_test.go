package fieldmap_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fewest is how many samples each kind of event of a preset has at least.
const fewest = 3

// TestGolden: what samples of each preset become, at least three of each kind of event,
// and how many events fill each field. Read testdata/NAME.golden next to the sample;
// go test ./event/fieldmap -run Golden -update writes it anew.
func TestGolden(t *testing.T) {
	for format, sample := range map[string]string{
		"native": "native.ndjson", "ocsf": "ocsf.ndjson", "cloudtrail": "cloudtrail.json", "gcp": "gcp.ndjson", "azure": "azure.json",
		"m365": "m365.ndjson", "okta": "okta.ndjson", "github": "github.json", "snowflake": "snowflake.ndjson", "pgaudit": "pgaudit.csv", "pgaudit_text": "pgaudit_text.log",
		"nginx": "nginx.log", "envoy": "envoy.log", "alb": "alb.log", "salesforce": "salesforce.csv",
	} {
		t.Run(format, func(t *testing.T) {
			got := readAll(t, format, filepath.Join("testdata", sample))
			golden := filepath.Join("testdata", format+".golden")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// readAll returns what a file becomes, one line for each event or reject, and how many
// events fill each field.
func readAll(t *testing.T, format, path string) []byte {
	t.Helper()
	in, err := files.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	f, _, err := fieldmap.Preset(format)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	kinds, filled, events := map[string]int{}, map[string]int{}, 0
	for lines, d := files.NewReader(in, f), f.NewDecoder(); ; {
		line, _, err := lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		d.Decode(line, func(ev *event.Event, rej *event.Reject) {
			got.WriteString(fieldmap.Describe(ev, rej) + "\n")
			if ev != nil || rej.Reason == event.Ignored {
				kinds[d.Kind()]++
			}
			if ev != nil {
				events++
				var members map[string]json.RawMessage
				if err := json.Unmarshal(event.AppendNative(nil, ev), &members); err != nil {
					t.Fatal(err)
				}
				for name := range members {
					filled[name]++
				}
			}
		})
	}
	for _, kind := range f.Kinds() {
		if kinds[kind] < fewest {
			t.Errorf("%s has %d events of the kind %q, want at least %d", path, kinds[kind], kind, fewest)
		}
	}
	fmt.Fprintf(&got, "filled in %d events:", events)
	for _, name := range fieldmap.FieldNames() {
		fmt.Fprintf(&got, " %s %d", name, filled[name])
	}
	got.WriteByte('\n')
	return got.Bytes()
}
