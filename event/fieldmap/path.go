package fieldmap

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weirhq/weir/event"
)

// step is one step of a path: into a key of an object, or into the elements of an
// array.
type step struct {
	key   string
	each  bool        // into each element, rather than a key
	where []condition // of the element, if only those that hold them
}

// elements is the step of a path into each element of an array.
const elements = "[]"

// maxPicks is how many steps of a path can have conditions.
const maxPicks = 4

// root begins a path that starts at the whole value, not at the event in it.
const root = "$."

// parsePath splits a path into its steps: keys joined by dots, where a key may be
// quoted ("user.name" is one key), [] into each element of an array, and [k=v]
// into those elements that have the value v at the path k.
func parsePath(path string) ([]step, error) {
	var steps []step
	rest := path
	for first := true; rest != "" || first; first = false {
		switch {
		case strings.HasPrefix(rest, "["):
			s, tail, err := cutElements(rest)
			if err != nil {
				return nil, fmt.Errorf("the path %q %w", path, err)
			}
			steps, rest = append(steps, s), tail
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
		steps, rest = append(steps, step{key: key}), tail
	}
	picks := 0
	for _, s := range steps {
		if s.where != nil {
			picks++
		}
	}
	if picks > maxPicks { // each scans an element once more
		return nil, fmt.Errorf("the path %q has more than %d conditions", path, maxPicks)
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
		return s[1 : end+1], s[end+2:], nil
	}
	end := strings.IndexAny(s, `.["`)
	if end < 0 {
		end = len(s)
	}
	if end == 0 {
		return "", "", errors.New(`has an empty key; write "" for a key that is empty`)
	}
	return s[:end], s[end:], nil
}

// cutElements takes the brackets that s begins with.
func cutElements(s string) (step, string, error) {
	if rest, ok := strings.CutPrefix(s, elements); ok {
		return step{each: true}, rest, nil
	}
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return step{}, "", errors.New("has a bracket that is never closed")
	}
	inside, rest := s[1:end], s[end+1:]
	name, value, ok := strings.Cut(inside, "=")
	if !ok {
		return step{}, "", fmt.Errorf("has %q in it; it is [] or [name=value]", s[:end+1])
	}
	c, err := equals(name, strings.Trim(value, `"`))
	if err != nil {
		return step{}, "", err
	}
	return step{each: true, where: []condition{c}}, rest, nil
}

// equals returns the condition that a value stands at a path of an element.
func equals(name, value string) (condition, error) {
	if _, err := parsePath(name); err != nil {
		return condition{}, err
	}
	m := &valueMap{exact: map[string]string{}}
	m.put(value, "")
	return condition{slot: -1, path: name, text: value, equals: m}, nil
}

// whole reports whether the steps take one value of a text or object, and go
// through no array.
func whole(steps []step) bool {
	for _, s := range steps {
		if s.each {
			return false
		}
	}
	return true
}

// same reports whether two steps are one, leaving conditions aside.
func (s step) same(t step) bool { return s.each == t.each && s.key == t.key }
