package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/weirhq/weir/config/envtext"
	eventfiles "github.com/weirhq/weir/event/files"
)

// Limits of what is read, in bytes; far above any sane file.
const (
	MaxFile   = 1 << 20 // the configuration
	MaxSecret = 1 << 20 // each file it names
)

// Load reads the configuration at path, with the process's environment. The
// error is Faults, unless the file cannot be read at all.
func Load(path string) (*Config, error) {
	b, err := osFiles().read(path, MaxFile)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: its path %w", err)
	}
	return Parse(path, b, os.LookupEnv)
}

// Parse reads a configuration from its text. name is shown in faults, and its
// folder is where relative paths start; env looks up variables. Every fault of
// the file is found in one go: the error is Faults.
func Parse(name string, b []byte, env func(string) (string, bool)) (*Config, error) {
	return parse(name, b, env, osFiles())
}

// files is how the parser looks at other files.
type files struct {
	read      func(path string, limit int64) ([]byte, error) // the error continues "<path> …"
	recordKey func(path string) error
	readers   func(path string) string // whom the file is open to beside who must read it; empty: nobody
}

func osFiles() files {
	return files{read: readFile, readers: readers, recordKey: func(path string) error {
		_, err := eventfiles.ReadKey(path)
		return err
	}}
}

// readFile reads a regular file: a pipe or a device could block or never end.
func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("names a file that does not exist (%s)", path)
	case err != nil:
		return nil, fmt.Errorf("names a file that cannot be read: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("names a folder (%s); want a file", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("names no regular file (%s)", path)
	case info.Size() > limit:
		return nil, fmt.Errorf("names a file of %d bytes; want at most %d", info.Size(), limit)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("names a file that cannot be read: %w", err)
	}
	return b, nil
}

// parser walks one file and gathers its faults.
type parser struct {
	name   string
	env    func(string) (string, bool)
	files  files
	lines  map[string]int
	faults Faults

	expanded bool // the scalar at hand holds a variable
}

func parse(name string, b []byte, env func(string) (string, bool), fs files) (*Config, error) {
	p := &parser{name: name, env: env, files: fs, lines: map[string]int{}}
	c := Default()
	c.file, c.lines = name, p.lines
	if root := p.document(b); root != nil {
		p.mapping(root, "", table(c))
	}
	p.check(c)
	if err := p.faults.orNil(); err != nil {
		return nil, err
	}
	return c, nil
}

// document returns the one mapping of the file, or nil where it has none.
func (p *parser) document(b []byte) *yaml.Node {
	if len(b) > MaxFile {
		p.fault(1, "the file has %d bytes; want at most %d", len(b), MaxFile)
		return nil
	}
	if line := badLine(b); line > 0 {
		p.fault(line, "the line is not UTF-8 text; save the file as UTF-8")
		return nil
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	var doc, more yaml.Node
	if err := d.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) {
			p.syntax(err, b)
		}
		return nil
	}
	switch err := d.Decode(&more); {
	case err == nil:
		p.fault(max(more.Line, 1), "a second document begins; want one, without ---")
	case !errors.Is(err, io.EOF):
		p.syntax(err, b)
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil // comments only
	}
	return root
}

func badLine(b []byte) int {
	for i, line := range bytes.Split(b, []byte("\n")) {
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return i + 1
		}
	}
	return 0
}

var yamlError = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)

// syntax reports what the YAML parser says.
func (p *parser) syntax(err error, b []byte) {
	m := yamlError.FindStringSubmatch(strings.SplitN(err.Error(), "\n", 2)[0])
	line, _ := strconv.Atoi(m[1])
	for i, l := range strings.Split(string(b), "\n") {
		if strings.HasPrefix(strings.TrimLeft(l, " "), "\t") && strings.TrimSpace(l) != "" {
			p.fault(i+1, "the line is indented with a tab; YAML wants spaces")
			return
		}
	}
	p.fault(max(line, 1), "the file is not YAML: %s", m[2])
}

func (p *parser) fault(line int, format string, args ...any) {
	p.faults = append(p.faults, Fault{File: p.name, Line: line, Text: fmt.Errorf(format, args...).Error()})
}

// mapping reads the keys of n into fields. An empty value is an empty mapping:
// people comment out all that stood under a key.
func (p *parser) mapping(n *yaml.Node, path string, fields []field) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && path != "" {
		return
	}
	if !p.isKind(n, yaml.MappingNode, path, "a mapping of keys to values") {
		return
	}
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	p.pairs(n, path, func(key, v *yaml.Node) {
		for i := range fields {
			if fields[i].name == key.Value {
				p.field(v, join(path, key.Value), &fields[i])
				return
			}
		}
		p.fault(key.Line, "unknown key %s%s; %s", key.Value, under(path), suggest(key.Value, names))
	})
	for i := range fields {
		if at := join(path, fields[i].name); fields[i].must && p.lines[at] == 0 {
			p.fault(n.Line, "%s: is missing", at)
		}
	}
}

