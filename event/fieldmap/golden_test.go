package fieldmap_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden: what samples of each preset become. Read testdata/NAME.golden next
// to the sample; go test ./event/fieldmap -run Golden -update writes it anew.
func TestGolden(t *testing.T) {
	for format, sample := range map[string]string{
		"native": "native.ndjson", "ocsf": "ocsf.ndjson", "cloudtrail": "cloudtrail.json", "gcp": "gcp.ndjson", "azure": "azure.json",
		"m365": "m365.ndjson", "okta": "okta.ndjson", "github": "github.json", "snowflake": "snowflake.ndjson", "pgaudit": "pgaudit.csv",
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

// readAll returns what a file becomes, one line for each event or reject.
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
	for lines, d := files.NewReader(in, f), f.NewDecoder(); ; {
		line, _, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return got.Bytes()
		}
		if err != nil {
			t.Fatal(err)
		}
		d.Decode(line, func(ev *event.Event, rej *event.Reject) {
			got.WriteString(fieldmap.Describe(ev, rej) + "\n")
		})
	}
}
