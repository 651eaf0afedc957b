package jsonscan

import (
	"slices"
	"strings"
)

// ValueMap translates a value's text: by the text itself, else by the longest
// prefix of it that is listed with a star.
type ValueMap struct {
	Exact  map[string]string
	prefix []prefixValue // longest first
}

type prefixValue struct{ prefix, value string }

// Get returns what a text is translated to; false if it is not listed.
func (m *ValueMap) Get(s string) (string, bool) {
	if v, ok := m.Exact[s]; ok {
		return v, true
	}
	for _, p := range m.prefix {
		if strings.HasPrefix(s, p.prefix) {
			return p.value, true
		}
	}
	return "", false
}

// Has reports whether a text is listed.
func (m *ValueMap) Has(s string) bool {
	for i := range m.prefix {
		if strings.HasPrefix(s, m.prefix[i].prefix) {
			return true
		}
	}
	_, ok := m.Exact[s]
	return ok
}

// Put adds a translation; a name that ends in a star stands for all that begin
// with the rest. False if it is there already.
func (m *ValueMap) Put(name, value string) bool {
	prefix, ok := strings.CutSuffix(name, "*")
	if !ok {
		if _, dup := m.Exact[name]; dup {
			return false
		}
		m.Exact[name] = value
		return true
	}
	i, dup := slices.BinarySearchFunc(m.prefix, prefix, func(p prefixValue, s string) int {
		if len(p.prefix) != len(s) {
			return len(s) - len(p.prefix)
		}
		return strings.Compare(p.prefix, s)
	})
	if dup {
		return false
	}
	m.prefix = slices.Insert(m.prefix, i, prefixValue{prefix, value})
	return true
}
