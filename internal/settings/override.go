package settings

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/usage"
)

// Override returns the settings of a configuration file, or of the defaults if
// path is empty, once for each of tries. A try is KEY=VALUE pairs between spaces
// that go over what the file says; an empty one leaves the file as it is. What is
// wrong with a try is a usage.Error.
func Override(path string, tries []string) ([]*Settings, error) {
	name, text := "the configuration", []byte(nil)
	if path != "" {
		if _, err := config.Load(path); err != nil {
			return nil, err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading the configuration: %w", err)
		}
		name, text = path, b
	}
	var out []*Settings
	for _, try := range tries {
		changed, err := override(text, try)
		if err != nil {
			return nil, usage.Errorf("%w", err)
		}
		cfg, err := config.Parse(name, changed, os.LookupEnv)
		if err != nil {
			if try != "" {
				err = triedFaults(err, try)
			}
			return nil, err
		}
		s, err := New(cfg)
		if err != nil {
			return nil, fmt.Errorf("trying %q: %w", try, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// triedFaults tells faults of a setting without lines of a file, since the file
// has no such line.
func triedFaults(err error, try string) error {
	var faults config.Faults
	if !errors.As(err, &faults) {
		return usage.Errorf("trying %q: %w", try, err)
	}
	texts := make([]string, len(faults))
	for i, f := range faults {
		texts[i] = f.Text
	}
	return usage.Errorf("trying %q: %s", try, strings.Join(texts, "; "))
}

// override returns a configuration's text with KEY=VALUE pairs put in.
func override(text []byte, try string) ([]byte, error) {
	if try == "" {
		return text, nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(doc.Content) == 0 {
		doc = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	}
	for _, pair := range strings.Fields(try) {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" || value == "" {
			return nil, fmt.Errorf("trying %q: %q is no KEY=VALUE, such as alerts.budget=1/day", try, pair)
		}
		var v yaml.Node
		if err := yaml.Unmarshal([]byte(value), &v); err != nil || len(v.Content) == 0 {
			return nil, fmt.Errorf("trying %q: %q is no YAML value", try, value)
		}
		put(doc.Content[0], strings.Split(key, "."), v.Content[0])
	}
	out, err := yaml.Marshal(&doc)
	if err != nil {
		return nil, fmt.Errorf("trying %q: %w", try, err)
	}
	return out, nil
}

// put sets the value at a path of keys, making the mappings on the way.
func put(n *yaml.Node, path []string, value *yaml.Node) {
	at := -1
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == path[0] {
			at = i + 1
		}
	}
	if at < 0 {
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: path[0]}, &yaml.Node{Kind: yaml.MappingNode})
		at = len(n.Content) - 1
	}
	if len(path) == 1 {
		n.Content[at] = value
		return
	}
	if n.Content[at].Kind != yaml.MappingNode {
		n.Content[at] = &yaml.Node{Kind: yaml.MappingNode}
	}
	put(n.Content[at], path[1:], value)
}
