package fieldmap

import (
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/event/timeform"
	"github.com/weirhq/weir/internal/suggest"
	"go.yaml.in/yaml/v3"
)

// sources compiles where a field comes from: a path, a mapping, or a list of
// them.
func (c *compiler) sources(f field, n *yaml.Node) []source {
	var all []source
	for _, item := range items(n) {
		s := source{slot: -1, list: -1, zone: c.common.zone, edits: c.commonEdits(f)}
		before := len(c.faults)
		switch item.Kind {
		case yaml.ScalarNode:
			c.sourcePath(f, &s, item, nil)
		case yaml.MappingNode:
			c.sourceMapping(f, &s, item)
		default:
			c.fault(item, "%s comes from a path, a mapping, or a list of them, not %s", fieldNames[f], describe(item))
		}
		if len(c.faults) == before {
			s.bare = s.slot >= 0 && s.values == nil && s.edits == nil
			all = append(all, s)
		}
	}
	return all
}

// sourcePath compiles the path of a source, with conditions on the elements of its
// last list.
func (c *compiler) sourcePath(f field, s *source, n *yaml.Node, where []jsonscan.Condition) {
	path, ok := c.word(n, "a path")
	if !ok {
		return
	}
	if s.slot = c.slotOf(n, path, where); s.slot < 0 {
		return
	}
	s.path = path
	if f != fieldRecords {
		return
	}
	var err error
	if strings.HasPrefix(path, messagePath) {
		s.list, err = c.fromMessage(path, true)
	} else if strings.HasPrefix(path, jsonscan.Root) {
		s.list, err = c.outer(path, true)
	} else if steps, bad := c.steps(path, where); bad == nil {
		s.list, err = c.format.pattern.List(steps)
	}
	if err != nil {
		c.fault(n, "the path %q: %s", path, err)
	}
}

// units are the forms of an integer time, by the names of their units.
var units = map[string]string{"s": "epoch_s", "ms": "epoch_ms", "us": "epoch_us", "ns": "epoch_ns"}

// sourceKeys are the keys of a source that is more than a path.
var sourceKeys = []string{"path", "where", "const", "join", "separator", "values", "unit", "format", "zone",
	"decode", "match", "split", "take", "trusted", "trim", "fold", "absent"}

// sourceMapping compiles a source that is more than a path.
func (c *compiler) sourceMapping(f field, s *source, n *yaml.Node) {
	said := map[string]*yaml.Node{}
	before := len(c.faults)
	c.mapping(n, "a source of "+fieldNames[f], sourceKeys, func(key string, _, v *yaml.Node) { said[key] = v })
	forms := 0
	for _, key := range []string{"path", "const", "join"} {
		if said[key] != nil {
			forms++
		}
	}
	where := c.where(said["where"])
	if v := said["path"]; v != nil {
		c.sourcePath(f, s, v, where)
	}
	if v := said["const"]; v != nil {
		if s.constant, _ = c.word(v, "const"); s.constant == "" {
			c.fault(v, "const is a text that is not empty")
		}
	}
	if v := said["join"]; v != nil {
		c.join(s, v)
	}
	if v := said["separator"]; v != nil {
		s.between, _ = c.word(v, "separator")
	}
	if v := said["values"]; v != nil {
		c.values(f, s, v)
	}
	c.timeKeys(f, s, said)
	c.editKeys(f, s, said)
	if len(c.faults) > before {
		return
	}
	switch {
	case forms != 1:
		c.fault(n, "a source of %s has one of path, const and join", fieldNames[f])
	case said["separator"] != nil && s.join == nil:
		c.fault(said["separator"], "separator goes with join")
	case said["where"] != nil && said["path"] == nil:
		c.fault(said["where"], "where goes with path")
	case s.values != nil && s.constant != "":
		c.fault(said["values"], "values go with path or join, not with const")
	case s.constant != "" && f == fieldTime:
		c.fault(n, "time is never a constant")
	case s.constant != "" && f == fieldRows && jsonscan.Digits([]byte(s.constant), 0) < len(s.constant):
		c.fault(n, "rows is an integer, not %q", s.constant)
	case s.constant != "" && f == fieldAction && !knownAction(s.constant):
		c.fault(n, "no action is called %q%s", s.constant, suggest.DidYouMean(s.constant, event.ActionNames()))
	}
}

// where compiles conditions on the elements of a list: what stands at each path of
// an element.
func (c *compiler) where(n *yaml.Node) []jsonscan.Condition {
	if n == nil {
		return nil
	}
	var all []jsonscan.Condition
	c.mapping(n, "where", nil, func(key string, k, v *yaml.Node) {
		var cond jsonscan.Condition
		for i, text := range c.words(v, "a value") {
			if i > 0 {
				cond.Equals.Put(text, "")
				cond.Text += "|" + text
				continue
			}
			var err error
			if cond, err = jsonscan.Equals(key, text); err != nil {
				c.fault(k, "%s", err)
				return
			}
		}
		if cond.Equals == nil {
			c.fault(v, "where needs the value that %s must have", key)
			return
		}
		all = append(all, cond)
	})
	return all
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
		} else {
			p.slot = c.slot(item)
			if s.path == "" {
				s.path = item.Value
			}
		}
		s.join = append(s.join, p)
	}
}

// ignoreAction is what an action is translated to where the event is left out.
const ignoreAction = "ignore"

// knownAction reports whether a map can give an action of this name.
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
	s.values = &jsonscan.ValueMap{Exact: map[string]string{}}
	c.mapping(n, "values", nil, func(key string, k, v *yaml.Node) {
		to, ok := c.word(v, "a value")
		if ok && f == fieldAction && !knownAction(to) {
			c.fault(v, "no action is called %q%s; there are %s, and %s to leave the event out",
				to, suggest.DidYouMean(to, event.ActionNames()), strings.Join(event.ActionNames(), ", "), ignoreAction)
		}
		if !s.values.Put(key, to) {
			c.fault(k, "the value %q stands twice", key)
		}
	})
}

// timeKeys compiles in which forms a time stands, and in which zone.
func (c *compiler) timeKeys(f field, s *source, said map[string]*yaml.Node) {
	for _, key := range []string{"unit", "format", "zone"} {
		if v := said[key]; v != nil && f != fieldTime {
			c.fault(v, "%s goes with time, not with %s", key, fieldNames[f])
			return
		}
	}
	if v := said["zone"]; v != nil {
		s.zone = c.zone(v)
	}
	if v := said["unit"]; v != nil {
		name, _ := c.word(v, "unit")
		form, ok := timeform.Named(units[name])
		if !ok {
			c.fault(v, "unit is s, ms, us or ns, not %q", name)
			return
		}
		s.forms = append(s.forms, form)
	}
	if v := said["format"]; v != nil {
		for _, name := range c.words(v, "format") {
			form, ok := timeform.Named(name)
			if !ok {
				c.fault(v, "format is %s, or a pattern such as \"%%d.%%m.%%Y %%H:%%M:%%S\", not %q%s",
					strings.Join(timeform.Names(), ", "), name, suggest.DidYouMean(name, timeform.Names()))
				return
			}
			s.forms = append(s.forms, form)
		}
	}
}
