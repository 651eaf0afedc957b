package fieldmap

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weirhq/weir/event"
)

// maxChildren is how many keys of one object a format can name: the scanner
// keeps those it has met in one word.
const maxChildren = 64

// pattern is the set of paths whose values a scanner keeps: a tree of keys.
type pattern struct {
	root         node
	slots, lists int
}

// node is a place in a JSON value.
type node struct {
	key      string
	plain    bool   // the key stands in JSON as it is, without escapes
	children []node // by key of an object
	elem     *node  // each element of an array
	slot     int    // where the first value here is kept; -1 for not
	list     int    // where all values here are kept; -1 for not
}

func newPattern() *pattern { return &pattern{root: node{slot: -1, list: -1}} }

// isPlain reports whether a key can only stand as it is in JSON.
func isPlain(key string) bool {
	for _, c := range []byte(key) {
		if c < 0x20 || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// find returns the index of the child of the key, or -1. It tries the child at
// hint first.
func (n *node) find(key []byte, hint int) int {
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

// elements is the step of a path into each element of an array. It cannot be a
// key: a key in a path that holds brackets is quoted, and kept with a quote.
const elements = "[]"

// parsePath splits a path into its steps: keys joined by dots, where a key may
// be quoted ("user.name" is one key) and [] steps into each element of an array.
func parsePath(path string) ([]string, error) {
	var steps []string
	rest := path
	for first := true; rest != "" || first; first = false {
		switch {
		case strings.HasPrefix(rest, elements):
			steps = append(steps, elements)
			rest = rest[len(elements):]
			continue
		case !first && rest[0] == '.':
			rest = rest[1:]
		case !first:
			return nil, fmt.Errorf("the path %q needs a dot before %q", path, rest)
		}
		key, tail, err := cutKey(rest)
		if err != nil {
			return nil, fmt.Errorf("the path %q %w", path, err)
		}
		steps, rest = append(steps, key), tail
	}
	if len(steps) > event.MaxDepth {
		return nil, fmt.Errorf("the path %q is deeper than %d, the limit of nesting", path, event.MaxDepth)
	}
	return steps, nil
}

// cutKey takes the key that s begins with.
func cutKey(s string) (key, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s[1:], '"')
		if end < 0 {
			return "", "", errors.New("has a quote that is never closed")
		}
		return "k" + s[1:end+1], s[end+2:], nil
	}
	end := strings.IndexAny(s, `.["`)
	if end < 0 {
		end = len(s)
	}
	if end == 0 {
		return "", "", errors.New(`has an empty key; write "" for a key that is empty`)
	}
	return "k" + s[:end], s[end:], nil
}

// at returns the node of a path, and makes it if need be.
func (p *pattern) at(path string) (*node, error) {
	steps, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	n := &p.root
	for _, step := range steps {
		if step == elements {
			if n.elem == nil {
				n.elem = &node{slot: -1, list: -1}
			}
			n = n.elem
			continue
		}
		key := step[1:]
		k := n.find([]byte(key), 0)
		if k < 0 {
			if len(n.children) == maxChildren {
				return nil, fmt.Errorf("the path %q is one too many: a format can name %d keys of one object", path, maxChildren)
			}
			k = len(n.children)
			n.children = append(n.children, node{key: key, plain: isPlain(key), slot: -1, list: -1})
		}
		n = &n.children[k]
	}
	return n, nil
}

// slot returns the slot that keeps the first value at a path.
func (p *pattern) slot(path string) (int, error) {
	n, err := p.at(path)
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
func (p *pattern) list(path string) (int, error) {
	n, err := p.at(path)
	if err != nil {
		return 0, err
	}
	if n.elem == nil {
		n.elem = &node{slot: -1, list: -1}
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
