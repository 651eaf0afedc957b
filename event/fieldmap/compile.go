package fieldmap

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/internal/suggest"
	"go.yaml.in/yaml/v3"
)

// Parse compiles a field map. file is what its faults are reported under;
// the error lists all of them.
func Parse(file string, src []byte) (*Format, error) {
	c := &compiler{file: file, format: &Format{pattern: jsonscan.NewPattern()}}
	n, err := document(file, src)
	if err != nil {
		return nil, err
	}
	c.top(n)
	if len(c.faults) > 0 {
		return nil, fmt.Errorf("reading the format %s:\n%w", file, errors.Join(c.faults...))
	}
	return c.format, nil
}

// document returns the node of a YAML text.
func document(file string, src []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, fmt.Errorf("reading the format %s: %w", file, err)
	}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("reading the format %s: the file is empty; docs/formats.md has an example", file)
	}
	return doc.Content[0], nil
}

// compiler turns YAML into a Format and gathers the faults on the way.
type compiler struct {
	file   string
	format *Format
	faults []error
	chains []chain // the ways from a whole value to its events
	common common
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

// words returns the texts of a list, or of one alone.
func (c *compiler) words(n *yaml.Node, what string) []string {
	var all []string
	for _, item := range items(n) {
		if s, ok := c.word(item, what); ok {
			all = append(all, s)
		}
	}
	return all
}
