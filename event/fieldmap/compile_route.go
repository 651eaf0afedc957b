package fieldmap

import (
	"strings"

	"github.com/weirhq/weir/event/jsonscan"
	"go.yaml.in/yaml/v3"
)

// chain is one way from a whole value to its events.
type chain []link

// link is a stage of a chain, and where in its value the next value lies.
type link struct {
	stage *stage
	steps []jsonscan.Step
	each  bool
}

// under compiles the path at which the value lies that the format is about; of several,
// each leads on from where the one before it ends.
func (c *compiler) under(n *yaml.Node) {
	var way chain
	for _, item := range items(n) {
		path, ok := c.word(item, "under")
		if !ok {
			return
		}
		made := c.lead(item, path, way, true)
		if made == nil {
			return
		}
		if len(way) > 0 {
			way[len(way)-1].stage.branches[0].next = made[0][len(way)].stage
		}
		way = made[0]
	}
	if way != nil {
		c.chains = []chain{way}
	}
}

// explode compiles the paths of an envelope's events, of which the first that is
// there counts.
func (c *compiler) explode(n *yaml.Node) {
	before := c.chains
	if before == nil {
		before = []chain{nil}
	}
	var all []chain
	for _, prefix := range before {
		var entry *stage
		for _, item := range items(n) {
			path, ok := c.word(item, "explode")
			if !ok {
				continue
			}
			if len(items(n)) == 1 && !strings.Contains(path, jsonscan.Elements) {
				c.fault(item, "explode is the path of a list and has [] in it, such as Records[]; %q has not", path)
				continue
			}
			for _, made := range c.lead(item, path, prefix, false) {
				at := len(prefix)
				if entry == nil {
					entry = made[at].stage
				} else {
					c.graft(entry, made, at)
				}
				all = append(all, made)
			}
		}
		if len(prefix) > 0 && entry != nil {
			prefix[len(prefix)-1].stage.branches[0].next = entry
		}
	}
	c.chains = all
}

// graft makes one stage of the first stages of two chains.
func (c *compiler) graft(entry *stage, made chain, at int) {
	b := made[at].stage.branches[0]
	slot, err := entry.pattern.Slot(made[at].steps)
	if err != nil {
		c.faults = append(c.faults, err)
		return
	}
	b.slot = slot
	entry.branches = append(entry.branches, b)
	made[at].stage = entry
}

// lead makes the stages along a path: one for each list, and one for what comes
// after the last.
func (c *compiler) lead(n *yaml.Node, path string, prefix chain, required bool) []chain {
	steps, err := jsonscan.ParsePath(path)
	if err != nil {
		c.fault(n, "%s", err)
		return nil
	}
	made := append(chain(nil), prefix...)
	var last *stage
	for len(steps) > 0 {
		l := link{stage: &stage{depth: len(made), pattern: jsonscan.NewPattern(), required: required}}
		l.stage.pattern.Fold = c.format.pattern.Fold
		for len(steps) > 0 && !l.each {
			if steps[0].Where != nil {
				c.fault(n, "the path %q of a list takes all of it, so it has no condition", path)
				return nil
			}
			if l.each = steps[0].Each; !l.each {
				l.steps = append(l.steps, steps[0])
			}
			steps = steps[1:]
		}
		slot, err := l.stage.pattern.Slot(l.steps)
		if err != nil {
			c.fault(n, "%s", err)
			return nil
		}
		l.stage.branches = []branch{{path: pathText(l.steps), slot: slot, each: l.each}}
		if last != nil {
			last.branches[0].next = l.stage
		}
		last = l.stage
		made = append(made, l)
		if c.format.entry == nil {
			c.format.entry = made[0].stage
		}
	}
	return []chain{made}
}

// pathText returns the path of steps into keys.
func pathText(steps []jsonscan.Step) string {
	var keys []string
	for _, s := range steps {
		keys = append(keys, s.Key)
	}
	return strings.Join(keys, ".")
}

// outer returns the slot of an event for a path from the root of the whole
// value, and makes each stage that the path leads through bring what stands there.
func (c *compiler) outer(path string, list bool) (int, error) {
	steps, err := jsonscan.ParsePath(strings.TrimPrefix(path, jsonscan.Root))
	if err != nil {
		return 0, err
	}
	p := c.format.pattern
	if c.chains == nil {
		if list {
			return p.List(steps)
		}
		return p.Slot(steps)
	}
	to := p.Slots
	if list {
		to = p.Lists
		p.Lists++
	} else {
		p.Slots++
	}
	done := map[*stage]bool{}
	for _, ch := range c.chains {
		st, rest := ch.deepest(steps)
		if done[st] {
			continue
		}
		done[st] = true
		from, err := 0, error(nil)
		if list {
			from, err = st.pattern.List(rest)
		} else {
			from, err = st.pattern.Slot(rest)
		}
		if err != nil {
			return 0, err
		}
		st.imports = append(st.imports, imported{from: from, to: to, list: list})
	}
	return to, nil
}

// deepest returns the innermost stage whose value a path goes through, and the rest
// of the path from there.
func (ch chain) deepest(steps []jsonscan.Step) (*stage, []jsonscan.Step) {
	st, rest := ch[0].stage, steps
	for i, l := range ch[:len(ch)-1] {
		n := len(l.steps)
		if l.each {
			n++
		}
		if len(rest) <= n {
			break
		}
		for k, s := range l.steps {
			if !s.Same(rest[k]) {
				return st, rest
			}
		}
		if l.each && !(rest[n-1].Each && rest[n-1].Where == nil) {
			break
		}
		st, rest = ch[i+1].stage, rest[n:]
	}
	return st, rest
}
