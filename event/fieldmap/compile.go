package fieldmap

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/suggest"
)

// Parse compiles a field map. file is what its faults are reported under;
// the error lists all of them.
func Parse(file string, src []byte) (*Format, error) {
	c := &compiler{file: file, format: &Format{pattern: newPattern()}}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, fmt.Errorf("reading the format %s: %w", file, err)
	}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("reading the format %s: the file is empty; docs/formats.md has an example", file)
	}
	c.top(doc.Content[0])
	if len(c.faults) > 0 {
		return nil, fmt.Errorf("reading the format %s:\n%w", file, errors.Join(c.faults...))
	}
	return c.format, nil
}

// compiler turns YAML into a Format and gathers the faults on the way.
type compiler struct {
	file   string
	format *Format
	faults []error
}

// maxFaults bounds the list of faults: of a file that is something else
// altogether, the first tell enough.
const maxFaults = 50

// fault notes what is wrong at a node and what would be right.
func (c *compiler) fault(n *yaml.Node, format string, args ...any) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, fmt.Errorf("%s:%d: %s", c.file, n.Line, fmt.Sprintf(format, args...)))
	}
}

// mapping calls each for each key of a mapping, after it has made sure that n is
// one, without a key twice and without one that is not known. An empty list of
// known keys allows any.
func (c *compiler) mapping(n *yaml.Node, what string, known []string, each func(key string, k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		c.fault(n, "%s is a mapping of keys to values, not %s", what, describe(n))
		return
	}
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode:
			c.fault(k, "a key of %s is a plain word, not %s", what, describe(k))
		case len(known) > 0 && !slices.Contains(known, k.Value):
			c.fault(k, "%s has no key %q%s; its keys are %s", what, k.Value, suggest.DidYouMean(k.Value, known), strings.Join(known, ", "))
		case slices.Contains(seen, k.Value):
			c.fault(k, "the key %s stands twice in %s", k.Value, what)
		case v.Kind == yaml.AliasNode:
			c.fault(v, "anchors and aliases are not part of a field map; write the value out")
		default:
			seen = append(seen, k.Value)
			each(k.Value, k, v)
		}
	}
}

// describe names the kind of a YAML node.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Tag == "!!null":
		return "nothing"
	default:
		return fmt.Sprintf("%q", n.Value)
	}
}

// word returns the text of a scalar that is not null.
func (c *compiler) word(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		c.fault(n, "%s is a text, not %s", what, describe(n))
		return "", false
	}
	return n.Value, true
}

// flag returns a true or false.
func (c *compiler) flag(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		c.fault(n, "%s is true or false, not %s", what, describe(n))
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

// items returns the items of a list, or n alone if it is none.
func items(n *yaml.Node) []*yaml.Node {
	if n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

// top compiles the whole file.
func (c *compiler) top(n *yaml.Node) {
	f := c.format
	faultsBefore := len(c.faults)
	c.mapping(n, "a format", []string{"name", "about", "document", "explode", "maps"}, func(key string, _, v *yaml.Node) {
		switch key {
		case "name":
			if s, ok := c.word(v, "name"); ok {
				if f.name = s; !event.IsWord(s) {
					c.fault(v, "name is a lower-case letter and up to 31 more letters, digits or _, not %q", s)
				}
			}
		case "about":
			f.about, _ = c.word(v, "about")
		case "document":
			f.document = c.flag(v, "document")
		case "explode":
			c.explode(v)
		case "maps":
			if v.Kind != yaml.SequenceNode {
				c.fault(v, "maps is a list of maps, not %s", describe(v))
				return
			}
			for _, m := range v.Content {
				c.eventMap(m)
			}
		}
	})
	if len(c.faults) > faultsBefore {
		return
	}
	if f.name == "" {
		c.fault(n, "a format needs a name")
	}
	if len(f.maps) == 0 {
		c.fault(n, "a format needs maps: at least one, with its fields")
	}
}

// explode compiles the path of an envelope's list.
func (c *compiler) explode(n *yaml.Node) {
	path, ok := c.word(n, "explode")
	if !ok {
		return
	}
	list, ok := strings.CutSuffix(path, elements)
	if !ok || strings.Contains(list, elements) {
		c.fault(n, "explode is the path of one list and ends in [], such as Records[]; %q does not", path)
		return
	}
	e := &explosion{path: list, pattern: newPattern()}
	if list == "" {
		e.pattern.root.slot, e.pattern.slots = 0, 1
	} else if _, err := e.pattern.slot(list); err != nil {
		c.fault(n, "%s", err)
		return
	}
	c.format.explode = e
}

// eventMap compiles one map.
func (c *compiler) eventMap(n *yaml.Node) {
	m := mapping{name: fmt.Sprintf("maps[%d]", len(c.format.maps))}
	var hasFields bool
	before := len(c.faults)
	c.mapping(n, "a map", []string{"name", "when", "ignore", "fields"}, func(key string, _, v *yaml.Node) {
		switch key {
		case "name":
			m.name, _ = c.word(v, "name")
		case "when":
			for _, item := range items(v) {
				c.condition(item, &m)
			}
		case "ignore":
			m.ignore = c.flag(v, "ignore")
		case "fields":
			hasFields = true
			c.mapping(v, "fields", fieldNames[:], func(key string, _, v *yaml.Node) {
				f := field(slices.Index(fieldNames[:], key))
				if m.fields[f] = c.sources(f, v); len(m.fields[f]) == 0 && len(c.faults) == before {
					c.fault(v, "%s needs at least one path; leave it out if the source has none", key)
				}
			})
		}
	})
	switch {
	case len(c.faults) > before:
	case m.ignore && hasFields:
		c.fault(n, "the map %s has both ignore and fields; an event that is left out needs no fields", m.name)
	case !m.ignore && len(m.fields[fieldTime]) == 0:
		c.fault(n, "the map %s needs the field time; without it no event can be counted", m.name)
	}
	c.format.maps = append(c.format.maps, m)
}

// condition compiles one condition of a map.
func (c *compiler) condition(n *yaml.Node, m *mapping) {
	cond := condition{slot: -1}
	asked := 0
	before := len(c.faults)
	c.mapping(n, "a condition", []string{"path", "equals", "not", "exists"}, func(key string, _, v *yaml.Node) {
		switch key {
		case "path":
			cond.slot = c.slot(v)
		case "equals", "not":
			asked++
			cond.not = key == "not"
			cond.equals = &valueMap{exact: map[string]string{}}
			for _, item := range items(v) {
				if s, ok := c.word(item, key); ok && !cond.equals.put(s, "") {
					c.fault(item, "%q stands twice in %s", s, key)
				}
			}
		case "exists":
			asked++
			cond.exists = c.flag(v, key)
		}
	})
	if len(c.faults) > before {
		return
	}
	if cond.slot < 0 || asked != 1 {
		c.fault(n, "a condition has a path and one of equals, not and exists")
		return
	}
	m.when = append(m.when, cond)
}

// slot compiles a path whose first value is kept.
func (c *compiler) slot(n *yaml.Node) int {
	path, ok := c.word(n, "a path")
	if !ok {
		return -1
	}
	slot, err := c.format.pattern.slot(path)
	if err != nil {
		c.fault(n, "%s", err)
		return -1
	}
	return slot
}
