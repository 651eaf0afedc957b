package fieldmap

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/suggest"
)

// sources compiles where a field comes from: a path, a mapping, or a list of
// them.
func (c *compiler) sources(f field, n *yaml.Node) []source {
	var all []source
	for _, item := range items(n) {
		s := source{slot: -1, list: -1, unit: int64(time.Millisecond)}
		before := len(c.faults)
		switch item.Kind {
		case yaml.ScalarNode:
			c.sourcePath(f, &s, item)
		case yaml.MappingNode:
			c.sourceMapping(f, &s, item)
		default:
			c.fault(item, "%s comes from a path, a mapping, or a list of them, not %s", fieldNames[f], describe(item))
		}
		if len(c.faults) == before {
			all = append(all, s)
		}
	}
	return all
}

// sourcePath compiles the path of a source.
func (c *compiler) sourcePath(f field, s *source, n *yaml.Node) {
	if s.slot = c.slot(n); s.slot < 0 {
		return
	}
	s.path = n.Value
	if f == fieldRecords {
		s.list, _ = c.format.pattern.list(n.Value) // slot has parsed the same path
	}
}

// units are the units of an integer time.
var units = map[string]int64{
	"s": int64(time.Second), "ms": int64(time.Millisecond), "us": int64(time.Microsecond), "ns": 1,
}

// sourceMapping compiles a source that is more than a path.
func (c *compiler) sourceMapping(f field, s *source, n *yaml.Node) {
	forms := 0
	var separator, values *yaml.Node
	before := len(c.faults)
	c.mapping(n, "a source of "+fieldNames[f], []string{"path", "const", "join", "separator", "values", "unit"},
		func(key string, k, v *yaml.Node) {
			switch key {
			case "path":
				forms++
				c.sourcePath(f, s, v)
			case "const":
				forms++
				if s.constant, _ = c.word(v, "const"); s.constant == "" {
					c.fault(v, "const is a text that is not empty")
				}
			case "join":
				forms++
				c.join(s, v)
			case "separator":
				separator = k
				s.between, _ = c.word(v, "separator")
			case "values":
				values = v
				c.values(f, s, v)
			case "unit":
				c.unit(f, s, k, v)
			}
		})
	if len(c.faults) > before {
		return
	}
	switch {
	case forms != 1:
		c.fault(n, "a source of %s has one of path, const and join", fieldNames[f])
	case separator != nil && s.join == nil:
		c.fault(separator, "separator goes with join")
	case values != nil && s.constant != "":
		c.fault(values, "values go with path or join, not with const")
	case s.constant != "" && f == fieldTime:
		c.fault(n, "time is never a constant")
	case s.constant != "" && f == fieldRows && digits([]byte(s.constant), 0) < len(s.constant):
		c.fault(n, "rows is an integer, not %q", s.constant)
	case s.constant != "" && f == fieldAction && !knownAction(s.constant):
		c.fault(n, "no action is called %q%s", s.constant, suggest.DidYouMean(s.constant, event.ActionNames()))
	}
}

// join compiles the parts of a join.
func (c *compiler) join(s *source, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || len(n.Content) < 2 {
		c.fault(n, "join is a list of at least two paths, not %s", describe(n))
		return
	}
	for _, item := range n.Content {
		p := part{}
		if item.Kind == yaml.MappingNode {
			c.mapping(item, "a part of a join", []string{"const"}, func(_ string, _, v *yaml.Node) {
				p.constant, _ = c.word(v, "const")
			})
			if p.constant == "" {
				c.fault(item, "a part of a join is a path, or a const that is not empty")
			}
		} else if p.slot = c.slot(item); s.path == "" {
			s.path = item.Value
		}
		s.join = append(s.join, p)
	}
}

// ignoreAction is what a value map of action names to leave an event out.
const ignoreAction = "ignore"

// knownAction reports whether a field map may name the action.
func knownAction(name string) bool {
	_, ok := event.ParseAction(name)
	return ok || name == ignoreAction
}

// values compiles a value map.
func (c *compiler) values(f field, s *source, n *yaml.Node) {
	if f == fieldTime || f == fieldRecords || f == fieldRows {
		c.fault(n, "%s takes no values; it counts as it stands", fieldNames[f])
		return
	}
	s.values = &valueMap{exact: map[string]string{}}
	c.mapping(n, "values", nil, func(key string, k, v *yaml.Node) {
		to, ok := c.word(v, "a value")
		if ok && f == fieldAction && !knownAction(to) {
			c.fault(v, "no action is called %q%s; there are %s, and %s to leave the event out",
				to, suggest.DidYouMean(to, event.ActionNames()), strings.Join(event.ActionNames(), ", "), ignoreAction)
		}
		if !s.values.put(key, to) {
			c.fault(k, "the value %q stands twice", key)
		}
	})
}

// unit compiles the unit of an integer time.
func (c *compiler) unit(f field, s *source, k, v *yaml.Node) {
	if f != fieldTime {
		c.fault(k, "unit goes with time, not with %s", fieldNames[f])
		return
	}
	name, _ := c.word(v, "unit")
	var ok bool
	if s.unit, ok = units[name]; !ok {
		c.fault(v, "unit is s, ms, us or ns, not %q", name)
	}
}
