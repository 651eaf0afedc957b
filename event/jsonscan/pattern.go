package jsonscan

import (
	"fmt"
)

// Embedded is a text that holds something more, and the paths that step into it.
type Embedded struct {
	Slot, List int    // where the text is kept; one of them is -1
	Forms      []Form // what makes JSON of it, one after the other
	Root       *node
}

// Condition is what is asked of an element of an array: that one of some values stands at a
// path in it.
type Condition struct {
	Slot   int
	Path   string
	Text   string // the values, as written
	Equals *ValueMap
}

// maxChildren is how many keys of one object a format can name: the scanner
// keeps those it has met in one word.
const maxChildren = 64

// Pattern is the set of paths whose values a scanner keeps: a tree of keys.
type Pattern struct {
	Root         node
	Slots, Lists int
	keys         int        // nodes that are children
	Fold         bool       // keys are the same in upper and lower case; set before the first path
	Embeds       []Embedded // texts that hold something more, the outer before the inner
}

// node is a place in a JSON value.
type node struct {
	key      key
	children []node   // by key of an object
	table    keyTable // of the children
	elem     *node    // each element of an array
	picks    *picks   // some elements of an array
	Slot     int      // where the first value here is kept; -1 for not
	list     int      // where all values here are kept; -1 for not
	id       int      // among the children of the pattern, from 1; 0 for others
	deep     bool     // something is wanted below a child
	many     bool     // there is a list, or something is wanted of elements
	inner    *node    // what the text here holds, once it is read
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
	where []Condition
	node  node
}

func empty() node { return node{Slot: -1, list: -1} }

// NewPattern returns a pattern that asks for nothing.
func NewPattern() *Pattern { return &Pattern{Root: empty()} }

// at returns the node of a path below n, and makes it if need be.
func (p *Pattern) at(n *node, steps []Step) (*node, error) {
	var above *node // whose child the path has come to
	for _, s := range steps {
		if above != nil {
			above.deep = true
		}
		if n.inner != nil {
			n = n.inner
		}
		switch {
		case s.Where != nil:
			var err error
			if n, err = p.pick(n, s.Where); err != nil {
				return nil, err
			}
			continue
		case s.Each:
			if n.elem == nil {
				e := empty()
				n.elem, n.many = &e, true
			}
			n = n.elem
			continue
		}
		k := n.find(s.Key)
		if k < 0 {
			if len(n.children) == maxChildren {
				return nil, fmt.Errorf("the key %q is one too many: a format can name %d keys of one object", s.Key, maxChildren)
			}
			k = n.add(newKey(s.Key, p.Fold))
			p.keys++
			n.children[k].id = p.keys
		}
		above, n = n, &n.children[k]
	}
	return n, nil
}

// pick returns the node of those elements of an array that hold the conditions.
func (p *Pattern) pick(n *node, where []Condition) (*node, error) {
	if n.picks == nil {
		n.picks, n.many = &picks{probe: empty()}, true
	}
	name := ""
	for _, w := range where {
		name += w.Path + "=" + w.Text + "]"
	}
	for i := range n.picks.choices {
		if c := &n.picks.choices[i]; c.name == name {
			return &c.node, nil
		}
	}
	c := choice{name: name, where: make([]Condition, len(where)), node: empty()}
	for i, w := range where {
		steps, err := ParsePath(w.Path)
		if err != nil {
			return nil, err
		}
		at, err := p.at(&n.picks.probe, steps)
		if err != nil {
			return nil, err
		}
		if at.Slot < 0 {
			at.Slot = p.Slots
			p.Slots++
			n.picks.slots = append(n.picks.slots, at.Slot)
		}
		w.Slot = at.Slot
		c.where[i] = w
	}
	n.picks.choices = append(n.picks.choices, c)
	return &n.picks.choices[len(n.picks.choices)-1].node, nil
}

// Slot returns the slot that keeps the first value at a path.
func (p *Pattern) Slot(steps []Step) (int, error) {
	n, err := p.at(&p.Root, steps)
	if err != nil {
		return 0, err
	}
	if n.Slot < 0 {
		n.Slot = p.Slots
		p.Slots++
	}
	return n.Slot, nil
}

// List returns the list that keeps all values at a path; where an array stands
// there, those are its elements. So x and x[] are one list, but that x also
// takes a value which stands alone.
func (p *Pattern) List(steps []Step) (int, error) {
	n, err := p.at(&p.Root, steps)
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
		n.elem.list = p.Lists
		p.Lists++
	}
	n.list, n.many, n.elem.many = n.elem.list, true, true
	return n.list, nil
}

// Embed makes paths below a path step into what the text there holds.
func (p *Pattern) Embed(steps []Step, forms []Form) error {
	e := Embedded{Forms: forms, Slot: -1, List: -1}
	var err error
	if whole(steps) {
		e.Slot, err = p.Slot(steps)
	} else {
		e.List, err = p.List(steps)
	}
	if err != nil {
		return err
	}
	n, err := p.at(&p.Root, steps)
	if err != nil {
		return err
	}
	inner := empty()
	n.inner, e.Root = &inner, &inner
	p.Embeds = append(p.Embeds, e)
	return nil
}
