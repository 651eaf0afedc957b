package fieldmap

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weirhq/weir/event/jsonscan"
)

// template takes texts apart that are written after one pattern: literals, and
// {name} for what is to be taken. {} takes what is not wanted.
type template struct {
	head  string // before the first part
	parts []templatePart
}

// templatePart is a part to be taken, and the literal after it.
type templatePart struct {
	name, after string
}

// parseTemplate reads the pattern of a template.
func parseTemplate(s string) (*template, error) {
	t := &template{}
	head, rest, ok := strings.Cut(s, "{")
	if !ok {
		return nil, errors.New("a pattern needs at least one {name}")
	}
	t.head = head
	for ok {
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("the brace before %q is never closed", rest)
		}
		after, rest, ok = strings.Cut(after, "{")
		if after == "" && ok {
			return nil, fmt.Errorf("something must stand between {%s} and the next part, to tell where it ends", name)
		}
		t.parts = append(t.parts, templatePart{name, after})
	}
	return t, nil
}

// match calls take with each part of a text that has a name; false if the text
// does not follow the pattern as a whole.
func (t *template) match(s string, take func(name, value string)) bool {
	s, ok := strings.CutPrefix(s, t.head)
	if !ok {
		return false
	}
	for i, p := range t.parts {
		var value string
		switch {
		case p.after == "":
			value, s = s, ""
		case i == len(t.parts)-1:
			if value, ok = strings.CutSuffix(s, p.after); !ok {
				return false
			}
			s = ""
		default:
			end := indexOf(s, p.after)
			if end < 0 {
				return false
			}
			value, s = s[:end], s[end+len(p.after):]
		}
		if p.name != "" {
			take(p.name, value)
		}
	}
	return s == ""
}

// indexOf returns where a literal begins in s; -1 if nowhere. A quotation mark
// that is escaped by a backslash is passed over.
func indexOf(s, literal string) int {
	if literal[0] != '"' {
		return strings.Index(s, literal)
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if strings.HasPrefix(s[i:], literal) {
			return i
		}
	}
	return -1
}

// form makes a JSON object of a text after the pattern.
func (t *template) form(dst []byte, text string) ([]byte, bool) {
	o := newMembers(dst)
	if !t.match(strings.TrimRight(text, "\r\n"), o.add) {
		return dst, false
	}
	return o.end()
}

// anyTemplate makes a JSON object of a text after the first pattern that fits.
func anyTemplate(patterns []*template) jsonscan.Form {
	return func(dst []byte, text string) ([]byte, bool) {
		for _, t := range patterns {
			if out, ok := t.form(dst, text); ok {
				return out, true
			}
		}
		return dst, false
	}
}
