package guess

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weirhq/weir/event/textform"
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
	parsed map[string]string // how texts that hold something more are read, by path
}

// gather returns the leaves of documents.
func gather(docs [][]byte) *leaves {
	l := &leaves{byPath: map[string]*leaf{}, parsed: map[string]string{}}
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
	var parts []int
	defer func() { l.javaTime(path, parts) }()
	for d.More() {
		if open == '[' {
			var element json.RawMessage
			if d.Decode(&element) != nil {
				return false
			}
			if n, err := strconv.Atoi(string(element)); err == nil && len(parts) <= maxParts {
				parts = append(parts, n)
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

// maxParts is how many numbers a time of Java has at most.
const maxParts = 7

// javaTime adds a list of numbers that is a time: year, month, day, hour, minute and more.
func (l *leaves) javaTime(path string, parts []int) {
	if len(parts) < 5 || len(parts) > maxParts || parts[0] < 2000 || parts[0] >= 2100 {
		return
	}
	l.add(path, fmt.Sprintf("%04d-%02d-%02d %02d:%02d", parts[0], parts[1], parts[2], parts[3], parts[4]), false)
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

// text adds a text, or what it holds.
func (l *leaves) text(path, s string, depth int) {
	if form, object := inside(strings.TrimSpace(s)); form != "" && path != "" && depth < maxDepth {
		l.parsed[path] = form
		d := json.NewDecoder(bytes.NewReader(object))
		d.UseNumber()
		l.value(d, path, depth)
		return
	}
	l.add(path, s, false)
}

// packings are the ways in which JSON is packed into a text.
var packings = []string{"[base64, json]", "[base64, gzip, json]"}

// inside returns what a text holds, as JSON, and how it is read; "" if it is a text.
func inside(s string) (form string, object []byte) {
	switch {
	case strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[{"):
		form = "json"
	case strings.HasPrefix(s, "CEF:"):
		form = "cef"
	case strings.HasPrefix(s, "LEEF:"):
		form = "leef"
	case len(s) < minPacked || strings.ContainsAny(s[:minPacked], " .:@"):
		if isPairs(s) && !strings.ContainsAny(s[:strings.IndexByte(s, '=')], " \t/?&") {
			form = "logfmt"
		}
	default:
		for _, packing := range packings {
			object := unpacked(s, packing)
			if len(object) > 0 && (object[0] == '{' || object[0] == '[') && json.Valid(object) {
				return packing, object
			}
		}
		if isPairs(s) {
			form = "logfmt"
		}
	}
	if read, ok := textform.Named(form); ok {
		if object, ok := read(nil, s); ok && json.Valid(object) {
			return form, object
		}
	}
	return "", nil
}

// unpacked returns what a text holds after some forms; nil if it is not in them.
func unpacked(s, packing string) []byte {
	for name := range strings.FieldsFuncSeq(packing, func(c rune) bool { return strings.ContainsRune("[], ", c) }) {
		read, _ := textform.Named(name)
		object, ok := read(nil, s)
		if !ok {
			return nil
		}
		s = string(object)
	}
	return bytes.TrimSpace([]byte(s))
}

// minPacked is the length in bytes of the shortest text that is looked at for packed JSON.
const minPacked = 20

// within returns the paths of the texts that hold what is at a path, the outermost first.
func (l *leaves) within(path string) (outer []string) {
	for p := range l.parsed {
		if strings.HasPrefix(path, p+".") || strings.HasPrefix(path, p+"[") {
			outer = append(outer, p)
		}
	}
	slices.Sort(outer)
	return outer
}

// underLine returns the line of a field map that leads into texts, the outermost first; ""
// for none.
func underLine(outer []string) string {
	switch len(outer) {
	case 0:
		return ""
	case 1:
		return "under: " + quoted(outer[0]) + "\n"
	}
	line := "under: [" + quoted(outer[0])
	for i, p := range outer[1:] {
		line += ", " + quoted(below(p, outer[i]))
	}
	return line + "]\n"
}

// below returns a path from a place that it leads through.
func below(path, place string) string { return strings.TrimPrefix(path[len(place):], ".") }

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
