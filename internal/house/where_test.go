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

// TestGlossary finds the types that the glossary of docs/design.md names, such as
// stream.Partial, each declared in a package of that name.
func TestGlossary(t *testing.T) {
	_, section, _ := strings.Cut(string(read(t, "docs/design.md")), "\n## Words\n")
	section, _, _ = strings.Cut(section, "\n## ")
	declared := map[string]bool{}
	types := regexp.MustCompile(`(?m)^type (\w+)`)
	eachFile(t, func(path string) {
		if strings.HasPrefix(path, "detectors/deciding/") {
			return // its packages bear the names of those that they are to replace
		}
		for _, m := range types.FindAllSubmatch(read(t, path), -1) {
			declared[filepath.Base(filepath.Dir(path))+"."+string(m[1])] = true
		}
	}, ".go")
	named := regexp.MustCompile("`([a-z]+\\.[A-Za-z]+)`").FindAllStringSubmatch(section, -1)
	if len(named) < 20 {
		t.Fatalf("the glossary names %d types, want 20 or more", len(named))
	}
	for _, m := range named {
		if name := m[1]; !strings.HasPrefix(name, "weir.") && !declared[name] {
			t.Errorf("docs/design.md names the type %s, which is not there", name)
		}
	}
}
