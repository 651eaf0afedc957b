package fieldmap

import "fmt"

// maxChildren is how many keys of one object a format can name: the scanner
// keeps those it has met in one word.
const maxChildren = 64

// pattern is the set of paths whose values a scanner keeps: a tree of keys.
type pattern struct {
	root         node
	slots, lists int
	embeds       []embedded // texts that hold something more, the outer before the inner
}

// node is a place in a JSON value.
type node struct {
	key      string
	plain    bool   // the key stands in JSON as it is, without escapes
	children []node // by key of an object
	filter   uint64 // bitOf all keys of the children: most other keys are none by that
	elem     *node  // each element of an array
	picks    *picks // some elements of an array
	slot     int    // where the first value here is kept; -1 for not
	list     int    // where all values here are kept; -1 for not
	inner    *node  // what the text here holds, once it is read
}

// picks are places in those elements of an array that hold a condition.
type picks struct {
	probe   node  // the paths that conditions ask for
	slots   []int // of the probe
	choices []choice
}

// choice is a place in the elements that hold all conditions.
type choice struct {
	name  string // the conditions as written
	where []condition
	node  node
}

func empty() node { return node{slot: -1, list: -1} }

func newPattern() *pattern { return &pattern{root: empty()} }

// isPlain reports whether a key can only stand as it is in JSON.
func isPlain(key string) bool {
	for _, c := range []byte(key) {
		if c < 0x20 || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// bitOf returns a bit for a key, by its length and its first letter.
func bitOf(key []byte) uint64 {
	if len(key) == 0 {
		return 1
	}
	return 1 << ((uint(key[0]) + 7*uint(len(key))) & 63)
}

// find returns the index of the child of the key, or -1. It tries the child at
// hint first.
func (n *node) find(key []byte, hint int) int {
	if n.filter&bitOf(key) == 0 {
		return -1
	}
	for k := hint; k < len(n.children); k++ {
		if n.children[k].key == string(key) {
			return k
		}
	}
	for k := range min(hint, len(n.children)) {
		if n.children[k].key == string(key) {
			return k
		}
	}
	return -1
}

// at returns the node of a path below n, and makes it if need be.
func (p *pattern) at(n *node, steps []step) (*node, error) {
	for _, s := range steps {
		if n.inner != nil {
			n = n.inner
		}
		switch {
		case s.where != nil:
			var err error
			if n, err = p.pick(n, s.where); err != nil {
				return nil, err
			}
			continue
		case s.each:
			if n.elem == nil {
				e := empty()
				n.elem = &e
			}
			n = n.elem
			continue
		}
		k := n.find([]byte(s.key), 0)
		if k < 0 {
			if len(n.children) == maxChildren {
				return nil, fmt.Errorf("the key %q is one too many: a format can name %d keys of one object", s.key, maxChildren)
			}
			k = len(n.children)
			child := empty()
			child.key, child.plain = s.key, isPlain(s.key)
			n.children = append(n.children, child)
			n.filter |= bitOf([]byte(s.key))
		}
		n = &n.children[k]
	}
	return n, nil
}

// pick returns the node of those elements of an array that hold the conditions.
func (p *pattern) pick(n *node, where []condition) (*node, error) {
	if n.picks == nil {
		n.picks = &picks{probe: empty()}
	}
	name := ""
	for _, w := range where {
		name += w.path + "=" + w.text + "]"
	}
	for i := range n.picks.choices {
		if c := &n.picks.choices[i]; c.name == name {
			return &c.node, nil
		}
	}
	c := choice{name: name, where: make([]condition, len(where)), node: empty()}
	for i, w := range where {
		steps, err := parsePath(w.path)
		if err != nil {
			return nil, err
		}
		at, err := p.at(&n.picks.probe, steps)
		if err != nil {
			return nil, err
		}
		if at.slot < 0 {
			at.slot = p.slots
			p.slots++
			n.picks.slots = append(n.picks.slots, at.slot)
		}
		w.slot = at.slot
		c.where[i] = w
	}
	n.picks.choices = append(n.picks.choices, c)
	return &n.picks.choices[len(n.picks.choices)-1].node, nil
}

// slot returns the slot that keeps the first value at a path.
func (p *pattern) slot(steps []step) (int, error) {
	n, err := p.at(&p.root, steps)
	if err != nil {
		return 0, err
	}
	if n.slot < 0 {
		n.slot = p.slots
		p.slots++
	}
	return n.slot, nil
}

// list returns the list that keeps all values at a path; where an array stands
// there, those are its elements. So x and x[] are one list, but that x also
// takes a value which stands alone.
func (p *pattern) list(steps []step) (int, error) {
	n, err := p.at(&p.root, steps)
	if err != nil {
		return 0, err
	}
	if n.elem == nil {
		e := empty()
		n.elem = &e
	}
	if n.elem.list < 0 {
		n.elem.list = n.list
	}
	if n.elem.list < 0 {
		n.elem.list = p.lists
		p.lists++
	}
	n.list = n.elem.list
	return n.list, nil
}

// embed makes paths below a path step into what the text there holds.
func (p *pattern) embed(steps []step, forms []form) error {
	e := embedded{forms: forms, slot: -1, list: -1}
	var err error
	if whole(steps) {
		e.slot, err = p.slot(steps)
	} else {
		e.list, err = p.list(steps)
	}
	if err != nil {
		return err
	}
	n, err := p.at(&p.root, steps)
	if err != nil {
		return err
	}
	inner := empty()
	n.inner, e.root = &inner, &inner
	p.embeds = append(p.embeds, e)
	return nil
}
