package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/weirhq/weir/event"
)

// custom is a field whose form is neither scalar nor plain list.
type custom struct {
	kind   string
	decode func(p *parser, n *yaml.Node, path string)
	show   func() string
	schema map[string]any
}

// maxDimensions bounds the dimensions: each event feeds one identity in every
// one of them, so cost and memory grow with their number.
const maxDimensions = 32

func dimensionsField(into *[]event.Dimension) field {
	fields := event.IdentityFields()
	return field{
		name: "dimensions",
		doc: "Ways to name who is behind an event: a name, and the event's fields that make up the identity. Replaces the default as a whole. " +
			"Fields: " + strings.Join(fields, ", ") + ".",
		example: "{user: [actor], key: [key_id], user_network: [actor, network]}",
		custom: &custom{
			kind:   "mapping of names to lists of fields",
			decode: func(p *parser, n *yaml.Node, path string) { decodeDimensions(p, n, path, into) },
			show:   func() string { return showDimensions(*into) },
			schema: map[string]any{
				"type": "object", "minProperties": 1, "maxProperties": maxDimensions,
				"propertyNames": map[string]any{"pattern": "^[a-z][a-z0-9_]{0,31}$"},
				"additionalProperties": map[string]any{
					"type": "array", "minItems": 1, "uniqueItems": true, "items": map[string]any{"enum": fields},
				},
			},
		},
	}
}

func decodeDimensions(p *parser, n *yaml.Node, path string, into *[]event.Dimension) {
	if !p.isKind(n, yaml.MappingNode, path, "a mapping of names to lists of fields, such as {user: [actor], key: [key_id]}") {
		return
	}
	if len(n.Content) == 0 || len(n.Content) > 2*maxDimensions {
		p.fault(n.Line, "%s: names %d dimensions; want 1 to %d", path, len(n.Content)/2, maxDimensions)
		return
	}
	*into = nil
	p.pairs(n, path, func(key, v *yaml.Node) {
		at := path + "." + key.Value
		fields, ok := p.scalars(v, at, "a list of fields, such as [actor]")
		if !ok {
			return
		}
		d, err := event.ParseDimension(key.Value, fields)
		if err != nil {
			p.fault(key.Line, "%s: %w", at, err)
			return
		}
		*into = append(*into, d)
	})
}

func showDimensions(dims []event.Dimension) string {
	parts := make([]string, len(dims))
	for i, d := range dims {
		parts[i] = d.Name + ": [" + strings.Join(d.Fields, ", ") + "]"
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// recordKey is the path of a record key. Only the path is kept: a
// configuration is printed and logged, the key must not be. Into readers goes whom
// the key is open to.
func recordKey(into, readers *string) value {
	v := file(into)
	read := v.parse
	v.parse = func(p *parser, t string) error {
		if err := read(p, t); err != nil {
			return err
		}
		if err := p.files.recordKey(p.path(t)); err != nil {
			return fmt.Errorf("holds no record key: %w", err)
		}
		*readers = p.files.readers(p.path(t))
		return nil
	}
	return v
}
