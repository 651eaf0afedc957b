package config

import (
	"encoding/json"
	"fmt"
	"strings"
)

// generated stands at the head of what the table makes.
const generated = "Generated from the table in config/fields.go by `go generate ./config`; do not edit."

// Reference returns docs/configuration.md: every field with its kind, default
// and meaning, and an example that sets them all.
func Reference() []byte {
	var b strings.Builder
	b.WriteString("# Configuration\n\n<!-- " + generated + " -->\n\n")
	b.WriteString(`weir reads one YAML file (` + "`weir run -c weir.yaml`" + `). ` + "`weir validate -c weir.yaml`" + ` checks it without starting anything.

- The file is strict. Unknown and repeated keys, wrong units and types, and files that are missing are faults; all of them are
  told at once, as ` + "`file:line: what, and what would be right`" + `.
- ` + "`${NAME}`" + ` in a value is replaced by the environment variable, which must be set; ` + "`$${`" + ` stands for the text ` + "`${`" + `. Keys are not
  expanded, and a variable cannot add keys.
- A secret can come from a file instead: ` + "`password_file`" + ` for ` + "`password`" + `, and so on. weir never prints secrets.
- Relative paths start at the folder of the configuration file.
- Durations have a unit: ` + "`500ms`, `30s`, `5m`, `1h`, `30d`" + ` (a day is 24 hours).
- Aliases, merge keys, tags and several documents in one file are not read.

An editor that knows JSON Schema can check the file as you write: begin it with
` + "`# yaml-language-server: $schema=config.schema.json`" + ` (docs/config.schema.json).

The least that ` + "`weir run`" + ` needs:

` + "```yaml" + `
kafka:
  brokers: [kafka-1.example:9092]
sources:
  - topic: access
record_key_file: /run/secrets/record.key
` + "```" + `

## Fields

`)
	b.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
	referenceRows(&b, "", table(Default()))
	b.WriteString("\n## Every field in one file\n\nNot a file to copy: some of its fields exclude each other.\n\n```yaml\n")
	exampleYAML(&b, "", "", table(Default()))
	b.WriteString("```\n")
	return []byte(b.String())
}

func referenceRows(b *strings.Builder, path string, fields []field) {
	for i := range fields {
		f := &fields[i]
		at := join(path, f.name)
		kind, def := f.describe()
		if def != "" {
			def = "`" + def + "`"
		}
		if f.must {
			def = "required"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", at, kind, def, f.doc)
		switch {
		case f.fields != nil:
			referenceRows(b, at, f.fields)
		case f.items != nil:
			referenceRows(b, at+"[]", f.items.fields)
		}
	}
}

// describe returns the kind of a field and its default as YAML.
func (f *field) describe() (kind, def string) {
	switch {
	case f.value != nil:
		def = f.value.show()
		if def == `""` {
			def = ""
		}
		return f.value.kind, def
	case f.list != nil:
		return "list", f.list.show()
	case f.items != nil:
		return "list of mappings", f.items.show()
	case f.custom != nil:
		return f.custom.kind, f.custom.show()
	}
	return "mapping", ""
}

// exampleYAML writes every field with its example or default.
func exampleYAML(b *strings.Builder, first, indent string, fields []field) {
	for i := range fields {
		f := &fields[i]
		_, value := f.describe()
		if f.example != "" {
			value = f.example
		}
		lead := indent
		if i == 0 {
			lead = first
		}
		switch {
		case f.fields != nil:
			fmt.Fprintf(b, "%s%s:\n", lead, f.name)
			exampleYAML(b, indent+"  ", indent+"  ", f.fields)
		case f.items != nil:
			fmt.Fprintf(b, "%s%s:\n", lead, f.name)
			exampleYAML(b, indent+"  - ", indent+"    ", f.items.fields)
		default:
			fmt.Fprintf(b, "%s%s: %s\n", lead, f.name, value)
		}
	}
}

// Schema returns docs/config.schema.json: a JSON Schema (draft 2020-12) that
// editors can check and complete with. It knows single fields; what holds
// between fields, and whether files exist, Parse alone can tell.
func Schema() []byte {
	root := schemaOf(table(Default()))
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://github.com/weirhq/weir/docs/config.schema.json"
	root["$comment"] = generated
	root["title"] = "weir configuration"
	out, err := json.MarshalIndent(root, "", "  ") // of maps: sorted keys
	if err != nil {
		panic(fmt.Sprintf("encoding the schema: %v", err)) // maps of plain values always encode
	}
	return append(out, '\n')
}

func schemaOf(fields []field) map[string]any {
	properties := map[string]any{}
	var must []string
	for i := range fields {
		f := &fields[i]
		s := f.schema()
		s["description"] = f.doc
		if f.must {
			must = append(must, f.name)
		}
		properties[f.name] = s
	}
	out := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if must != nil {
		out["required"] = must
	}
	return out
}

func (f *field) schema() map[string]any {
	switch {
	case f.value != nil:
		return orVariable(f.value.schema)
	case f.list != nil:
		return map[string]any{"type": "array", "items": orVariable(f.list.next().schema)}
	case f.items != nil:
		return map[string]any{"type": "array", "items": schemaOf(f.items.fields)}
	case f.custom != nil:
		return f.custom.schema
	}
	s := schemaOf(f.fields)
	s["type"] = []string{"object", "null"} // all keys under it commented out
	return s
}

// orVariable allows ${NAME} where a literal is expected.
func orVariable(literal map[string]any) map[string]any {
	if len(literal) == 1 && literal["type"] == "string" {
		return map[string]any{"type": "string"}
	}
	return map[string]any{"anyOf": []any{literal, map[string]any{"type": "string", "pattern": `\$\{[A-Za-z_][A-Za-z0-9_]*\}`}}}
}