// pairs calls yield for each key of a mapping, the first time it stands there,
// and notes its line.
func (p *parser) pairs(n *yaml.Node, path string, yield func(key, v *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			p.fault(key.Line, "a key%s is no plain word; want key: value (merge keys and other complex keys are not read)", under(path))
			continue
		}
		at := join(path, key.Value)
		if first, ok := seen[key.Value]; ok {
			p.fault(key.Line, "%s: is set twice, first on line %d; keep one of them", at, first)
			continue
		}
		seen[key.Value], p.lines[at] = key.Line, key.Line
		yield(key, v)
	}
}

func (p *parser) field(n *yaml.Node, path string, f *field) {
	switch {
	case f.value != nil:
		p.scalar(n, path, f.value)
	case f.fields != nil:
		p.mapping(n, path, f.fields)
	case f.list != nil:
		if p.isKind(n, yaml.SequenceNode, path, "a list, such as "+orDefault(f.example, f.list.show())) {
			f.list.reset()
			for i, item := range n.Content {
				v := f.list.next()
				p.scalar(item, itemPath(path, i), &v)
			}
		}
	case f.items != nil:
		if p.isKind(n, yaml.SequenceNode, path, "a list of mappings, each after a dash") {
			f.items.reset()
			for i, item := range n.Content {
				at := itemPath(path, i)
				p.lines[at] = item.Line
				p.mapping(item, at, f.items.next())
			}
		}
	case f.custom != nil:
		f.custom.decode(p, n, path)
	}
}

// scalar reads one value, expanded.
func (p *parser) scalar(n *yaml.Node, path string, v *value) {
	if _, ok := p.lines[path]; !ok {
		p.lines[path] = n.Line
	}
	text, ok := p.text(n, path, "one value ("+v.kind+")")
	if !ok {
		return
	}
	if err := v.parse(p, text); err != nil {
		shown := strconv.Quote(n.Value) // not expanded: a variable may hold a secret
		switch {
		case v.secret || len(shown) > 100:
			shown = "the value"
		case p.expanded:
			shown += " (from the environment)"
		}
		p.fault(n.Line, "%s: %s %w", path, shown, err)
	}
}

// text returns the expanded text of a scalar.
func (p *parser) text(n *yaml.Node, path, want string) (string, bool) {
	if !p.isKind(n, yaml.ScalarNode, path, want) {
		return "", false
	}
	if n.ShortTag() == "!!null" {
		p.fault(n.Line, "%s: has no value; give %s, or leave the line out", path, want)
		return "", false
	}
	text, err := envtext.Expand(n.Value, p.env)
	if err != nil {
		p.fault(n.Line, "%s: %w", path, err)
		return "", false
	}
	p.expanded = text != n.Value
	return text, true
}

// scalars returns the texts of a list.
func (p *parser) scalars(n *yaml.Node, path, want string) ([]string, bool) {
	if !p.isKind(n, yaml.SequenceNode, path, want) {
		return nil, false
	}
	out, all := make([]string, 0, len(n.Content)), true
	for i, item := range n.Content {
		t, ok := p.text(item, itemPath(path, i), "one value")
		out, all = append(out, t), all && ok
	}
	return out, all
}

// isKind reports whether n is of the kind, written plainly, and says what is
// wanted where not.
func (p *parser) isKind(n *yaml.Node, kind yaml.Kind, path, want string) bool {
	at := path
	if at == "" {
		at = "the file"
	}
	switch {
	case n.Kind == yaml.AliasNode:
		p.fault(n.Line, "%s: is an alias (*%s), which is not read; write the value out", at, n.Value)
	case n.Style&yaml.TaggedStyle != 0:
		p.fault(n.Line, "%s: carries the tag %s, which is not read; write the plain value", at, n.Tag)
	case n.Kind != kind && n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		p.fault(n.Line, "%s: has no value; want %s, or leave the line out", at, want)
	case n.Kind != kind:
		p.fault(n.Line, "%s: is %s; want %s", at, kindName(n.Kind), want)
	default:
		return true
	}
	return false
}

func kindName(k yaml.Kind) string {
	switch k {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

// path resolves a path of the file against the file's own folder.
func (p *parser) path(t string) string {
	if filepath.IsAbs(t) {
		return filepath.Clean(t)
	}
	return filepath.Join(filepath.Dir(p.name), t)
}

// read reads a file that the configuration names.
func (p *parser) read(t string) ([]byte, error) {
	if err := notEmpty(t); err != nil {
		return nil, err
	}
	return p.files.read(p.path(t), MaxSecret)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func itemPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func under(path string) string {
	if path == "" {
		return ""
	}
	return " under " + path
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
