package guess

import (
	"bytes"
	"encoding/json"
	"strings"
)

// leaf is a path of a sample, and what stands there.
type leaf struct {
	path   string
	texts  []string // the first values
	count  int      // how many there were
	unique map[string]bool
	number bool // the values are numbers
}

const (
	maxLeaves = 400
	maxTexts  = 20
	maxDepth  = 12
)

// leaves gathers the paths of a sample, in the order in which they were met.
type leaves struct {
	all    []*leaf
	byPath map[string]*leaf
	parsed map[string]bool // paths of texts that hold JSON
}

// gather returns the leaves of documents.
func gather(docs [][]byte) *leaves {
	l := &leaves{byPath: map[string]*leaf{}, parsed: map[string]bool{}}
	for _, doc := range docs {
		d := json.NewDecoder(bytes.NewReader(doc))
		d.UseNumber()
		l.value(d, "", 0)
	}
	return l
}

// value walks one value; false at the end or where it is broken.
func (l *leaves) value(d *json.Decoder, path string, depth int) bool {
	t, err := d.Token()
	if err != nil || depth > maxDepth {
		return false
	}
	switch t := t.(type) {
	case json.Delim:
		return l.inside(d, t, path, depth)
	case string:
		l.text(path, t, depth)
	case json.Number:
		l.add(path, t.String(), true)
	case bool:
		l.add(path, map[bool]string{true: "true", false: "false"}[t], false)
	}
	return true
}

// inside walks the members of an object or the elements of a list.
func (l *leaves) inside(d *json.Decoder, open json.Delim, path string, depth int) bool {
	for d.More() {
		if open == '[' {
			var element json.RawMessage
			if d.Decode(&element) != nil {
				return false
			}
			inner := json.NewDecoder(bytes.NewReader(element))
			inner.UseNumber()
			l.value(inner, path+elementOf(element), depth+1)
			continue
		}
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok || !l.value(d, join(path, name), depth+1) {
			return false
		}
	}
	_, err := d.Token()
	return err == nil
}

// elementOf returns the step into an element of a list: [key=x] where it is one of
// name and value, else [].
func elementOf(element json.RawMessage) string {
	var pair map[string]json.RawMessage
	if json.Unmarshal(element, &pair) != nil || len(pair) < 2 || len(pair) > 3 {
		return "[]"
	}
	for _, k := range []string{"key", "name", "Name", "Key"} {
		var name string
		for v := range pair {
			if strings.HasSuffix(strings.ToLower(v), "value") && json.Unmarshal(pair[k], &name) == nil && name != "" && !strings.ContainsAny(name, `"]=`) {
				return "[" + k + "=" + name + "]"
			}
		}
	}
	return "[]"
}

// text adds a text, or what it holds where it is JSON.
func (l *leaves) text(path, s string, depth int) {
	if trimmed := strings.TrimSpace(s); strings.HasPrefix(trimmed, "{") && json.Valid([]byte(trimmed)) && depth < maxDepth/2 {
		l.parsed[path] = true
		d := json.NewDecoder(strings.NewReader(trimmed))
		d.UseNumber()
		l.value(d, path, depth)
		return
	}
	l.add(path, s, false)
}

// add adds one value of a path.
func (l *leaves) add(path, s string, number bool) {
	f := l.byPath[path]
	if f == nil {
		if len(l.all) == maxLeaves || path == "" {
			return
		}
		f = &leaf{path: path, unique: map[string]bool{}}
		l.byPath[path] = f
		l.all = append(l.all, f)
	}
	f.count++
	if s == "" {
		return
	}
	f.number = number
	if len(f.texts) < maxTexts {
		f.texts = append(f.texts, s)
	}
	if len(f.unique) < 1000 {
		f.unique[s] = true
	}
}

// join returns the path of a key.
func join(path, key string) string {
	if key == "" || strings.ContainsAny(key, `.[]"= `) || key == "$" {
		key = `"` + strings.ReplaceAll(key, `"`, "") + `"`
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
