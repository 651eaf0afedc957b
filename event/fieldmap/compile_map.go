package fieldmap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirhq/weir/event/jsonscan"
	"go.yaml.in/yaml/v3"
)

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
	if !m.ignore {
		for f, n := range c.common.fields {
			if n != nil && m.fields[f] == nil {
				m.fields[f] = c.sources(field(f), n)
			}
		}
	}
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
	var cond condition
	asked := 0
	before := len(c.faults)
	c.mapping(n, "a condition", []string{"path", "equals", "not", "exists"}, func(key string, _, v *yaml.Node) {
		switch key {
		case "path":
			for _, item := range items(v) {
				cond.slots = append(cond.slots, c.slot(item))
			}
		case "equals", "not":
			asked++
			cond.not = key == "not"
			cond.equals = &jsonscan.ValueMap{Exact: map[string]string{}}
			for _, item := range items(v) {
				if s, ok := c.word(item, key); ok && !cond.equals.Put(s, "") {
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
	if len(cond.slots) == 0 || asked != 1 {
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
	return c.slotOf(n, path, nil)
}

// slotOf returns the slot of a path, with conditions on the elements of its last list.
func (c *compiler) slotOf(n *yaml.Node, path string, where []jsonscan.Condition) int {
	steps, err := c.steps(path, where)
	if err != nil {
		c.fault(n, "%s", err)
		return -1
	}
	var slot int
	if strings.HasPrefix(path, messagePath) {
		slot, err = c.fromMessage(path, false)
	} else if strings.HasPrefix(path, jsonscan.Root) {
		slot, err = c.outer(path, false)
	} else {
		slot, err = c.format.pattern.Slot(steps)
	}
	if err != nil {
		c.fault(n, "the path %q: %s", path, err)
		return -1
	}
	return slot
}

// steps returns the steps of a path, with conditions on the elements of its last list.
func (c *compiler) steps(path string, where []jsonscan.Condition) ([]jsonscan.Step, error) {
	steps, err := jsonscan.ParsePath(path)
	if err != nil || where == nil {
		return steps, err
	}
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].Each {
			steps[i].Where = append(steps[i].Where, where...)
			return steps, nil
		}
	}
	return nil, fmt.Errorf("where is about the elements of a list, and the path %q has no [] in it", path)
}
