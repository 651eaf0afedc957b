package jsonscan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weirhq/weir/event"
)

// Step is one step of a path: into a key of an object, or into the elements of an
// array.
type Step struct {
	Key   string
	Each  bool        // into each element, rather than a key
	Where []Condition // of the element, if only those that hold them
}

// Elements is the step of a path into each element of an array.
const Elements = "[]"

// maxPicks is how many steps of a path can have conditions.
const maxPicks = 4

// Root begins a path that starts at the whole value, not at the event in it.
const Root = "$."

// ParsePath splits a path into its steps: keys joined by dots, where a key may be
// quoted ("user.name" is one key), [] into each element of an array, and [k=v]
// into those elements that have the value v at the path k.
func ParsePath(path string) ([]Step, error) {
	var steps []Step
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
		steps, rest = append(steps, Step{Key: key}), tail
	}
	picks := 0
	for _, s := range steps {
		if s.Where != nil {
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
func cutElements(s string) (Step, string, error) {
	if rest, ok := strings.CutPrefix(s, Elements); ok {
		return Step{Each: true}, rest, nil
	}
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return Step{}, "", errors.New("has a bracket that is never closed")
	}
	inside, rest := s[1:end], s[end+1:]
	name, value, ok := strings.Cut(inside, "=")
	if !ok {
		return Step{}, "", fmt.Errorf("has %q in it; it is [] or [name=value]", s[:end+1])
	}
	c, err := Equals(name, strings.Trim(value, `"`))
	if err != nil {
		return Step{}, "", err
	}
	return Step{Each: true, Where: []Condition{c}}, rest, nil
}

// Equals returns the condition that a value stands at a path of an element.
func Equals(name, value string) (Condition, error) {
	if _, err := ParsePath(name); err != nil {
		return Condition{}, err
	}
	m := &ValueMap{Exact: map[string]string{}}
	m.Put(value, "")
	return Condition{Slot: -1, Path: name, Text: value, Equals: m}, nil
}

// whole reports whether the steps take one value of a text or object, and go
// through no array.
func whole(steps []Step) bool {
	for _, s := range steps {
		if s.Each {
			return false
		}
	}
	return true
}

// Same reports whether two steps are one, leaving conditions aside.
func (s Step) Same(t Step) bool { return s.Each == t.Each && s.Key == t.Key }
