package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestWhereIsWhat finds the folders and files that CONTRIBUTING names as answers
// to a newcomer's questions: a file stands in the folder of its row, or is named by
// its whole path.
func TestWhereIsWhat(t *testing.T) {
	_, section, _ := strings.Cut(string(read(t, "CONTRIBUTING.md")), "\n## Where is what?\n")
	section, _, _ = strings.Cut(section, "\n## ")
	file := regexp.MustCompile("`([\\w/]+\\.go)`")
	row := regexp.MustCompile("(?m)^\\| [^|`]*(?:`[^|`]*`)?[^|`]* \\| `([\\w/]+)` \\| (.*) \\|$")
	rows := row.FindAllStringSubmatch(section, -1)
	if len(rows) < 10 {
		t.Fatalf("%d rows name a folder, want ten or more", len(rows))
	}
	for _, r := range rows {
		files := file.FindAllStringSubmatch(r[2], -1)
		if len(files) == 0 {
			t.Errorf("%q names no file", r[0])
		}
		for _, f := range files {
			path := f[1]
			if !strings.Contains(path, "/") {
				path = r[1] + "/" + path
			}
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s is not there, but %q names it", path, r[0])
			}
		}
	}
}
