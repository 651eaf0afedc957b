package house

import (
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// maxFile and maxPackage are how many lines a file, and a package without its
// tests, may have.
const (
	maxFile    = 400
	maxPackage = 3500
)

// root is the top of the repository.
const root = "../.."

// eachFile calls f with the path, from the top, of every file with one of the
// endings.
func eachFile(t *testing.T, f func(path string), endings ...string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() && rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "dist" || d.Name() == "bin" || rel == filepath.Join("internal", "house")) {
			return filepath.SkipDir
		}
		for _, end := range endings {
			if !d.IsDir() && strings.HasSuffix(path, end) {
				f(rel)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// words splits a text, or an identifier such as lastSent, into lower-case words.
func words(text string) (out []string) {
	from := -1
	add := func(to int) {
		if from >= 0 {
			out = append(out, strings.ToLower(text[from:to]))
		}
		from = -1
	}
	for i, r := range text {
		switch {
		case unicode.IsUpper(r):
			add(i)
			from = i
		case !unicode.IsLetter(r):
			add(i)
		case from < 0:
			from = i
		}
	}
	add(len(text))
	return out
}

// beingReplaced lists packages whose insides are being founded anew: detectors/score
// gives way to detectors/deciding (docs/deciding.md).
var beingReplaced = []string{"detectors/score/", "detectors/fleet/", "detectors/deciding/", "lab/trial/", "docs/deciding.md"}

// TestWords holds words of our own out of code and pages.
func TestWords(t *testing.T) {
	eachFile(t, func(path string) {
		if isBeingReplaced(path) {
			return
		}
		var s scanner.Scanner
		set := token.NewFileSet()
		src := read(t, path)
		s.Init(set.AddFile(path, -1, len(src)), src, nil, scanner.ScanComments)
		for {
			pos, tok, lit := s.Scan()
			if tok == token.EOF {
				return
			}
			if tok != token.IDENT && tok != token.COMMENT {
				continue
			}
			for _, w := range words(lit) {
				use, bad := banned[w]
				if !bad && tok == token.IDENT {
					use, bad = bannedNames[w]
				}
				if bad {
					t.Errorf("%s: %q is a word of our own; the field's is: %s", set.Position(pos), w, use)
				}
			}
		}
	}, ".go")
	eachFile(t, func(path string) {
		if isBeingReplaced(path) {
			return
		}
		for i, line := range strings.Split(string(read(t, path)), "\n") {
			for _, w := range words(line) {
				if use, bad := banned[w]; bad {
					t.Errorf("%s:%d: %q is a word of our own; the field's is: %s", path, i+1, w, use)
				}
			}
		}
	}, ".md")
}

func isBeingReplaced(path string) bool {
	return slices.ContainsFunc(beingReplaced, func(dir string) bool { return strings.HasPrefix(path, dir) })
}

// TestSizes keeps files and packages small enough to be read.
func TestSizes(t *testing.T) {
	packages := map[string]int{}
	eachFile(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		n := strings.Count(string(read(t, path)), "\n")
		packages[filepath.Dir(path)] += n
		if n > maxFile {
			t.Errorf("%s has %d lines; divide it by subject, at most %d", path, n, maxFile)
		}
	}, ".go")
	for dir, n := range packages {
		if n > maxPackage && !isBeingReplaced(dir+"/") {
			t.Errorf("package %s has %d lines without tests; divide it by subject, at most %d", dir, n, maxPackage)
		}
	}
}

// TestPackageComments wants of every package one comment that says what it is for.
func TestPackageComments(t *testing.T) {
	comments := map[string]int{}
	eachFile(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Error(err)
			return
		}
		comments[filepath.Dir(path)] += 0
		if f.Doc != nil {
			comments[filepath.Dir(path)]++
		}
	}, ".go")
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("package %s has %d package comments, want one", dir, n)
		}
	}
}

// TestReadme finds every page of docs and every folder at the top in the README.
func TestReadme(t *testing.T) {
	readme := string(read(t, "README.md"))
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if name := "docs/" + filepath.Base(p); !strings.Contains(readme, name) {
			t.Errorf("the README does not name %s", name)
		}
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); e.IsDir() && name[0] != '.' && name != "bin" && name != "dist" && !regexp.MustCompile(`(?m)^`+name+`/`).MatchString(readme) {
			t.Errorf("the README's tree does not name %s/", name)
		}
	}
}

// TestLinks finds the pages that pages link to.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	eachFile(t, func(path string) {
		for _, m := range link.FindAllStringSubmatch(string(read(t, path)), -1) {
			to := filepath.Join(root, filepath.Dir(path), m[1])
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			}
		}
	}, ".md")
}

// TestProofsExist finds the tests, packages and files that pages name as proof.
func TestProofsExist(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Soak)\w*)\(`)
	eachFile(t, func(path string) {
		for _, m := range declared.FindAllSubmatch(read(t, path), -1) {
			tests[string(m[1])] = true
		}
	}, "_test.go")
	name := regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w+`)
	dir := regexp.MustCompile(`go test (?:-\S+ )*\./([\w/]+)`)
	eachFile(t, func(path string) {
		if path == "CHANGELOG.md" {
			return // it tells of what was
		}
		text := strings.ReplaceAll(string(read(t, path)), "func Test", "func ") // a sample of how to write one
		for _, n := range name.FindAllString(text, -1) {
			if !hasPrefix(tests, n) {
				t.Errorf("%s names %s, which no test file declares", path, n)
			}
		}
		for _, m := range dir.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s names the package %s, which is not there", path, m[1])
			}
		}
	}, ".md")
}

// hasPrefix reports whether a name begins with prefix, as -run selects by it.
func hasPrefix(names map[string]bool, prefix string) bool {
	for n := range names {
		if strings.HasPrefix(n, prefix) {
			return true
		}
	}
	return false
}
