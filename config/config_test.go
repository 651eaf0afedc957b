package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

var rewrite = flag.Bool("rewrite", false, "write what is found to testdata/*.want and to docs")

// env is the environment of every test.
func env(name string) (string, bool) {
	v, ok := map[string]string{"WORD": "blue", "KAFKA_PASSWORD": "hunter2"}[name]
	return v, ok
}

func anyEnv(string) (string, bool) { return "x", true }

func parseFixture(t *testing.T, path string) (*Config, error) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fs := osFiles()
	fs.readers = func(string) string { return "" } // the modes of fixtures are the checkout's
	return parse(path, b, env, fs)
}

// Each file of testdata is named after what is wrong in it; beside it stands
// what is said about it, or, where nothing is wrong, what it comes to.
func TestFixtures(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			c, err := parseFixture(t, path)
			var got string
			if err != nil {
				got = err.Error() + "\n"
			} else {
				got = dump(c)
			}
			if strings.Contains(got, "hunter2") || strings.Contains(got, "correct horse") {
				t.Errorf("tells a secret:\n%s", got)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".want", got)
		})
	}
}

// dump writes every field of a configuration by its own table.
func dump(c *Config) string {
	var b strings.Builder
	var walk func(path string, fields []field)
	walk = func(path string, fields []field) {
		for i := range fields {
			f := &fields[i]
			at := join(path, f.name)
			switch {
			case f.fields != nil:
				walk(at, f.fields)
			case f.value != nil && !f.value.secret:
				fmt.Fprintf(&b, "%s: %s\n", at, f.value.show())
			case f.custom != nil:
				fmt.Fprintf(&b, "%s: %s\n", at, f.custom.show())
			}
		}
	}
	walk("", table(c))
	fmt.Fprintf(&b, "brokers: %q\nsources: %v\ndestinations: %+v\nsasl: %+v\n", c.Kafka.Brokers, c.Sources, c.Alerts.Destinations, c.Kafka.SASL)
	for _, x := range c.Expected {
		fmt.Fprintf(&b, "expected: %+v\n", x)
	}
	for _, w := range c.Warnings() {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	fmt.Fprintf(&b, "run: %v\n", c.CheckRun())
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./config -rewrite takes what is found)\ngot\n%swant\n%s", path, got, want)
	}
}

// The generated docs are those of the table.
func TestDocsAreFresh(t *testing.T) {
	for path, b := range map[string][]byte{"../docs/configuration.md": Reference(), "../docs/config.schema.json": Schema()} {
		golden(t, path, string(b))
	}
}

// Every field says what it is, and every default and example is legal.
func TestTableIsWhole(t *testing.T) {
	var walk func(path string, fields []field)
	walk = func(path string, fields []field) {
		seen := map[string]bool{}
		for i := range fields {
			f := &fields[i]
			at := join(path, f.name)
			if !strings.HasSuffix(f.doc, ".") || seen[f.name] {
				t.Errorf("%s has no sentence or stands twice", at)
			}
			seen[f.name] = true
			forms := 0
			for _, have := range []bool{f.value != nil, f.fields != nil, f.list != nil, f.items != nil, f.custom != nil} {
				if have {
					forms++
				}
			}
			if forms != 1 {
				t.Errorf("%s has %d forms", at, forms)
			}
			walk(at, f.fields)
			if f.items != nil {
				walk(at+"[]", f.items.fields)
			}
			if f.value != nil && f.value.show() != "" && f.value.show() != `""` {
				p := &parser{name: "x", env: env, lines: map[string]int{}, files: noFiles}
				p.scalar(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: f.value.show(), Line: 1}, at, f.value)
				if len(p.faults) > 0 {
					t.Errorf("the default of %s is refused: %v", at, p.faults)
				}
			}
			if f.value != nil && f.example != "" && f.value.kind != "path of a file" {
				p := &parser{name: "x", env: anyEnv, lines: map[string]int{}, files: noFiles}
				p.scalar(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: f.example, Line: 1}, at, f.value)
				if len(p.faults) > 0 {
					t.Errorf("the example of %s is refused: %v", at, p.faults)
				}
			}
		}
	}
	walk("", table(Default()))
}

// noFiles is a world in which every file holds the same.
var noFiles = files{
	read:      func(string, int64) ([]byte, error) { return []byte("text"), nil },
	recordKey: func(string) error { return nil },
	readers:   func(string) string { return "" },
}

