package house

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// licences are phrases by which a licence is known. A file may hold several: all are
// found.
var licences = map[string]string{
	"Apache-2.0": "Apache License",
	"BSD":        "Redistribution and use in source and binary forms",
	"CC0-1.0":    "CC0 1.0 Universal",
	"ISC":        "Permission to use, copy, modify, and/or distribute this software for any purpose",
	"MIT":        "Permission is hereby granted, free of charge",
	"MPL-2.0":    "Mozilla Public License Version 2.0",
}

// licencesOf returns what the licence files at the top of a module say.
func licencesOf(t *testing.T, dir string) (found []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`(?i)^(licen[cs]e|copying)(\.\w+)?$`)
	for _, f := range files {
		if !name.MatchString(filepath.Base(f)) {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(string(b)), " ")
		for _, l := range slices.Sorted(maps.Keys(licences)) {
			if strings.Contains(text, licences[l]) && !slices.Contains(found, l) {
				found = append(found, l)
			}
		}
	}
	return found
}

// goList returns the lines that the go command lists.
func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing modules: %v", err)
	}
	return strings.Fields(string(out))
}

// TestDependencies holds go.mod, and what the modules say of their licences, against the
// table of those that were reviewed.
func TestDependencies(t *testing.T) {
	type review struct{ linked, licence string }
	reviewed := map[string]review{}
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\| (yes|no) \\| ([\\w.-]+) \\|$")
	for _, m := range row.FindAllStringSubmatch(string(read(t, "docs/dependencies.md")), -1) {
		reviewed[m[1]] = review{m[2], m[3]}
	}
	mod, err := modfile.Parse("go.mod", read(t, "go.mod"), nil)
	if err != nil {
		t.Fatal(err)
	}
	direct := map[string]bool{}
	for _, r := range mod.Require {
		direct[r.Mod.Path] = !r.Indirect
		if _, ok := reviewed[r.Mod.Path]; !r.Indirect && !ok {
			t.Errorf("docs/dependencies.md does not name %s, which go.mod needs", r.Mod.Path)
		}
	}
	for path := range reviewed {
		if !direct[path] {
			t.Errorf("docs/dependencies.md names %s, which go.mod does not need by itself", path)
		}
	}
	linked := map[string]bool{}
	for _, path := range goList(t, "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/weir") {
		linked[path] = true
	}
	for _, line := range goList(t, "-m", "-f", "{{if not .Main}}{{.Path}}={{.Dir}}{{end}}", "all") {
		path, dir, _ := strings.Cut(line, "=")
		r, isReviewed := reviewed[path]
		if isReviewed && linked[path] != (r.linked == "yes") {
			t.Errorf("docs/dependencies.md says of %s in weir: %s", path, r.linked)
		}
		if dir == "" {
			continue // nothing of it is compiled, so it was not fetched
		}
		found := licencesOf(t, dir)
		switch {
		case isReviewed && !slices.Contains(found, r.licence):
			t.Errorf("docs/dependencies.md says %s of %s, its files %v", r.licence, path, found)
		case len(found) == 0 || linked[path] && slices.Equal(found, []string{"MPL-2.0"}):
			t.Errorf("%s has the licence %v, which is not on the list", path, found)
		}
	}
}