// The defaults are what an empty file comes to, and pass every check.
func TestDefaultIsEmptyFile(t *testing.T) {
	c, err := Parse("", nil, env)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := dump(c), dump(Default()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The schema accepts what Parse accepts, and refuses the faults that it can
// see.
func TestSchemaAgrees(t *testing.T) {
	s := compileSchema(t)
	check := func(b []byte) error {
		var v any
		if err := yaml.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if v == nil {
			v = map[string]any{}
		}
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		inst, err := jsonschema.UnmarshalJSON(bytes.NewReader(j))
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(inst)
	}
	for _, name := range []string{"empty", "escaped", "whole", "every-destination"} {
		b, err := os.ReadFile("testdata/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := check(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	example := string(Reference())
	_, example, _ = strings.Cut(example[strings.LastIndex(example, "## Every field"):], "```yaml\n")
	if err := check([]byte(strings.TrimSuffix(example, "```\n"))); err != nil {
		t.Errorf("the example: %v", err)
	}
	for _, bad := range []string{"grupo: a", "partitions: 0", "time: {tick: 5}", "alerts: {budget: 2}", "sources: [{format: ocsf}]",
		"dimensions: {user: [actr]}", "log: {level: loud}", "kafka: {tls: {enabled: yeah}}"} {
		if check([]byte(bad)) == nil {
			t.Errorf("%s: the schema accepts it", bad)
		}
		if _, err := Parse("x", []byte(bad), env); err == nil {
			t.Errorf("%s: Parse accepts it", bad)
		}
	}
}

func TestLoad(t *testing.T) {
	if _, err := Load("testdata/none.yaml"); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Load("testdata"); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("a folder: %v", err)
	}
	c, err := Load("testdata/empty.yaml")
	if err != nil || c.File() != "testdata/empty.yaml" || c.TopicPrefix != "weir." {
		t.Errorf("got %v, %v", c, err)
	}
}

// Errors found when things are built still name their line.
func TestAt(t *testing.T) {
	c, err := parseFixture(t, "testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	err = c.At("alerts.destinations[1].secret", fmt.Errorf("too short"))
	if want := "testdata/whole.yaml:22: alerts.destinations[1].secret: too short"; err.Error() != want {
		t.Errorf("got %s, want %s", err, want)
	}
}

func TestSecretsStayHidden(t *testing.T) {
	c, err := parseFixture(t, "testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Kafka.SASL.Password.Reveal(); got != "correct horse" {
		t.Errorf("the password is %q", got)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "password", c.Kafka.SASL.Password, "sasl", c.Kafka.SASL)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "password", c.Kafka.SASL.Password, "sasl", c.Kafka.SASL)
	j, err := json.Marshal(c.Kafka.SASL)
	if err != nil {
		t.Fatal(err)
	}
	y, err := yaml.Marshal(c.Kafka.SASL)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{log.String(), string(j), string(y), fmt.Sprint(c.Kafka.SASL.Password)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, c), fmt.Sprintf(verb, c.Alerts))
	}
	for _, text := range texts {
		for _, secret := range []string{"correct", "horse", "hunter2", "whsec", fmt.Sprintf("%x", "horse")} {
			if strings.Contains(text, secret) {
				t.Errorf("tells %s: %s", secret, text)
			}
		}
		if !strings.Contains(text, "***") {
			t.Errorf("shows no mask: %s", text)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"5m": 5 * time.Minute, "30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "0.5h": 30 * time.Minute, "250ms": 250 * time.Millisecond, "0s": 0,
	} {
		if got, err := ParseDuration(in); err != nil || got != want {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{
		"": "is not a duration", "5": "lacks a unit", "0": "lacks a unit", "m": "is not a duration", "5 m": `unit " m"`, "5y": `unit "y"`, "-5m": "is not a duration",
		"1.2.3s": "is not a duration", "1h30": "lacks a unit", "1e9h": `unit "e"`, "99999999d": "a century", "5µs": `unit "µs"`,
	} {
		if got, err := ParseDuration(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v; want an error with %q", in, got, err, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0s", 90 * time.Minute: "1h30m", 30 * day: "30d", 1500 * time.Millisecond: "1s500ms"} {
		if got := formatDuration(d); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
		if back, err := ParseDuration(formatDuration(d)); err != nil || back != d {
			t.Errorf("%v is read back as %v, %v", d, back, err)
		}
	}
}

func TestParseBudget(t *testing.T) {
	for in, want := range map[string]string{"2/day": "2/day", "14 / week": "2/day", "0.5/day": "0.5/day", "1/hour": "24/day"} {
		if got, err := parseBudget(in); err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "2", "2/", "/day", "-1/day", "NaN/day", "Inf/day", "1e9/day", "0/day", "two/day", "1/day/day"} {
		if got, err := parseBudget(in); err == nil {
			t.Errorf("%q: accepted as %v", in, got)
		}
	}
}

// FuzzParse: whatever the text, Parse returns, tells no variable's value, and
// names a line that exists.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	const secret = "hunter2"
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parse("x.yaml", b, env, noFiles)
		if (c == nil) == (err == nil) {
			t.Fatal("neither or both of a configuration and an error")
		}
		if err == nil {
			return
		}
		if !bytes.Contains(b, []byte(secret)) && strings.Contains(err.Error(), secret) {
			t.Errorf("tells a variable: %v", err)
		}
		faults := err.(Faults)
		for _, fault := range faults {
			if fault.Line < 1 || fault.Line > bytes.Count(b, []byte("\n"))+bytes.Count(b, []byte("\r"))+2 {
				t.Errorf("line %d of %d: %s", fault.Line, bytes.Count(b, []byte("\n")), fault.Text)
			}
		}
	})
}
